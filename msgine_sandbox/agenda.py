"""Which account is to be looked after next, by real time; one timer for all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush

from msgine_sandbox.model.clock import SECOND, Instant, RealTime

_TICK = 0.01  # seconds; what falls due within one is looked after together

LookAfter = Callable[[int], Awaitable[None]]


class Agenda:
    """Wakes for the account that is due first; those whose clocks stand cost nothing."""

    def __init__(self, real: RealTime, look_after: LookAfter) -> None:
        self._real = real
        self._look_after = look_after
        self._due: dict[int, Instant] = {}
        self._queue: list[tuple[Instant, int]] = []  # with entries that `_due` has outdated
        self._timer: asyncio.Handle | None = None
        self._timer_due = 0.0  # on the event loop's clock
        self._at_work: asyncio.Task[None] | None = None
        self._closed = False

    def note(self, account: int, due: Instant) -> None:
        """Look after an account at a real time, if not before."""
        if due < self._due.get(account, due + 1):
            self._due[account] = due
            heappush(self._queue, (due, account))
            self._set_timer()

    def forget(self, account: int) -> None:
        """Do not look after an account until it is noted again."""
        self._due.pop(account, None)

    async def close(self) -> None:
        """Look after nothing any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._at_work is not None:
            self._at_work.cancel()
            await asyncio.wait({self._at_work})

    def _set_timer(self) -> None:
        if self._closed or not self._queue:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max((self._queue[0][0] - self._real.now()) / SECOND, _TICK)
        if self._timer is None or when < self._timer_due:
            if self._timer is not None:
                self._timer.cancel()
            # The time is remembered here: where it has passed already, because the process was
            # paused since `loop.time()`, uvloop returns a handle that does not know when it is due.
            self._timer, self._timer_due = loop.call_at(when, self._wake), when

    def _wake(self) -> None:
        self._timer = None
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work())
        else:
            self._set_timer()

    async def _work(self) -> None:
        now = self._real.now()
        while self._queue and self._queue[0][0] <= now:
            due, account = heappop(self._queue)
            if self._due.get(account) == due:
                del self._due[account]
                await self._look_after(account)
        self._set_timer()
