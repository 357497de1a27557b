"""Analytics: an account's messages by status, as sums of each day that are kept up to date."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import DAY, Instant
from msgine_sandbox.model.message import Message, Status, StatusChange
from msgine_sandbox.model.tally import NOTHING, Tally, tally_of, total
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.tallies import Day, TallyKey

_GAINS: Final[Mapping[Status, Tally]] = {
    Status.SENT: Tally(sent=1),
    Status.DELIVERED: Tally(delivered=1),
    Status.FAILED: Tally(failed=1),
}
"""What a change to a status adds, in channels where each recipient counts."""

_MAX_RECENT: Final = 4096
"""Messages whose key is kept in memory: most changes come soon after acceptance."""


def day_of(instant: Instant) -> Day:
    """Return the day of an instant, in UTC. Source: our choice."""
    return instant // DAY


class Analytics:
    """Counts messages and their status changes, all on the day when the message was accepted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent = _RecentKeys()

    async def accepted(self, message: Message) -> None:
        """Count a new message, in the transaction that stores it."""
        key = TallyKey(message.account, day_of(message.created_at), message.channel)
        self._recent.add(message.id, key)
        await self._store.tallies.add(key, tally_of(message))

    async def changed(self, account: int, changes: Sequence[StatusChange]) -> None:
        """Count status changes, in the transaction that applies them."""
        keys = await self._keys(account, {change.message for change in changes})
        pushes: defaultdict[int, list[StatusChange]] = defaultdict(list)
        counts: Counter[tuple[TallyKey, Status]] = Counter()
        for change in changes:
            key = keys[change.message]
            if key.channel is Channel.PUSH:  # counts as a whole, not by recipient
                pushes[change.message].append(change)
            else:
                counts[key, change.status] += 1
        for (key, status), count in counts.items():
            await self._store.tallies.add(key, _GAINS.get(status, NOTHING).times(count))
        for message, its_changes in pushes.items():
            await self._store.tallies.add(keys[message], await self._gain(message, its_changes))

    async def between(self, account: int, first: Day, last: Day) -> dict[TallyKey, Tally]:
        """Return the sums of an account's days that have any, both ends included."""
        return await self._store.tallies.between(account, first, last)

    async def used(self, account: int) -> Collection[Channel]:
        """Return the channels through which an account has sent, on any day."""
        return await self._store.tallies.channels(account)

    async def _keys(self, account: int, messages: Collection[int]) -> Mapping[int, TallyKey]:
        known = self._recent.of(messages)
        unknown = [message for message in messages if message not in known]
        if unknown:
            for message, (channel, at) in (await self._store.messages.origins(unknown)).items():
                known[message] = TallyKey(account, day_of(at), channel)
        return known

    async def _gain(self, message_id: int, changes: Sequence[StatusChange]) -> Tally:
        """Return what changes, which are applied already, add to the sum of a push."""
        message = await self._store.messages.get(message_id)
        if message is None:
            return NOTHING
        return tally_of(message).plus(tally_of(message.before(changes)).times(-1))


class _RecentKeys:
    """The tally keys of at least the latest 4,096 messages, so that most changes cost no query.

    It is two dictionaries: when the newer is full, the older is dropped and replaced by it. That is
    cheaper than to drop the oldest message each time.
    """

    def __init__(self) -> None:
        self._newer: dict[int, TallyKey] = {}
        self._older: dict[int, TallyKey] = {}

    def add(self, message: int, key: TallyKey) -> None:
        if len(self._newer) >= _MAX_RECENT:
            self._older, self._newer = self._newer, {}
        self._newer[message] = key

    def of(self, messages: Iterable[int]) -> dict[int, TallyKey]:
        newer, older = self._newer, self._older
        return {
            message: key
            for message in messages
            if (key := newer.get(message) or older.get(message)) is not None
        }


def by_channel(tallies: Mapping[TallyKey, Tally]) -> dict[Channel, Tally]:
    """Return the sums over all days of each channel."""
    return {
        channel: total(each for key, each in tallies.items() if key.channel is channel)
        for channel in Channel
    }
