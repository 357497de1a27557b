"""Analytics: what became of an account's messages, day by day, without counting them anew."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import DAY, Instant
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.tally import NOTHING, Tally, tally_of
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.tallies import Day, Place

_STEPS: Final[Mapping[Status, Tally]] = {
    Status.SENT: Tally(sent=1),
    Status.DELIVERED: Tally(delivered=1),
    Status.FAILED: Tally(failed=1),
}
"""What a step of one recipient's copy adds, where recipients are counted."""


_REMEMBERED: Final = 4096
"""Messages of which it is known at the least where they are counted."""


def day_of(instant: Instant) -> Day:
    """Give the day of an instant, in UTC. Source: our choice."""
    return instant // DAY


class Analytics:
    """Adds to the day on which a message was accepted, with everything that becomes of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent = _Recent()

    async def accepted(self, message: Message) -> None:
        """Count a new message; inside the unit that stores it."""
        place = Place(message.account, day_of(message.created_at), message.channel)
        self._recent.add(message.id, place)
        await self._store.tallies.add(place, tally_of(message))

    async def moved(self, account: int, moves: Sequence[Move]) -> None:
        """Count steps that were taken; inside the unit that takes them."""
        places = await self._places(account, {move.message for move in moves})
        pushes: defaultdict[int, list[Move]] = defaultdict(list)
        steps: Counter[tuple[Place, Status]] = Counter()
        for move in moves:
            place = places[move.message]
            if place.channel is Channel.PUSH:
                pushes[move.message].append(move)
            else:
                steps[place, move.status] += 1
        for (place, status), count in steps.items():
            await self._store.tallies.add(place, _STEPS.get(status, NOTHING).times(count))
        for number, its_moves in pushes.items():
            await self._store.tallies.add(places[number], await self._gain(number, its_moves))

    async def between(self, account: int, first: Day, last: Day) -> dict[Place, Tally]:
        """Give an account's days that have any, both ends included."""
        return await self._store.tallies.between(account, first, last)

    async def _places(self, account: int, messages: Collection[int]) -> Mapping[int, Place]:
        known = self._recent.of(messages)
        unknown = [number for number in messages if number not in known]
        if unknown:
            for number, (channel, at) in (await self._store.messages.origins(unknown)).items():
                known[number] = Place(account, day_of(at), channel)
        return known

    async def _gain(self, number: int, moves: Sequence[Move]) -> Tally:
        """Give what steps changed about a push, which counts as a whole."""
        message = await self._store.messages.get(number)
        if message is None:
            return NOTHING
        return tally_of(message).plus(tally_of(message.before(moves)).times(-1))


class _Recent:
    """Where the latest messages are counted, so that their steps need not ask the store."""

    def __init__(self) -> None:
        self._young: dict[int, Place] = {}
        self._old: dict[int, Place] = {}

    def add(self, message: int, place: Place) -> None:
        if len(self._young) >= _REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[message] = place

    def of(self, messages: Iterable[int]) -> dict[int, Place]:
        young, old = self._young, self._old
        return {
            number: place
            for number in messages
            if (place := young.get(number) or old.get(number)) is not None
        }


def by_channel(tallies: Mapping[Place, Tally]) -> dict[Channel, Tally]:
    """Sum up over days."""
    return {
        channel: total(each for place, each in tallies.items() if place.channel is channel)
        for channel in Channel
    }


def total(tallies: Iterable[Tally]) -> Tally:
    """Sum up."""
    summed = NOTHING
    for each in tallies:
        summed = summed.plus(each)
    return summed
