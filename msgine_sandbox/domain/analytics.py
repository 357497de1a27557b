"""Analytics: what became of an account's messages, day by day, without counting them anew."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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


def day_of(instant: Instant) -> Day:
    """Give the day of an instant, in UTC. Source: our choice."""
    return instant // DAY


class Analytics:
    """Adds to the day on which a message was accepted, with everything that becomes of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def accepted(self, message: Message) -> None:
        """Count a new message; inside the unit that stores it."""
        place = Place(message.account, day_of(message.created_at), message.channel)
        await self._store.tallies.add({place: tally_of(message)})

    async def moved(self, account: int, moves: Sequence[Move]) -> None:
        """Count steps that were taken; inside the unit that takes them."""
        origins = await self._store.messages.origins({move.message for move in moves})
        sums: defaultdict[Place, Tally] = defaultdict(lambda: NOTHING)
        pushes: defaultdict[int, list[Move]] = defaultdict(list)
        for move in moves:
            channel, accepted = origins[move.message]
            if channel is Channel.PUSH:
                pushes[move.message].append(move)
            elif move.status in _STEPS:
                place = Place(account, day_of(accepted), channel)
                sums[place] = sums[place].plus(_STEPS[move.status])
        for number, its_moves in pushes.items():
            place = Place(account, day_of(origins[number][1]), Channel.PUSH)
            sums[place] = sums[place].plus(await self._gain(number, its_moves))
        await self._store.tallies.add(sums)

    async def between(self, account: int, first: Day, last: Day) -> dict[Place, Tally]:
        """Give an account's days that have any, both ends included."""
        return await self._store.tallies.between(account, first, last)

    async def _gain(self, number: int, moves: Sequence[Move]) -> Tally:
        """Give what steps changed about a push, which counts as a whole."""
        message = await self._store.messages.get(number)
        if message is None:
            return NOTHING
        return tally_of(message).plus(tally_of(message.before(moves)), times=-1)


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
