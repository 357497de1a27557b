"""A sandbox that is called without `await`, for properties: Hypothesis calls no coroutines."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from box import Box, sandbox

_T = TypeVar("_T")


class SyncBox:
    """One account without rate limits, and the event loop that its calls run on."""

    def __init__(self, runner: asyncio.Runner, box: Box) -> None:
        self._runner = runner
        self.box = box

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        return self._runner.run(call)

    def messages(self) -> int:
        """Return how many messages there are."""
        return self.run(self.box.message_count())


@contextmanager
def sync_sandbox(**settings: Any) -> Iterator[SyncBox]:
    """Run a sandbox inside the block, with manual delivery unless settings say otherwise."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        context = sandbox(**{"tier": "unlimited", "delivery": "manual"} | settings)
        box = runner.run(context.__aenter__())
        try:
            yield SyncBox(runner, box)
        finally:
            runner.run(context.__aexit__(None, None, None))
