"""What an account has due next: a status, the sending of a scheduled message, or a webhook.

Most statuses have no step, so their instants follow from the timelines of the messages that are
under way, of which there may be very many. All of them are looked at once; then the first ones are
remembered, and only what is accepted later is looked at.
"""

from enum import StrEnum
from heapq import heappop, heappush
from typing import Final

import msgspec

from msgine_sandbox.model.clock import DAY, FOREVER, LATEST, Instant
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.upcoming import NextStatus

REMEMBERED: Final = 1000
"""Messages of an account whose next status is remembered; twice as many until they are sorted."""


class What(StrEnum):
    """What is due."""

    STATUS = "status"
    SCHEDULED = "scheduled"
    """The time comes for which a message is scheduled."""
    WEBHOOK = "webhook"


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has due next, on its clock."""

    account: int
    at: Instant
    what: What
    message: int
    status: Status | None = None
    """That begins then; of several recipients, for the first of those whose status changes."""
    event: EventType | None = None
    """Of a webhook, as `attempt` is."""
    attempt: int | None = None


class _Known:
    """The next statuses of messages that were accepted up to one: all of them, or the first."""

    def __init__(self, until: int, horizon: Instant = FOREVER) -> None:
        self.until = until
        """The id of the newest message that has been looked at."""
        self.horizon = horizon
        """What is later is not among them."""
        self.first: list[NextStatus] = []
        """A heap. Statuses may have begun since, and messages may have changed."""

    def add(self, found: list[NextStatus]) -> None:
        for each in found:
            if each[0] <= self.horizon:
                heappush(self.first, each)
        if len(self.first) > 2 * REMEMBERED:
            self.first.sort()  # a sorted list is a heap
            self.horizon = self.first[REMEMBERED][0]
            del self.first[REMEMBERED:]


class Upcoming:
    """Finds what is due next, for an account or for all."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts
        self._known: dict[int, _Known] = {}
        """Of accounts that have been asked for, and have messages under way."""

    def leave_loop(self) -> None:
        """Forget what is known of messages: before another loop, another file may be opened."""
        self._known.clear()

    async def next(self, account: int | None) -> Due | None:
        """Return what is due next; of all accounts, what takes the least time from now on.

        What is later than `LATEST` never falls due.
        """
        found: Due | None = None
        slices = Slices()
        for each in self._accounts.ids(account):
            due = await self._next(each, slices)
            if due is not None and (found is None or self._wait(due) < self._wait(found)):
                found = due
            await slices.pause()
        return found

    async def until_next(self, account: int | None) -> int | None:
        """Return the microseconds to what is due next, or None where nothing is."""
        due = await self.next(account)
        return None if due is None else self._wait(due)

    async def until_last_of_day(self, account: int | None) -> int | None:
        """Return the microseconds to the last status or webhook due within 24 hours, as now known.

        What is performed on the way can add to them. None where nothing is due within 24 hours.
        """
        slices, longest = Slices(), None
        for each in self._accounts.ids(account):
            due = await self._next(each, slices)
            if due is not None and self._wait(due) <= DAY:
                now = self._accounts.now(each)
                upcoming, until = self._store.upcoming, min(now + DAY, LATEST)
                last = max(upcoming.last_end(each, until), upcoming.last_webhook(each, until))
                longest = max(longest or 0, self._wait(due), last - now)
            await slices.pause()
        return longest

    def _wait(self, due: Due) -> int:
        """Return the microseconds until it is due: 0 for what is overdue."""
        return max(due.at - self._accounts.now(due.account), 0)

    async def _next(self, account: int, slices: Slices) -> Due | None:
        status = await self._next_status(account, slices)
        # Further steps about statuses only tell of what timelines have.
        send = self._store.upcoming.first_send(account, FOREVER if status is None else status[0])
        found = [
            await self._status_due(account, status),
            await self._status_due(account, send),
            self._webhook_due(account),
        ]
        possible = [each for each in found if each is not None and each.at <= LATEST]
        return min(possible, key=lambda due: due.at, default=None)

    async def _status_due(self, account: int, found: NextStatus | None) -> Due | None:
        if found is None:
            return None
        at, message = found
        changing = (await self._store.messages.timelines([message])).get(message)
        if changing is None:
            return None
        changes = changing.timelines.changes(message, at)
        status = changing.timelines.status_at(self._accounts.seen(account))
        # A push that was taken out of its queue by hand is sent at its time, too.
        is_scheduled = status is Status.QUEUED or not changes
        return Due(
            account=account,
            at=at,
            what=What.SCHEDULED if is_scheduled else What.STATUS,
            message=message,
            status=changes[0].status if changes else None,
        )

    def _webhook_due(self, account: int) -> Due | None:
        found = self._store.upcoming.first_webhook(account)
        if found is None:
            return None
        at, message, event, attempt = found
        return Due(
            account=account,
            at=at,
            what=What.WEBHOOK,
            message=message,
            event=EventType(event),
            attempt=attempt,
        )

    async def _next_status(self, account: int, slices: Slices) -> NextStatus | None:
        """Return when the first status begins that is still to come, and of which message."""
        now = self._accounts.seen(account)
        if self._store.upcoming.last_end(account) <= now:
            self._known.pop(account, None)
            return None
        known = self._known.get(account)
        if known is None or known.horizon <= now:
            known = await self._looked_at(account, now, slices)
        else:
            await self._add_newer(account, known, now, slices)
        found = await self._first_that_holds(known, now, slices)
        if found is None and known.horizon < FOREVER:  # all that was before it has changed
            known = await self._looked_at(account, now, slices)
            found = await self._first_that_holds(known, now, slices)
        return found

    async def _looked_at(self, account: int, now: Instant, slices: Slices) -> _Known:
        known = _Known(self._store.upcoming.newest())
        async for part in self._store.upcoming.under_way(account, now):
            known.add(part)
            await slices.pause()
        self._known[account] = known
        return known

    async def _add_newer(self, account: int, known: _Known, now: Instant, slices: Slices) -> None:
        since = known.until
        newer = _Known(self._store.upcoming.newest(), known.horizon)
        async for part in self._store.upcoming.accepted_after(account, since, now):
            newer.add(part)
            await slices.pause()
        if known.until == since:  # else another call has added them meanwhile
            known.until, known.horizon = newer.until, min(known.horizon, newer.horizon)
            known.add(newer.first)

    async def _first_that_holds(
        self, known: _Known, now: Instant, slices: Slices
    ) -> NextStatus | None:
        """Return the first of the next statuses, without those that have begun or are no more."""
        while known.first and known.first[0][0] <= known.horizon:
            at, message = known.first[0]
            found = (await self._store.messages.timelines([message])).get(message)
            still = None if found is None else found.timelines.next_after(now)
            if still == at:
                return at, message
            heappop(known.first)
            if still is not None:
                known.add([(still, message)])
            await slices.pause()
        return None
