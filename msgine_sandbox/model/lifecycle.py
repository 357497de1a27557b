"""What can become of a message: one table, and the rule that sums recipients up."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where a delivery stands. Source: documented elsewhere; `queued`: seen in SDKs."""

    QUEUED = "queued"
    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


NEXT: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.PENDING}),
    Status.PENDING: frozenset({Status.SENT, Status.FAILED}),
    Status.SENT: frozenset({Status.DELIVERED, Status.FAILED}),
    Status.DELIVERED: frozenset(),
    Status.FAILED: frozenset(),
}


def summary(statuses: Collection[Status]) -> Status:
    """Give the status of a message from those of its recipients. Source: our choice."""
    kinds = set(statuses)
    if len(kinds) == 1:
        return kinds.pop()
    if kinds <= {Status.DELIVERED, Status.FAILED}:
        return Status.DELIVERED
    if kinds <= {Status.SENT, Status.DELIVERED, Status.FAILED}:
        return Status.SENT
    return Status.PENDING
