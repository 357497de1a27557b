"""Deliveries: their lifecycle, and their timelines, which have what is still to come, too.

The timelines of a message are planned when it is accepted, and stored with it. What is seen is the
part up to the account's time. An account's clock never goes back, so nothing that was seen changes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.channel import TRAITS
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.magic import Outcome

_SETTLED_AT_ACCEPTANCE: Final = {
    str(channel) for channel, traits in TRAITS.items() if traits.settled_at_acceptance
}
_KEPT: Final = 4096
"""Timelines that are kept in their stored form: most messages share a few."""

Recipient = str
"""A phone number, an email address, or what a push goes to, after it has been checked."""


class Status(StrEnum):
    """The status of a delivery. Source: documented elsewhere; of `queued`: seen in SDKs."""

    QUEUED = "queued"
    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


NEXT: Final[Mapping[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.PENDING}),
    Status.PENDING: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.FAILED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset(),
}
"""The lifecycle: the statuses that may follow each; after a final one, none."""
# Every webhook needs it, and Python 3.11 is slow to find the members of an enum.
_FAILED: Final = Status.FAILED


def summary(statuses: Collection[Status]) -> Status:
    """Return the status of a message whose deliveries have these. Source: our choice."""
    kinds = set(statuses)
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {Status.DELIVERED, Status.FAILED}:
        return Status.DELIVERED
    if kinds <= {Status.SENT, Status.DELIVERED, Status.FAILED}:
        return Status.SENT
    return Status.PENDING


class StatusChange(msgspec.Struct, frozen=True):
    """A change of a delivery's status; the position is that of the recipient in its message."""

    message: int
    position: int
    status: Status
    at: Instant
    reason: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    """One recipient's copy of a message."""

    recipient: Recipient
    status: Status
    history: tuple[tuple[Status, Instant], ...]
    reason: str | None = None
    """Why it failed, in words."""
    rule: str | None = None
    """What decided how it proceeds: the id of a fault, or the name of a magic recipient."""

    def status_at(self, at: Instant) -> Status:
        """Return the status that it had at a time, after all changes of that time."""
        first, _ = self.history[0]
        return next((status for status, since in reversed(self.history) if since <= at), first)


