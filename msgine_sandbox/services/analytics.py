"""Analytics: an account's messages by status, as sums of each day that are kept up to date."""

from collections.abc import Collection, Mapping

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import DAY, Clocks, Instant
from msgine_sandbox.model.delivery import Timelines
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.tally import Tally, tally_of, total
from msgine_sandbox.storage.messages import Changing
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.tallies import Day, TallyKey


def day_of(instant: Instant) -> Day:
    """Return the day of an instant, in UTC. Source: our choice."""
    return instant // DAY


class Analytics:
    """Counts messages by what they will be, all on the day when the message was accepted.

    So each is counted once, and what is still to come is subtracted from the sums that are asked
    for: that concerns the few messages that are under way.
    """

    def __init__(self, store: Store, clocks: Clocks) -> None:
        self._store = store
        self._clocks = clocks
        self._views: set[_View] = set()

    async def accepted(self, message: Message) -> None:
        """Count a new message, in the transaction that stores it."""
        timelines = message.timelines
        # A tuple like `TallyKey`, which takes a call of Python to make; every send comes here.
        key = (message.account, timelines.created_at // DAY, message.channel)
        tally, cost = tally_of(message.channel, timelines), message.developer_cost.micros
        await self._store.tallies.add(key, tally, cost)

    async def changed(self, message: Changing, timelines: Timelines) -> None:
        """Count other timelines of a message, in the transaction that stores them."""
        for view in self._views:
            view.before_change(message)
        before = tally_of(message.channel, message.timelines)
        after = tally_of(message.channel, timelines)
        await self._store.tallies.add(_key(message), after.plus(before.times(-1)))

    async def between(self, account: int, first: Day, last: Day) -> dict[TallyKey, Tally]:
        """Return the sums of an account's days that have any, both ends included.

        They are those of the time of the call, whatever changes before it returns.
        """
        now, newest = self._clocks.seen(account), self._store.upcoming.newest()
        sums = await self._store.tallies.between(account, first, last)
        slices, view = Slices(), _View(account, now, newest, sums)
        self._views.add(view)
        try:
            async for message in self._store.messages.under_way(account, now):
                view.take(message)
                await slices.pause()
        finally:
            self._views.remove(view)
        return sums

    async def used(self, account: int) -> Collection[Channel]:
        """Return the channels through which an account has sent, on any day."""
        return await self._store.tallies.channels(account)


class _View:
    """Sums from which what is still to come at an instant is subtracted, message by message.

    Others have their turn meanwhile, and what they change has been counted in the sums as it was
    before. So each message is taken before its first change, unless it has been taken already:
    they are taken in the order of their ends, and of their ids.
    """

    def __init__(
        self, account: int, now: Instant, newest: int, sums: dict[TallyKey, Tally]
    ) -> None:
        self._account = account
        self._now = now
        self._newest = newest
        self._sums = sums
        self._taken_until = (now, newest)
        self._changed: set[int] = set()

    def take(self, message: Changing) -> None:
        """Subtract what is to come of the next message."""
        if message.id not in self._changed:
            self._subtract(message)
        self._taken_until = (message.timelines.ends_at, message.id)

    def before_change(self, message: Changing) -> None:
        """Take a message that is about to change, of any account."""
        is_counted = message.account == self._account and message.id <= self._newest
        if not is_counted or message.id in self._changed:
            return
        self._changed.add(message.id)
        if (message.timelines.ends_at, message.id) > self._taken_until:
            self._subtract(message)

    def _subtract(self, message: Changing) -> None:
        key, channel, timelines = _key(message), message.channel, message.timelines
        if key in self._sums:
            will_be = tally_of(channel, timelines)
            is_now = tally_of(channel, timelines.until(self._now))
            self._sums[key] = self._sums[key].plus(will_be.times(-1)).plus(is_now)


def _key(message: Changing) -> TallyKey:
    return TallyKey(message.account, day_of(message.timelines.created_at), message.channel)


def by_channel(tallies: Mapping[TallyKey, Tally]) -> dict[Channel, Tally]:
    """Return the sums over all days of each channel."""
    return {
        channel: total(each for key, each in tallies.items() if key.channel is channel)
        for channel in Channel
    }
