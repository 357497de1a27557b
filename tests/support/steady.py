"""A sandbox where nothing moves on by itself, for properties: Hypothesis calls no coroutines."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from box import Box, sandbox

_T = TypeVar("_T")


class Steady:
    """One account without limits, and a loop of its own to run what is asked of it."""

    def __init__(self, runner: asyncio.Runner, box: Box) -> None:
        self._runner = runner
        self.box = box

    def run(self, asked: Coroutine[Any, Any, _T]) -> _T:
        return self._runner.run(asked)

    def messages(self) -> int:
        """How many messages there are."""
        return self.run(self.box.message_count())


@contextmanager
def steady(**settings: Any) -> Iterator[Steady]:
    """A steady sandbox inside the block: by hand, unless settings say otherwise."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        scene = sandbox(**{"tier": "unlimited", "delivery": "manual"} | settings)
        box = runner.run(scene.__aenter__())
        try:
            yield Steady(runner, box)
        finally:
            runner.run(scene.__aexit__(None, None, None))