class PlannedStatus(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A status that a delivery has, or will have."""

    status: Status
    after: int
    """Microseconds from acceptance."""
    why: str | None = None
    """Of `failed` the reason, of `pending` the rule: in one field, which every message stores."""

    @property
    def reason(self) -> str | None:
        """Why the delivery failed, in words."""
        return self.why if self.status is _FAILED else None

    @property
    def rule(self) -> str | None:
        """What decides how the delivery proceeds from here on; None is nothing in particular."""
        return self.why if self.status is Status.PENDING else None


Timeline = tuple[PlannedStatus, ...]
"""The statuses of one delivery in order, from that at acceptance on."""


class DeliveryDecision(msgspec.Struct, frozen=True, array_like=True):
    """What decided a delivery when its message was accepted, and how it ends."""

    recipient: Recipient
    rule: str
    outcome: Outcome


class StoredForm(msgspec.Struct, frozen=True):
    """What is stored of a message's timelines, and what is computed of them once."""

    text: str
    """As JSON."""
    each: tuple[Timeline, ...]
    """One for each recipient, or a single one that all have."""
    states: tuple[tuple[int, Status], ...]
    """The statuses of the message, the last one first, each with when it begins: microseconds from
    acceptance. The earliest is that of the answer to the request."""
    end_after: int
    """Microseconds from acceptance to the last status of a delivery."""
    end_status: Status
    """The status of the message from then on."""
    rules: tuple[str | None, ...]
    """What decides each of the timelines; empty where nothing in particular decides any."""


class Timelines(msgspec.Struct, frozen=True):
    """The timelines of a message's deliveries."""

    created_at: Instant
    known: int
    """How many statuses of each the answer to the request has: they begin with the message."""
    recipients: int
    form: StoredForm

    @property
    def each(self) -> Sequence[Timeline]:
        """The timeline of each delivery, in the order of the recipients."""
        each = self.form.each
        return each if len(each) == self.recipients else each * self.recipients

    @property
    def ends_at(self) -> Instant:
        """When the last status begins: from then on the message does not change by itself."""
        return self.created_at + self.form.end_after

    def state_at(self, now: Instant) -> tuple[Status, Instant]:
        """Return the status of the message at an instant, and when a delivery's changed last."""
        created_at = self.created_at
        elapsed = now - created_at
        for after, status in self.form.states:
            if after <= elapsed:
                return status, created_at + after
        # Asked for the time before acceptance, which stands for the answer to the request.
        after, status = self.form.states[-1]
        return status, created_at + after

    def status_at(self, now: Instant) -> Status:
        """Return the status of the message at an instant."""
        return self.state_at(now)[0]

    def statuses_at(self, now: Instant) -> list[Status]:
        """Return the status of each delivery at an instant."""
        return [latest.status for latest in self.latest_at(now)]

    def latest_at(self, now: Instant) -> list[PlannedStatus]:
        """Return the latest planned status of each delivery that has begun at an instant."""
        elapsed, known = now - self.created_at, self.known
        latest = [_latest(timeline, known, elapsed) for timeline in self.form.each]
        return latest if len(latest) == self.recipients else latest * self.recipients

    def sent_at(self, now: Instant) -> Instant | None:
        """Return when the first delivery was sent, up to an instant; None where none was."""
        sent = [
            self.created_at + one.after
            for timeline in self.form.each
            for one in self._begun(timeline, now)
            if one.status is Status.SENT
        ]
        return min(sent, default=None)

    def deliveries_at(self, recipients: Iterable[Recipient], now: Instant) -> tuple[Delivery, ...]:
        """Return the deliveries as they are at an instant."""
        seen = [(*self._seen(timeline, now), rule_of(timeline)) for timeline in self.form.each]
        if len(seen) == 1:
            return tuple([Delivery(recipient, *seen[0]) for recipient in recipients])
        both = zip(recipients, seen, strict=True)
        return tuple([Delivery(recipient, *each) for recipient, each in both])

    def instants(self) -> set[Instant]:
        """Return when statuses begin that the answer to the request does not have."""
        known = self.known
        return {
            self.created_at + one.after for timeline in self.form.each for one in timeline[known:]
        }

    def next_after(self, now: Instant) -> Instant | None:
        """Return when the first status after an instant begins; None where none is to come."""
        if self.ends_at <= now:
            return None
        elapsed, known = now - self.created_at, self.known
        each = self.form.each
        later = [one.after for timeline in each for one in timeline[known:] if one.after > elapsed]
        return self.created_at + min(later)

    def comes_to(
        self, status: Status, now: Instant, end: Instant, position: int | None = None
    ) -> bool:
        """Return whether a status begins after an instant, up to another one.

        It is that of the delivery at a position, or else that of the message, which has to be the
        summary of all deliveries at some instant.
        """
        later = [at for at in self.instants() if now < at <= end]
        if position is None:
            return status in map(self.status_at, later)
        return status in [self.statuses_at(at)[position] for at in later]

    def changes(self, message: int, at: Instant, first: int = 0) -> list[StatusChange]:
        """Return the changes of an instant, in the order of the recipients from a position on.

        Those that the answer to the request has are left out.
        """
        elapsed, each = at - self.created_at, self.each
        return [
            StatusChange(message, position, one.status, at, one.reason)
            for position in range(first, self.recipients)
            for one in each[position][self.known :]
            if one.after == elapsed
        ]

    def all_changes(self, message: int) -> list[StatusChange]:
        """Return every status as a change, in the order of the recipients."""
        return [
            StatusChange(message, position, one.status, self.created_at + one.after, one.reason)
            for position, timeline in enumerate(self.each)
            for one in timeline
        ]

    def decisions(self, recipients: Iterable[Recipient]) -> "list[DeliveryDecision]":
        """Return which deliveries a fault or a magic recipient has decided, and how they end."""
        if not self.form.rules:
            return []
        return [
            DeliveryDecision(recipient, rule, _outcome(timeline))
            for recipient, timeline in zip(recipients, self.each, strict=True)
            if (rule := rule_of(timeline)) is not None
        ]

    def count(self, after: Instant, until: Instant) -> int:
        """Return how many changes there are after an instant, up to another one."""
        low, high = after - self.created_at, until - self.created_at
        each = self.form.each
        count = sum([low < one.after <= high for timeline in each for one in timeline[1:]])
        return count if len(each) == self.recipients else count * self.recipients

    def until(self, now: Instant) -> "Timelines":
        """Return the timelines without what is to come after an instant."""
        begun = [self._begun(timeline, now) for timeline in self.form.each]
        return replace(self, form=_form(tuple(begun), self.known))

    def with_changes(self, changes: Iterable[StatusChange], now: Instant) -> "Timelines":
        """Return the timelines with changes, and what these leave possible of what was to come.

        A change that the lifecycle forbids has no effect.
        """
        begun = [list(self._begun(timeline, now)) for timeline in self.each]
        to_come = [timeline[len(it) :] for timeline, it in zip(self.each, begun, strict=True)]
        for change in changes:
            planned = PlannedStatus(change.status, change.at - self.created_at, change.reason)
            _add(begun[change.position], planned)
        for timeline, later in zip(begun, to_come, strict=True):
            for planned in later:
                _add(timeline, planned)
        return planned_timelines(self.created_at, self.known, list(map(tuple, begun)))

    def _begun(self, timeline: Timeline, now: Instant) -> Timeline:
        """Return the part of a timeline that has begun at an instant."""
        elapsed, known = now - self.created_at, self.known
        if timeline[-1].after <= elapsed:
            return timeline
        return (*timeline[:known], *[one for one in timeline[known:] if one.after <= elapsed])

    def _seen(
        self, timeline: Timeline, now: Instant
    ) -> tuple[Status, tuple[tuple[Status, Instant], ...], str | None]:
        begun = self._begun(timeline, now)
        history = tuple([(one.status, self.created_at + one.after) for one in begun])
        return begun[-1].status, history, begun[-1].reason


def rule_of(timeline: Timeline) -> str | None:
    """Return what decides a delivery; None where nothing in particular does."""
    return next((one.rule for one in timeline if one.status is Status.PENDING), None)


def planned_timelines(created_at: Instant, known: int, each: Sequence[Timeline]) -> Timelines:
    """Return timelines, one for each recipient."""
    is_shared = each.count(each[0]) == len(each)
    form = _form((each[0],) if is_shared else tuple(each), known)
    return Timelines(created_at, known, len(each), form)


def stored_timelines(created_at: Instant, known: int, recipients: int, text: str) -> Timelines:
    """Return the timelines that have been stored as a text, for so many recipients."""
    return Timelines(created_at, known, recipients, _parsed(text, known))


def known_at_acceptance(channel: str, scheduled_at: Instant | None) -> int:
    """Return how many statuses of each delivery the answer to the request has already."""
    return 2 if scheduled_at is None and channel in _SETTLED_AT_ACCEPTANCE else 1


@lru_cache(_KEPT)
def _form(each: tuple[Timeline, ...], known: int) -> StoredForm:
    rules = tuple(map(rule_of, each))
    return StoredForm(
        _encode(each).decode(),
        each,
        _states(set(each), known),
        max([timeline[-1].after for timeline in each]),
        summary([timeline[-1].status for timeline in each]),
        rules if any(rules) else (),
    )


@lru_cache(_KEPT)
def _parsed(text: str, known: int) -> StoredForm:
    return _form(_decode(text), known)


def _states(timelines: Collection[Timeline], known: int) -> tuple[tuple[int, Status], ...]:
    """Return the statuses of a message whose deliveries have these timelines: see `StoredForm`."""
    known_ones = [_latest(timeline, known, -1) for timeline in timelines]
    later = {one.after for timeline in timelines for one in timeline[known:]}
    states = [
        (after, summary([_latest(timeline, known, after).status for timeline in timelines]))
        for after in sorted(later, reverse=True)
    ]
    first = max([one.after for one in known_ones]), summary([one.status for one in known_ones])
    return (*states, first)


def _latest(timeline: Timeline, known: int, elapsed: int) -> PlannedStatus:
    """Return the latest status of a timeline that has begun so long after acceptance."""
    for planned in reversed(timeline[known:]):
        if planned.after <= elapsed:
            return planned
    # It can be shorter than what is known at acceptance, of a push that stays pending.
    return timeline[:known][-1]


def _outcome(timeline: Timeline) -> Outcome:
    last = timeline[-1].status
    if last is Status.FAILED:
        was_sent = any(one.status is Status.SENT for one in timeline)
        return Outcome.FAILED if was_sent else Outcome.REFUSED
    return Outcome(last)


def _add(begun: list[PlannedStatus], planned: PlannedStatus) -> None:
    if planned.status in NEXT[begun[-1].status]:
        begun.append(planned)


_decode = msgspec.json.Decoder(tuple[Timeline, ...]).decode
_encode = msgspec.json.Encoder().encode
