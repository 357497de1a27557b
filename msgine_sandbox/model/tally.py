"""What became of messages, in numbers that can be added up."""

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message

_WAITING = frozenset({Status.QUEUED, Status.PENDING})


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Recipients of SMS and emails, or whole pushes; the cost is in millionths.

    Of an SMS or an email each recipient counts: as sent once its copy has left, and then as
    delivered or failed besides. A push counts once, when it has left or failed for every
    recipient: as sent, as failed, or as partial. Source: our choice, after the names.
    """

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    partial: int = 0
    cost: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Give the sum with another."""
        return Tally(
            sent=self.sent + other.sent,
            delivered=self.delivered + other.delivered,
            failed=self.failed + other.failed,
            partial=self.partial + other.partial,
            cost=self.cost + other.cost,
        )

    def times(self, count: int) -> "Tally":
        """Give it so many times over."""
        return Tally(
            sent=self.sent * count,
            delivered=self.delivered * count,
            failed=self.failed * count,
            partial=self.partial * count,
            cost=self.cost * count,
        )


NOTHING = Tally()


def tally_of(message: Message) -> Tally:
    """Count a message as it stands."""
    statuses = [delivery.status for delivery in message.deliveries]
    cost = message.developer_cost.micros
    if _WAITING.issuperset(statuses):
        return Tally(cost=cost)
    if message.channel is Channel.PUSH:
        return _of_push(statuses, cost)
    return Tally(
        sent=sum(delivery.sent_at is not None for delivery in message.deliveries),
        delivered=statuses.count(Status.DELIVERED),
        failed=statuses.count(Status.FAILED),
        cost=cost,
    )


def _of_push(statuses: list[Status], cost: int) -> Tally:
    if not _WAITING.isdisjoint(statuses):
        return Tally(cost=cost)
    failed = statuses.count(Status.FAILED)
    if failed == len(statuses):
        return Tally(failed=1, cost=cost)
    return Tally(partial=1, cost=cost) if failed else Tally(sent=1, cost=cost)
