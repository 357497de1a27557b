"""Everything still to happen, lived through in due order: with real time, or in one leap."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from msgine_sandbox.agenda import Agenda
from msgine_sandbox.model.clock import SECOND, Clock, Instant, RealTime
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.store import Store

_log = logging.getLogger(__name__)

_BATCH = 500
_IN_FLIGHT = 32  # webhooks of one account that may wait for their receivers at the same time
_AFTER_A_FAILURE = SECOND


class Clocks(Protocol):
    """The clocks of accounts, as the timeline needs them."""

    def clock_of(self, account: int) -> Clock:
        """Give an account's clock."""

    def now(self, account: int) -> Instant:
        """Give an account's time."""

    def hold(self, account: int, instant: Instant) -> None:
        """Let an account's time stand at an instant of its journey."""


Perform = Callable[[Sequence[Step]], Awaitable[int]]
"""Takes an account's status steps in order and tells how many it did; it stops before one that is
later than a webhook it planned."""
Send = Callable[[Step], Awaitable[None]]


class Timeline:
    """Performs steps as their accounts' clocks reach them."""

    def __init__(self, store: Store, clocks: Clocks, real: RealTime) -> None:
        self._store = store
        self._clocks = clocks
        self._real = real
        self._perform: Perform
        self._send: Send
        self._agenda = Agenda(real, self._live)
        self._flights: defaultdict[int, dict[int, asyncio.Task[None]]] = defaultdict(dict)
        self._journeys: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ends: dict[int, asyncio.Future[None]] = {}

    def connect(self, perform: Perform, send: Send) -> None:
        """Say who performs status steps, and who sends webhooks."""
        self._perform, self._send = perform, send

    async def resume(self) -> None:
        """Take up what was still to happen when the process before this one ended."""
        for account in await self._store.steps.accounts():
            await self.look_again(account)

    async def close(self) -> None:
        """Stop; what is in flight will be sent again by the next process on the file."""
        await self._agenda.close()
        flights = [flight for some in self._flights.values() for flight in some.values()]
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def planned(self, steps: Sequence[Step]) -> None:
        """Take note of steps of an account that were stored."""
        if steps:
            self._note(steps[0].account, min([step.due for step in steps]))

    async def look_again(self, account: int) -> None:
        """Find out anew what an account has before it; its clock or its steps have changed."""
        self._agenda.forget(account)
        flights = self._flights[account]
        steps = await self._store.steps.due(account, Lane.STATUS, limit=1)
        if len(flights) < _IN_FLIGHT:  # else the next to land looks again
            steps += await self._store.steps.first_of_messages(account, flights, limit=1)
        self.planned(steps)

    @asynccontextmanager
    async def journey(self, account: int) -> AsyncIterator[None]:
        """Keep an account's steps still while its clock is moved; journeys follow each other."""
        try:
            async with self._journeys[account]:
                yield
        finally:
            await self.look_again(account)

    async def play(self, account: int, to: Instant) -> int:
        """Perform all that is due up to an instant, each step at its own time; tell how many.

        Called on a journey, with the account's time held at its start.
        """
        end = self._ends[account] = asyncio.get_running_loop().create_future()
        try:
            for flight in list(self._flights[account].values()):
                await asyncio.wait({flight, end}, return_when=asyncio.FIRST_COMPLETED)
            return await self._play(account, to, end)
        finally:
            del self._ends[account]

    def end_journey(self, account: int) -> None:
        """Let whoever plays an account's steps stop where they are."""
        end = self._ends.get(account)
        if end is not None and not end.done():
            end.set_result(None)

    async def _play(self, account: int, to: Instant, end: asyncio.Future[None]) -> int:
        done, room, tried = 0, _BATCH, 0
        while not end.done():
            webhook = await self._store.steps.due(account, Lane.WEBHOOK, to, limit=1)
            statuses = await self._store.steps.due(account, Lane.STATUS, to, limit=room)
            if webhook:
                statuses = [step for step in statuses if step.order < webhook[0].order]
            if statuses:
                self._arrive(account, statuses[0].due)
                done += await self._perform(statuses)
                room = min(room * 2, _BATCH)
            elif webhook and webhook[0].id != tried:
                tried = webhook[
                    0
                ].id  # still there afterwards? Then it failed, and is left to later
                self._arrive(account, webhook[0].due)
                flight = self._take_off(webhook[0])
                await asyncio.wait({flight, end}, return_when=asyncio.FIRST_COMPLETED)
                done += 1
                room = 1  # where webhooks are heard, the next status is often the last before one
            else:
                break
        return done

    def _arrive(self, account: int, due: Instant) -> None:
        self._clocks.hold(account, max(due, self._clocks.now(account)))

    def _note(self, account: int, due: Instant) -> None:
        real_due = self._clocks.clock_of(account).real_at(due)
        if real_due is not None and not self._journeys[account].locked():
            self._agenda.note(account, real_due)

    async def _live(self, account: int) -> None:
        if self._journeys[account].locked():
            return  # whoever moves the clock looks again when done
        try:
            await self._live_through(account, self._clocks.now(account))
            await self.look_again(account)
        except Exception:
            _log.exception("Steps could not be performed; they will be tried again")
            self._agenda.note(account, self._real.now() + _AFTER_A_FAILURE)

    async def _live_through(self, account: int, now: Instant) -> None:
        while statuses := await self._store.steps.due(account, Lane.STATUS, now, limit=_BATCH):
            await self._perform(statuses)
            if self._journeys[account].locked():
                return
        flights = self._flights[account]
        room = _IN_FLIGHT - len(flights)
        for step in await self._store.steps.first_of_messages(account, flights, now, limit=room):
            self._take_off(step)

    def _take_off(self, step: Step) -> asyncio.Task[None]:
        # One at a time for a message, so that `delivered` is not tried before `sent`.
        flight = asyncio.create_task(self._fly(step))
        self._flights[step.account][step.message] = flight
        return flight

    async def _fly(self, step: Step) -> None:
        later = None
        try:
            await self._send(step)
        except Exception:
            _log.exception("A webhook could not be sent; it will be tried again")
            later = self._real.now() + _AFTER_A_FAILURE
        finally:
            del self._flights[step.account][step.message]
        if later is not None:
            self._agenda.note(step.account, later)
        elif not self._journeys[step.account].locked():
            await self.look_again(step.account)
