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

    async def accepted(self, message: Message) -> None:
        """Count a new message, in the transaction that stores it."""
        timelines = message.timelines
        # A tuple like `TallyKey`, which takes a call of Python to make; every send comes here.
        key = (message.account, timelines.created_at // DAY, message.channel)
        tally, cost = tally_of(message.channel, timelines), message.developer_cost.micros
        await self._store.tallies.add(key, tally, cost)

    async def changed(self, message: Changing, timelines: Timelines) -> None:
        """Count other timelines of a message, in the transaction that stores them."""
        before = tally_of(message.channel, message.timelines)
        after = tally_of(message.channel, timelines)
        await self._store.tallies.add(_key(message), after.plus(before.times(-1)))

    async def between(self, account: int, first: Day, last: Day) -> dict[TallyKey, Tally]:
        """Return the sums of an account's days that have any, both ends included."""
        now = self._clocks.seen(account)
        slices, sums = Slices(), await self._store.tallies.between(account, first, last)
        async for message in self._store.messages.under_way(account, now):
            key = _key(message)
            if key in sums:
                will_be = tally_of(message.channel, message.timelines)
                is_now = tally_of(message.channel, message.timelines.until(now))
                sums[key] = sums[key].plus(will_be.times(-1)).plus(is_now)
            await slices.pause()
        return sums

    async def used(self, account: int) -> Collection[Channel]:
        """Return the channels through which an account has sent, on any day."""
        return await self._store.tallies.channels(account)


def _key(message: Changing) -> TallyKey:
    return TallyKey(message.account, day_of(message.timelines.created_at), message.channel)


def by_channel(tallies: Mapping[TallyKey, Tally]) -> dict[Channel, Tally]:
    """Return the sums over all days of each channel."""
    return {
        channel: total(each for key, each in tallies.items() if key.channel is channel)
        for channel in Channel
    }
