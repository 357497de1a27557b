"""Long work in slices, so that the event loop answers others in between."""

import asyncio
from time import perf_counter
from typing import Final

SLICE: Final = 0.005
"""Seconds of work after which others have their turn; a tenth of what no call may exceed."""


class Slices:
    """Divides the work of one call: `pause` between its parts, each of which must be short."""

    def __init__(self, seconds: float = SLICE) -> None:
        self._seconds = seconds
        self._ends_at = perf_counter() + seconds

    @property
    def is_over(self) -> bool:
        """Whether the present slice is over, so that the next `pause` lets others run."""
        return perf_counter() >= self._ends_at

    async def pause(self) -> None:
        """Let everything else that is ready run, if the present slice is over."""
        if self.is_over:
            await self.give_way()

    async def give_way(self) -> None:
        """Let everything else that is ready run."""
        await asyncio.sleep(0)  # noqa: TID251  (an iteration of the event loop, no time)
        self._ends_at = perf_counter() + self._seconds
