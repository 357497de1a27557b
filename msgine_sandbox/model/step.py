"""A step: what is to be done at a planned time, stored until it is performed."""

from enum import IntEnum
from typing import Final

import msgspec

from msgine_sandbox.model.clock import Instant

SEND: Final = "send"
"""The detail of the step with which a scheduled push is sent."""


class Lane(IntEnum):
    """Whether a step is about statuses, in this process only, or sends a webhook to a receiver."""

    STATUS = 0
    WEBHOOK = 1


class Step(msgspec.Struct, frozen=True, array_like=True):
    """What is to be done about a message, and when on its account's clock."""

    id: int
    account: int
    lane: Lane
    due: Instant
    message: int
    subject: int
    """For statuses the position of the first recipient, for a webhook the id of the event."""
    detail: str = ""
    """`SEND`; otherwise whoever listens is told of the statuses that begin when it is due."""

    @property
    def order(self) -> tuple[Instant, int]:
        """The key that sorts the steps of an account: by time, then as they were planned."""
        return (self.due, self.id)
