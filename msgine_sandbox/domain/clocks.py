"""Time travel: forward, frozen or running, one account or the whole sandbox; never back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.clock import DAY, Clock, Instant, RealTime, iso_micros
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.timeline import Timeline

FARTHEST = 3653 * DAY  # ten years, leap days included


class Clocks:
    """Moves accounts' clocks; `None` for the account means all, and those still to be opened."""

    def __init__(self, accounts: Accounts, timeline: Timeline, real: RealTime) -> None:
        self._accounts = accounts
        self._timeline = timeline
        self._real = real

    def read(self, account: int | None) -> tuple[Clock, Instant, Instant]:
        """Give a clock, its time, and the real time."""
        real = self._real.now()
        if account is None:
            clock = self._accounts.default_clock
            return clock, clock.at(real), real
        return self._accounts.clock_of(account), self._accounts.now(account), real

    async def advance(self, account: int | None, micros: int) -> int:
        """Move forward and perform all that falls due; tell how many steps that were.

        Raises:
            InvalidRequest: the time is negative, or beyond ten years.
        """
        if not 0 <= micros <= FARTHEST:
            raise InvalidRequest(
                "The clock goes forward only, by at most ten years",
                field="seconds",
                value=micros / 1_000_000,
                expected="0 to ten years, in seconds",
            )
        if account is not None:
            return await self._travel(account, micros)
        await self._accounts.set_default_clock(self._moved(self._accounts.default_clock, micros))
        journeys = [self._travel(each.id, micros) for each in self._accounts.all()]
        return sum(await asyncio.gather(*journeys))

    async def advance_to(self, account: int | None, instant: Instant) -> int:
        """Move forward to an instant; accounts that are past it already stay where they are.

        Raises:
            InvalidRequest: the account's clock is past it, or it is beyond ten years away.
        """
        _, now, _ = self.read(account)
        if not 0 <= instant - now <= FARTHEST:
            raise InvalidRequest(
                "The clock goes forward only, by at most ten years",
                field="to",
                value=iso_micros(instant),
                expected=f"{iso_micros(now)} or later, by at most ten years",
            )
        if account is not None:
            return await self._travel_to(account, instant)
        default = self._accounts.default_clock
        await self._accounts.set_default_clock(self._moved(default, instant - now))
        journeys = [self._travel_to(each.id, instant) for each in self._accounts.all()]
        return sum(await asyncio.gather(*journeys))

    async def freeze(self, account: int | None) -> None:
        """Let time stand still."""
        await self._set_each(account, self._frozen)

    async def resume(self, account: int | None) -> None:
        """Let time run on from where it stands."""
        await self._set_each(account, self._running)

    async def _set_each(self, account: int | None, change: Callable[[Clock], Clock]) -> None:
        if account is None:
            await self._accounts.set_default_clock(change(self._accounts.default_clock))
        chosen = [each.id for each in self._accounts.all()] if account is None else [account]
        for number in chosen:
            async with self._timeline.journey(number):
                await self._accounts.set_clock(number, change(self._accounts.clock_of(number)))

    async def _travel(self, account: int, micros: int) -> int:
        async with self._timeline.journey(account):
            return await self._leap(account, self._accounts.now(account) + micros)

    async def _travel_to(self, account: int, instant: Instant) -> int:
        async with self._timeline.journey(account):
            return await self._leap(account, max(instant, self._accounts.now(account)))

    async def _leap(self, account: int, to: Instant) -> int:
        now = self._accounts.now(account)
        self._accounts.hold(account, now)
        try:
            # The move is stored before its steps are taken, so that a restart finishes the journey.
            clock = self._accounts.clock_of(account)
            await self._accounts.set_clock(account, self._moved(clock, to - now))
            return await self._timeline.play(account, to)
        finally:
            self._accounts.let_go(account)

    @staticmethod
    def _moved(clock: Clock, micros: int) -> Clock:
        if clock.frozen_at is not None:
            return replace(clock, frozen_at=clock.frozen_at + micros)
        return replace(clock, ahead=clock.ahead + micros)

    def _frozen(self, clock: Clock) -> Clock:
        return replace(clock, frozen_at=clock.at(self._real.now()))

    def _running(self, clock: Clock) -> Clock:
        real = self._real.now()
        return Clock(ahead=clock.at(real) - real)
