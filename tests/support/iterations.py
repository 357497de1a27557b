"""Iterations of the event loop: how many a call takes, and waiting for what a test cannot await."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")
_LIMIT = 60  # seconds; it only ends a hang


async def iterations(call: Awaitable[_T]) -> tuple[int, _T]:
    """Return how many iterations of the event loop pass during a call, and what it returns."""
    task, count = asyncio.ensure_future(call), 0
    while not task.done():
        await asyncio.sleep(0)
        count += 1
    return count, task.result()


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until a condition holds."""
    async with asyncio.timeout(_LIMIT):
        while not condition():  # noqa: ASYNC110  (no event says so)
            await asyncio.sleep(0)
