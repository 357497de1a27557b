"""Timelines: the statuses of a message's deliveries over time, those to come included.

They are planned when the message is accepted, and stored with it. What is seen is the part up to
the account's time. An account's clock never goes back, so nothing that was seen changes.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from msgine_sandbox.model.channel import TRAITS
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.message import NEXT, Delivery, Recipient, Status, StatusChange, summary

_SETTLED_AT_ACCEPTANCE: Final = {
    str(channel) for channel, traits in TRAITS.items() if traits.settled_at_acceptance
}
_KEPT: Final = 4096
"""Texts that are kept parsed: most messages have one of a few."""


class PlannedStatus(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A status that a delivery has, or will have."""

    status: Status
    after: int
    """Microseconds from acceptance."""
    reason: str | None = None


Timeline = tuple[PlannedStatus, ...]
"""The statuses of one delivery in order, from that at acceptance on."""

_decode = msgspec.json.Decoder(tuple[Timeline, ...]).decode
_encode = msgspec.json.Encoder().encode


class Timelines(msgspec.Struct, frozen=True):
    """The timeline of each of a message's deliveries, in the order of its recipients."""

    created_at: Instant
    known: int
    """How many statuses of each the answer to the request has: they begin with the message."""
    each: Sequence[Timeline]

    @property
    def ends_at(self) -> Instant:
        """When the last status begins: from then on the message does not change by itself."""
        return self.created_at + max([timeline[-1].after for timeline in self.each])

    @property
    def end_status(self) -> Status:
        """The status of the message from `ends_at` on."""
        return summary([timeline[-1].status for timeline in self.each])

    def statuses_at(self, now: Instant) -> list[Status]:
        """Return the status of each delivery at an instant."""
        elapsed = now - self.created_at
        return [self._begun(timeline, elapsed)[-1].status for timeline in self.each]

    def deliveries_at(self, recipients: Iterable[Recipient], now: Instant) -> tuple[Delivery, ...]:
        """Return the deliveries as they are at an instant."""
        elapsed = now - self.created_at
        # Most messages have one timeline for all recipients, of which there can be a hundred.
        seen: dict[int, tuple[Status, tuple[tuple[Status, Instant], ...], str | None]] = {}
        deliveries = []
        for recipient, timeline in zip(recipients, self.each, strict=True):
            if id(timeline) not in seen:
                begun = self._begun(timeline, elapsed)
                history = tuple([(one.status, self.created_at + one.after) for one in begun])
                seen[id(timeline)] = (begun[-1].status, history, begun[-1].reason)
            status, history, reason = seen[id(timeline)]
            deliveries.append(
                Delivery(recipient=recipient, status=status, history=history, reason=reason)
            )
        return tuple(deliveries)

    def instants(self) -> set[Instant]:
        """Return when statuses begin that the answer to the request does not have."""
        known = self.known
        return {self.created_at + one.after for timeline in self.each for one in timeline[known:]}

    def changes(self, message: int, at: Instant, first: int = 0) -> list[StatusChange]:
        """Return the changes of an instant, in the order of the recipients from a position on.

        Those that the answer to the request has are left out.
        """
        elapsed = at - self.created_at
        return [
            StatusChange(message, position, one.status, at, one.reason)
            for position in range(first, len(self.each))
            for one in self.each[position][self.known :]
            if one.after == elapsed
        ]

    def all_changes(self, message: int) -> list[StatusChange]:
        """Return every status as a change, in the order of the recipients."""
        return [
            StatusChange(message, position, one.status, self.created_at + one.after, one.reason)
            for position, timeline in enumerate(self.each)
            for one in timeline
        ]

    def at_acceptance(self) -> "Timelines":
        """Return what the answer to the request has of them."""
        known = self.known
        return Timelines(self.created_at, known, [timeline[:known] for timeline in self.each])

    def count(self, after: Instant, until: Instant) -> int:
        """Return how many changes there are after an instant, up to another one."""
        low, high = after - self.created_at, until - self.created_at
        return sum([low < one.after <= high for timeline in self.each for one in timeline[1:]])

    def until(self, now: Instant) -> "Timelines":
        """Return the timelines without what is to come after an instant."""
        elapsed = now - self.created_at
        return Timelines(
            self.created_at, self.known, [self._begun(timeline, elapsed) for timeline in self.each]
        )

    def with_changes(self, changes: Iterable[StatusChange], now: Instant) -> "Timelines":
        """Return the timelines with changes, and what these leave possible of what was to come.

        A change that the lifecycle forbids has no effect.
        """
        elapsed = now - self.created_at
        begun = [list(self._begun(timeline, elapsed)) for timeline in self.each]
        to_come = [timeline[len(it) :] for timeline, it in zip(self.each, begun, strict=True)]
        for change in changes:
            planned = PlannedStatus(change.status, change.at - self.created_at, change.reason)
            _add(begun[change.position], planned)
        for timeline, later in zip(begun, to_come, strict=True):
            for planned in later:
                _add(timeline, planned)
        return Timelines(self.created_at, self.known, list(map(tuple, begun)))

    def to_text(self) -> str:
        """Return the form in which they are stored."""
        first, *others = self.each
        return _text((first,) if all(one == first for one in others) else tuple(self.each))

    def _begun(self, timeline: Timeline, elapsed: int) -> Timeline:
        """Return the part of a timeline that has begun so long after acceptance."""
        if timeline[-1].after <= elapsed:
            return timeline
        known = self.known
        return (*timeline[:known], *[one for one in timeline[known:] if one.after <= elapsed])


def known_at_acceptance(channel: str, scheduled_at: Instant | None) -> int:
    """Return how many statuses of each delivery the answer to the request has already."""
    return 2 if scheduled_at is None and channel in _SETTLED_AT_ACCEPTANCE else 1


def timelines_of(created_at: Instant, known: int, text: str, recipients: int) -> Timelines:
    """Return what `Timelines.to_text` has written, for so many recipients."""
    each = _parsed(text)
    return Timelines(created_at, known, each if len(each) == recipients else each * recipients)


@lru_cache(_KEPT)
def _text(timelines: tuple[Timeline, ...]) -> str:
    return _encode(timelines).decode()


@lru_cache(_KEPT)
def _parsed(text: str) -> tuple[Timeline, ...]:
    return _decode(text)


def _add(begun: list[PlannedStatus], planned: PlannedStatus) -> None:
    if planned.status in NEXT[begun[-1].status]:
        begun.append(planned)
