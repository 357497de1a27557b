"""Time travel: the clocks of one account or of all are moved forward, frozen and resumed."""

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.channel import TRAITS
from msgine_sandbox.model.clock import DAY, LATEST, SECOND, Clock, Instant, RealTime, iso_micros
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import InvalidRequest, ServiceUnavailable
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.services.upcoming import Upcoming
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.store import Store

FARTHEST: Final = 3653 * DAY  # ten years, leap days included
_STARTED_TOGETHER: Final = 20
"""Accounts whose moves begin in one iteration of the event loop."""


class Until(StrEnum):
    """How far to move where no distance is given."""

    NEXT = "next"
    """To what is due next, so that all that is due at that instant is performed."""
    IDLE = "idle"
    """To the last status or webhook after which nothing more is due within 24 hours."""


class TimeTravel:
    """Moves clocks; None for the account is every account, and those that are opened later."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        upcoming: Upcoming,
        scheduler: Scheduler,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._upcoming = upcoming
        self._scheduler = scheduler
        self._real = real

    def read(self, account: int | None) -> tuple[Clock, Instant, Instant]:
        """Return a clock, its time, and the real time."""
        real = self._real.now()
        if account is None:
            clock = self._accounts.default_clock
            return clock, clock.at(real), real
        return self._accounts.clock_of(account), self._accounts.at(account, real), real

    async def advance(self, account: int | None, micros: int) -> int:
        """Move forward and perform all that falls due.

        Return how many statuses began and webhooks were sent, as the other moves do.

        Raises:
            InvalidRequest: the time is negative, or beyond ten years or the year 9999.
        """
        if not 0 <= micros <= FARTHEST or self._latest_time(account) + micros > LATEST:
            raise InvalidRequest(
                "The clock goes forward only, by at most ten years, and not beyond the year 9999",
                field="seconds",
                expected=f"0 to {FARTHEST // SECOND}",
            )
        return await self._move_by(account, micros)

    async def advance_to(self, account: int | None, instant: Instant, text: str) -> int:
        """Move forward to an instant, which a client wrote as `text`.

        Accounts that are past it already stay where they are.

        Raises:
            InvalidRequest: the account's clock is past it, or it is beyond ten years away.
        """
        _, now, _ = self.read(account)
        if not 0 <= instant - now <= FARTHEST:
            raise InvalidRequest(
                "The clock goes forward only, by at most ten years",
                field="to",
                value=text,
                expected=f"{iso_micros(now)} or later, by at most ten years",
            )
        if account is not None:
            return await self._move(account, partial(_distance, instant))
        return await self._move_all(instant - now, partial(_distance, instant))

    async def advance_until(self, account: int | None, until: Until) -> int:
        """Move forward to what is due next, or until nothing is due within 24 hours.

        Every account moves by as much as one needs. Where nothing is due, none moves; what is
        overdue is performed all the same, as after a pause of the process.

        Raises:
            InvalidRequest: what is due next is beyond ten years.
        """
        if until is Until.NEXT:
            micros = await self._upcoming.until_next(account)
            if micros is not None and micros > FARTHEST:
                raise InvalidRequest(
                    "What is due next is more than ten years away",
                    field="until",
                    value=until,
                    expected=f"{Until.NEXT} only where something is due within ten years",
                )
            return await self._move_by(account, self._within_time(account, micros or 0))
        performed, before = await self._move_by(account, 0), -1
        while (micros := await self._upcoming.until_last_of_day(account)) is not None:
            micros = self._within_time(account, micros)
            if micros == before == 0:
                break  # what is overdue could not be performed, and is left for later
            # What this performs can plan more, such as the next attempt of a webhook.
            performed += await self._move_by(account, micros)
            before = micros
        return performed

    async def advance_to_status(
        self, messages: Sequence[Message], wanted: Filter
    ) -> Message | None:
        """Return the first of some messages that has the status of a filter, or comes to have it.

        Its account is moved to one of the message's own statuses after the other, until it fits:
        altogether by at most ten years, and not beyond the year 9999. Nothing is moved where none
        of the messages comes to have that status so early: then return None.
        """
        fitting = self._store.searches.matching(wanted, [message.id for message in messages])
        if fitting:
            return await self._store.messages.get(fitting[0][0])
        ends: dict[int, Instant] = {}
        for message in messages:
            now = self._accounts.now(message.account)
            end = ends.setdefault(message.account, min(now + FARTHEST, LATEST))
            if _comes_to(message, wanted, end):
                return await self._follow(message, wanted, end)
        return None

    async def _follow(self, message: Message, wanted: Filter, end: Instant) -> Message | None:
        """Move the account of a message, which comes to have a status up to an instant."""
        chosen: Message | None = message
        while chosen is not None and _comes_to(chosen, wanted, end):
            at = chosen.timelines.next_after(chosen.seen_at)
            if at is None or at > end:
                break
            await self._move(chosen.account, partial(_distance, at))
            is_there = self._store.searches.matching(wanted, [chosen.id])
            chosen = await self._store.messages.get(chosen.id)
            if is_there:
                return chosen
        return None

    async def freeze(self, account: int | None) -> None:
        """Stop the clock at its present time."""
        await self._set_each(account, self._frozen)

    async def resume(self, account: int | None) -> None:
        """Let the clock run on from its present time."""
        await self._set_each(account, self._running)

    def _latest_time(self, account: int | None) -> Instant:
        """Return an account's time, or for None that of the account that is farthest ahead."""
        chosen = [account] if account is not None else [None, *self._accounts.ids(None)]
        return max(self.read(each)[1] for each in chosen)

    def _within_time(self, account: int | None, micros: int) -> int:
        """Return how far to move at most: of several accounts, one may be near the end of time."""
        return min(micros, LATEST - self._latest_time(account))

    async def _set_each(self, account: int | None, change: Callable[[Clock], Clock]) -> None:
        # The list first: an account that is opened from here on starts with the changed default.
        chosen = self._accounts.ids(account)
        if account is None:
            await self._set_default(change)
        for each in chosen:
            async with self._scheduler.clock_move(each):
                await self._accounts.set_clock(each, change(self._accounts.clock_of(each)))

    async def _set_default(self, change: Callable[[Clock], Clock]) -> None:
        async with self._store.write():
            await self._accounts.set_default_clock(change(self._accounts.default_clock))

    async def _move_by(self, account: int | None, micros: int) -> int:
        if account is not None:
            return await self._move(account, lambda _: micros)
        return await self._move_all(micros, lambda _: micros)

    async def _move_all(self, micros: int, distance: Callable[[Instant], int]) -> int:
        chosen = self._accounts.ids(None)
        await self._set_default(lambda clock: self._ahead(clock, micros))
        moves: list[asyncio.Task[int]] = []
        slices = Slices()
        try:
            for start in range(0, len(chosen), _STARTED_TOGETHER):
                some = chosen[start : start + _STARTED_TOGETHER]
                moves += [asyncio.create_task(self._move(each, distance)) for each in some]
                await slices.give_way()
            # Every move has ended before one that failed is raised: none goes on behind the
            # response.
            performed = await asyncio.gather(*moves, return_exceptions=True)
        except asyncio.CancelledError:
            for move in moves:
                move.cancel()
            raise
        for each in performed:
            if isinstance(each, BaseException):
                raise each
        return sum(each for each in performed if isinstance(each, int))

    async def _move(self, account: int, distance: Callable[[Instant], int]) -> int:
        async with self._scheduler.clock_move(account):
            start, seen = self._accounts.now(account), self._accounts.seen(account)
            self._accounts.pin_time(account, start)
            try:
                # The move is stored before its steps are performed, so that a restart goes on with
                # them instead of taking the time back.
                micros = distance(start)
                clock = self._accounts.clock_of(account)
                await self._accounts.set_clock(account, self._ahead(clock, micros))
                webhooks = await self._perform_until(account, start + micros)
                self._accounts.has_moved(account, start + micros)
                return webhooks + await self._begun(account, seen, start + micros)
            finally:
                self._accounts.unpin_time(account)

    async def _begun(self, account: int, after: Instant, until: Instant) -> int:
        """Return how many statuses have begun after an instant, up to another one."""
        slices, count = Slices(), 0
        async for some in self._store.messages.begun(account, after, until):
            count += some
            await slices.pause()
        return count

    async def _perform_until(self, account: int, to: Instant) -> int:
        try:
            return await self._scheduler.run_until(account, to)
        except Exception as error:
            refused = self._store.unavailable(error)
            if refused is None:
                raise
            # A client that repeats the call would move the clock twice.
            raise ServiceUnavailable(f"The clock has moved. {refused.message}") from error

    @staticmethod
    def _ahead(clock: Clock, micros: int) -> Clock:
        if clock.frozen_at is not None:
            return replace(clock, frozen_at=clock.frozen_at + micros)
        return replace(clock, ahead=clock.ahead + micros)

    def _frozen(self, clock: Clock) -> Clock:
        return replace(clock, frozen_at=clock.at(self._real.now()))

    def _running(self, clock: Clock) -> Clock:
        real = self._real.now()
        return Clock(ahead=clock.at(real) - real)


def _distance(to: Instant, now: Instant) -> int:
    """Return how far an instant is away: 0 for an account that is past it."""
    return max(to - now, 0)


def _comes_to(message: Message, wanted: Filter, end: Instant) -> bool:
    """Return whether a message, or its recipient, is to have a status up to an instant."""
    status, timelines, now = wanted.status, message.timelines, message.seen_at
    if status is None:
        return False
    if message.status is Status.QUEUED and TRAITS[message.channel].settled_at_acceptance:
        # Its statuses are decided when it is sent, which is the next thing that happens to it.
        at = timelines.next_after(now)
        return status is not Status.QUEUED and at is not None and at <= end
    if not wanted.to:
        return timelines.comes_to(status, now, end)
    positions = [at for at, to in enumerate(message.recipients) if to in wanted.to]
    return any(timelines.comes_to(status, now, end, position) for position in positions)
