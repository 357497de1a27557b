"""Which account has a step due next, by real time; one timer for all of them."""

import asyncio
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from msgine_sandbox.model.clock import SECOND, Instant, RealTime
from msgine_sandbox.model.step import Step
from msgine_sandbox.services.accounts import Accounts

_TICK: Final = 0.01
"""Least seconds until the timer fires: steps that fall due meanwhile are performed together."""
_MOST_OUTDATED: Final = 100
"""Outdated entries that are kept in any case, besides as many as there are accounts."""


class DueQueue:
    """Orders accounts by when their next step is due; one whose clock is frozen costs nothing.

    What stores steps also calls `schedule`; the scheduler waits in `next_account`.
    """

    def __init__(self, accounts: Accounts, real: RealTime) -> None:
        self._accounts = accounts
        self._real = real
        self._due: dict[int, Instant] = {}
        """When each account is due, in real time."""
        # In order of time. An entry that differs from `_due` is outdated, and skipped when it comes
        # first: a heap has no cheap way to remove one from its middle. Where most are outdated, it
        # is made anew: an account whose next step is far ahead adds one each time it is scheduled.
        self._heap: list[tuple[Instant, int]] = []
        self._timer: asyncio.Handle | None = None
        self._timer_due = 0.0  # on the event loop's clock
        self._fired = asyncio.Event()
        self._fired_at: Instant = 0
        self._paused_until: Instant = 0

    def schedule(self, steps: Sequence[Step]) -> None:
        """Wake the scheduler when the first of some steps, all of one account, is due.

        On a frozen clock none is due later; moving the clock schedules the account again.
        """
        if steps:
            account, due = steps[0].account, min([step.due for step in steps])
            real_due = self._accounts.clock_of(account).real_at(due)
            if real_due is not None:
                self.wake_at(account, real_due)

    def wake_at(self, account: int, due: Instant) -> None:
        """Wake the scheduler for an account at a real time, or at an earlier one already set."""
        known = self._due.get(account)
        if known is None or due < known:
            self._due[account] = due
            heappush(self._heap, (due, account))
            if len(self._heap) > 2 * len(self._due) + _MOST_OUTDATED:
                self._heap = [(when, each) for each, when in self._due.items()]
                heapify(self._heap)
            self._set_timer()

    def forget(self, account: int) -> None:
        """Leave an account out until it is scheduled again."""
        self._due.pop(account, None)

    def pause(self, until: Instant) -> None:
        """Let no account be due before a real time, because the store fails for all of them."""
        self._paused_until = until

    async def next_account(self) -> int:
        """Wait until an account has a step due, and return that account."""
        while True:
            # Only what was due when the timer fired: the rest waits for the next time, so that
            # steps which fall due one after the other share a transaction.
            while self._heap and self._next_due() <= self._fired_at:
                due, account = heappop(self._heap)
                if self._due.get(account) == due:
                    del self._due[account]
                    return account
            self._fired.clear()
            self._set_timer()
            await self._fired.wait()
            self._fired_at = self._real.now()

    def clear(self) -> None:
        """Forget all accounts, and the event loop in which the timer was set."""
        self._due.clear()
        self._heap.clear()
        self._paused_until = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fired = asyncio.Event()

    def _next_due(self) -> Instant:
        return max(self._heap[0][0], self._paused_until)

    def _set_timer(self) -> None:
        if not self._heap:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max((self._next_due() - self._real.now()) / SECOND, _TICK)
        if self._timer is None or when < self._timer_due:
            if self._timer is not None:
                self._timer.cancel()
            # The time is remembered here: where it has passed already, because the process was
            # paused since `loop.time()`, uvloop returns a handle that does not know when it is due.
            self._timer, self._timer_due = loop.call_at(when, self._on_timer), when

    def _on_timer(self) -> None:
        self._timer = None
        self._fired.set()
