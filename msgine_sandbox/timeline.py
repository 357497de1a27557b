"""Everything still to happen, lived through in due order: with real time, or in one leap."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from msgine_sandbox.model.clock import SECOND, Clock, Instant, RealTime
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.store import Store

FOREVER: Instant = (1 << 63) - 1

_TICK = 0.01  # seconds; steps due within one are performed together, each at its own due time
_BATCH = 500
_IN_FLIGHT = 32  # webhooks of one account that may wait for their receivers at the same time


class Clocks(Protocol):
    """The clocks of accounts, as the timeline needs them."""

    def clock_of(self, account: int) -> Clock:
        """Give an account's clock."""

    def now(self, account: int) -> Instant:
        """Give an account's time."""

    def hold(self, account: int, instant: Instant) -> None:
        """Let an account's time stand at an instant of its journey."""


Perform = Callable[[Sequence[Step]], Awaitable[int]]
"""Takes an account's status steps in order and tells how many it did; it stops where a webhook
that it planned may come first."""
Send = Callable[[Step], Awaitable[None]]


class Timeline:
    """Performs steps as their accounts' clocks reach them."""

    def __init__(self, store: Store, clocks: Clocks, real: RealTime) -> None:
        self._store = store
        self._clocks = clocks
        self._real = real
        self._perform: Perform
        self._send: Send
        self._next: dict[int, Instant] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._living: asyncio.Task[None] | None = None
        self._in_flight: defaultdict[int, dict[int, asyncio.Task[None]]] = defaultdict(dict)
        self._journeys: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def connect(self, perform: Perform, send: Send) -> None:
        """Say who performs status steps, and who sends webhooks."""
        self._perform, self._send = perform, send

    async def resume(self) -> None:
        """Take up what was still to happen when the process before this one ended."""
        for account in await self._store.steps.accounts():
            await self.look_again(account)

    async def close(self) -> None:
        """Stop; what is in flight will be sent again by the next process on the file."""
        if self._timer is not None:
            self._timer.cancel()
        tasks = [task for flights in self._in_flight.values() for task in flights.values()]
        tasks += [self._living] if self._living is not None else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def planned(self, steps: Sequence[Step]) -> None:
        """Take note of steps that were stored."""
        for step in steps:
            if step.due < self._next.get(step.account, FOREVER):
                self._next[step.account] = step.due
                self._set_timer(step.account)

    async def look_again(self, account: int) -> None:
        """Find out anew what an account has before it; its clock or its steps have changed."""
        busy = self._in_flight[account]
        webhooks = await self._store.steps.due(account, Lane.WEBHOOK, FOREVER, _BATCH)
        dues = [step.due for step in webhooks if step.message not in busy]
        if len(busy) >= _IN_FLIGHT:
            dues = []  # the next flight to land looks again
        statuses = await self._store.steps.due(account, Lane.STATUS, FOREVER, 1)
        dues += [step.due for step in statuses]
        if dues:
            self._next[account] = min(dues)
            self._set_timer(account)
        else:
            self._next.pop(account, None)

    @asynccontextmanager
    async def journey(self, account: int) -> AsyncIterator[None]:
        """Keep an account's steps still while its clock is moved; journeys follow each other."""
        async with self._journeys[account]:
            yield
        await self.look_again(account)

    async def play(self, account: int, to: Instant) -> int:
        """Perform all that is due up to an instant, each step at its own time; tell how many.

        Called on a journey, with the account's time held at its start.
        """
        await asyncio.gather(*self._in_flight[account].values(), return_exceptions=True)
        return await self._play(account, to)

    async def _play(self, account: int, to: Instant) -> int:
        done = 0
        while True:
            statuses = await self._store.steps.due(account, Lane.STATUS, to, _BATCH)
            webhook = await self._store.steps.due(account, Lane.WEBHOOK, to, 1)
            if webhook:
                statuses = [step for step in statuses if step.order < webhook[0].order]
            if statuses:
                self._arrive(account, statuses[0].due)
                done += await self._perform(statuses)
            elif webhook:
                self._arrive(account, webhook[0].due)
                await self._send(webhook[0])
                done += 1
            else:
                return done

    def _arrive(self, account: int, due: Instant) -> None:
        self._clocks.hold(account, max(due, self._clocks.now(account)))

    def _set_timer(self, account: int) -> None:
        real_due = self._clocks.clock_of(account).real_at(self._next[account])
        if real_due is None or self._journeys[account].locked():
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max((real_due - self._real.now()) / SECOND, _TICK)
        if self._timer is None or when < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(when, self._wake)

    def _wake(self) -> None:
        if self._living is None or self._living.done():
            self._timer = None
            self._living = asyncio.create_task(self._live())
        else:
            self._timer = asyncio.get_running_loop().call_later(_TICK, self._wake)

    async def _live(self) -> None:
        for account, due in list(self._next.items()):
            if self._journeys[account].locked():
                continue  # whoever moves the clock looks again when done
            now = self._clocks.now(account)
            if due <= now:
                await self._live_through(account, now)
                await self.look_again(account)
            else:
                self._set_timer(account)

    async def _live_through(self, account: int, now: Instant) -> None:
        statuses = await self._store.steps.due(account, Lane.STATUS, now, _BATCH)
        while statuses:
            statuses = statuses[await self._perform(statuses) :]
        if self._journeys[account].locked():
            return  # a journey began meanwhile, and sends what is due itself
        busy = self._in_flight[account]
        for step in await self._store.steps.due(account, Lane.WEBHOOK, now, _BATCH):
            # One at a time for a message, so that `delivered` is not tried before `sent`.
            if step.message not in busy and len(busy) < _IN_FLIGHT:
                busy[step.message] = asyncio.create_task(self._fly(step))

    async def _fly(self, step: Step) -> None:
        try:
            await self._send(step)
        finally:
            del self._in_flight[step.account][step.message]
            if not self._journeys[step.account].locked():
                await self.look_again(step.account)
