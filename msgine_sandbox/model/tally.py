"""Tallies: numbers of messages by status, and their cost, which can be added up."""

from collections.abc import Iterable
from operator import add

import msgspec
from msgspec.structs import astuple

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.message import Message, Status

_NOT_SENT_YET = frozenset({Status.QUEUED, Status.PENDING})


class Tally(msgspec.Struct, frozen=True):
    """Recipients of SMS and emails, or whole pushes; the cost is in millionths.

    Of an SMS or an email each recipient counts: as sent once the carrier has it, and later also as
    delivered or failed. A push counts once, when it has been sent or has failed for every
    recipient: as sent, as failed, or as partial. Source: our choice, after the names.
    """

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    partial: int = 0
    cost: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Return the sum of both."""
        return Tally(*map(add, astuple(self), astuple(other)))

    def times(self, count: int) -> "Tally":
        """Return the tally multiplied by a whole number, which may be negative."""
        return Tally(*(each * count for each in astuple(self)))


NOTHING = Tally()


def total(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of all."""
    summed = NOTHING
    for each in tallies:
        summed = summed.plus(each)
    return summed


def tally_of(message: Message) -> Tally:
    """Return what a message counts as, with the statuses that it has now."""
    statuses = [delivery.status for delivery in message.deliveries]
    cost = message.developer_cost.micros
    if _NOT_SENT_YET.issuperset(statuses):
        return Tally(cost=cost)
    if message.channel is Channel.PUSH:
        return _push_tally(statuses, cost)
    return Tally(
        sent=sum(delivery.sent_at is not None for delivery in message.deliveries),
        delivered=statuses.count(Status.DELIVERED),
        failed=statuses.count(Status.FAILED),
        cost=cost,
    )


def _push_tally(statuses: list[Status], cost: int) -> Tally:
    if not _NOT_SENT_YET.isdisjoint(statuses):
        return Tally(cost=cost)
    failed = statuses.count(Status.FAILED)
    if failed == len(statuses):
        return Tally(failed=1, cost=cost)
    return Tally(partial=1, cost=cost) if failed else Tally(sent=1, cost=cost)
