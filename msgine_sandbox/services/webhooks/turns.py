"""Webhooks in flight: how many over all accounts, whose turn is next, and which end together."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_SHARE: Final = 8
MAX_IN_FLIGHT: Final = 288
"""Webhooks that may be in flight; a ninth of them, 32, may be those of one account alone."""
_MOST_TOGETHER: Final = 16
"""Webhooks that end together at most, because those after them wait for their places."""


class Endings:
    """Lets webhooks end together whose responses come shortly after each other.

    Their attempts are then stored in one transaction, and what is due next is looked for once. A
    commit for each would take a fifth of the time that a webhook takes.
    """

    def __init__(self) -> None:
        self._count = 0
        """Webhooks that are about to end."""
        self._together: asyncio.Event | None = None
        """Set when they do. No future, which a task that is cancelled would cancel for all."""

    async def wait(self) -> None:
        """Return once an iteration of the event loop brings no other, or once sixteen wait."""
        self._count += 1
        if self._together is None:
            self._together = asyncio.Event()
            asyncio.get_running_loop().call_soon(self._look, self._together, self._count)
        await self._together.wait()

    def _look(self, together: asyncio.Event, count: int) -> None:
        if count < self._count < _MOST_TOGETHER:
            asyncio.get_running_loop().call_soon(self._look, together, self._count)
            return
        self._count, self._together = 0, None
        together.set()


class Turns:
    """Lets each account have as many webhooks in flight as an eighth of the free places.

    So the first account may have a ninth of all, the next one a ninth of what is left, and so on:
    where receivers hang, their accounts leave places for those that come later. Only where dozens
    of accounts have such receivers, all places are taken. Then the accounts take turns, one webhook
    at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_flight: Counter[int] = Counter()
        """By account."""
        self._total = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        """The account of each webhook whose turn has not come, in the order of their coming."""

    @property
    def in_flight(self) -> int:
        """How many webhooks are in flight."""
        return self._total

    def room(self, account: int) -> int:
        """Return how many more webhooks of an account should begin now.

        One of them may have to wait for its turn; while one does, no other should begin.
        """
        if account in self._waiting.values():
            return 0
        # Each that begins takes a place, and counts for the account.
        left = self._free() - _SHARE * self._in_flight[account]
        return max(1, math.ceil(left / (_SHARE + 1)))

    @asynccontextmanager
    async def turn(self, account: int) -> AsyncIterator[bool]:
        """Wait until a webhook may be in flight, which it is in the block; yield whether it had to.

        Nothing in the block may wait for another turn.
        """
        waits = not self._may_begin(account)
        if waits:
            await self._wait(account)
        else:
            self._begin(account)
        try:
            yield waits
        finally:
            self._end(account)

    async def _wait(self, account: int) -> None:
        come = asyncio.get_running_loop().create_future()
        self._waiting[come] = account
        try:
            await come
        except asyncio.CancelledError:
            if not come.cancelled():
                self._end(account)  # its turn had come
            self._waiting.pop(come, None)
            raise

    def _begin(self, account: int) -> None:
        self._in_flight[account] += 1
        self._total += 1

    def _end(self, account: int) -> None:
        self._total -= 1
        self._in_flight[account] -= 1
        if not self._in_flight[account]:
            del self._in_flight[account]
        # Without those that are cancelled, and about to leave.
        while waiting := [each for each in self._waiting if not each.done()]:
            # Of the account with the fewest in flight, the one that came first.
            come = min(waiting, key=lambda each: self._in_flight[self._waiting[each]])
            if not self._may_begin(self._waiting[come]):
                return
            self._begin(self._waiting.pop(come))
            come.set_result(None)

    def _may_begin(self, account: int) -> bool:
        return _SHARE * self._in_flight[account] < self._free()

    def _free(self) -> int:
        return self._most - self._total
