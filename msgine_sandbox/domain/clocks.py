"""Time travel: forward, frozen or running, one account or the whole sandbox; never back."""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.idempotency import KEPT
from msgine_sandbox.model.clock import DAY, LATEST, SECOND, Clock, Instant, RealTime, iso_micros
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline

FARTHEST = 3653 * DAY  # ten years, leap days included


class Clocks:
    """Moves accounts' clocks; `None` for the account means all, and those still to be opened."""

    def __init__(
        self, store: Store, accounts: Accounts, timeline: Timeline, real: RealTime
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._real = real

    def read(self, account: int | None) -> tuple[Clock, Instant, Instant]:
        """Give a clock, its time, and the real time."""
        real = self._real.now()
        if account is None:
            clock = self._accounts.default_clock
            return clock, clock.at(real), real
        return self._accounts.clock_of(account), self._accounts.at(account, real), real

    async def advance(self, account: int | None, micros: int) -> int:
        """Move forward and perform all that falls due; tell how many steps that were.

        Raises:
            InvalidRequest: the time is negative, or beyond ten years or the year 9999.
        """
        if not 0 <= micros <= FARTHEST or self._farthest(account) + micros > LATEST:
            raise InvalidRequest(
                "The clock goes forward only, by at most ten years, and not beyond the year 9999",
                field="seconds",
                expected=f"0 to {FARTHEST // SECOND}",
            )
        if account is not None:
            return await self._travel(account, lambda _: micros)
        return await self._travel_all(micros, lambda _: micros)

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
            return await self._travel(account, lambda now: max(instant - now, 0))
        return await self._travel_all(instant - now, lambda now: max(instant - now, 0))

    def _farthest(self, account: int | None) -> Instant:
        """Give an account's time, or that of the one that is farthest ahead."""
        everybody = [None, *(each.id for each in self._accounts.all())]
        chosen = everybody if account is None else [account]
        return max(self.read(each)[1] for each in chosen)

    async def freeze(self, account: int | None) -> None:
        """Let time stand still."""
        await self._set_each(account, self._frozen)

    async def resume(self, account: int | None) -> None:
        """Let time run on from where it stands."""
        await self._set_each(account, self._running)

    async def _set_each(self, account: int | None, change: Callable[[Clock], Clock]) -> None:
        # The list first: who opens an account from here on finds the default clock changed.
        chosen = [each.id for each in self._accounts.all()] if account is None else [account]
        if account is None:
            await self._set_default(change)
        for number in chosen:
            async with self._timeline.journey(number):
                await self._accounts.set_clock(number, change(self._accounts.clock_of(number)))

    async def _set_default(self, change: Callable[[Clock], Clock]) -> None:
        async with self._store.unit:
            await self._accounts.set_default_clock(change(self._accounts.default_clock))

    async def _travel_all(self, micros: int, distance: Callable[[Instant], int]) -> int:
        chosen = self._accounts.all()
        await self._set_default(lambda clock: self._moved(clock, micros))
        return sum(await asyncio.gather(*[self._travel(each.id, distance) for each in chosen]))

    async def _travel(self, account: int, distance: Callable[[Instant], int]) -> int:
        async with self._timeline.journey(account):
            start = self._accounts.now(account)
            self._accounts.hold(account, start)
            try:
                # The move is stored before its steps are taken: a restart finishes the journey.
                micros = distance(start)
                clock = self._accounts.clock_of(account)
                await self._accounts.set_clock(account, self._moved(clock, micros))
                return await self._timeline.play(account, start + micros)
            finally:
                self._accounts.let_go(account)
                await self._forget_keys(account)

    async def _forget_keys(self, account: int) -> None:
        now = self._accounts.now(account)
        async with self._store.unit:
            await self._store.keys.clear_before(account, now - KEPT)

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
