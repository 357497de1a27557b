"""A step: a planned change of a status or attempt at a webhook, stored until it is performed."""

from enum import IntEnum

import msgspec

from msgine_sandbox.model.clock import Instant


class Lane(IntEnum):
    """Whether a step changes a status, in the store only, or sends a webhook to a receiver."""

    STATUS = 0
    WEBHOOK = 1


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What is to happen to a message, and when on its account's clock."""

    id: int
    account: int
    lane: Lane
    due: Instant
    message: int
    subject: int
    """For a status the position of the recipient, for a webhook the id of the event."""
    detail: str = ""
    """For a status, it and its reason if it has one: `sent`, `failed The message bounced`."""

    @property
    def order(self) -> tuple[Instant, int]:
        """The key that sorts the steps of an account: by time, then as they were planned."""
        return (self.due, self.id)
