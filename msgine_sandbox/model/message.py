"""A message, and one delivery for each of its recipients."""

from typing import Final

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.lifecycle import NEXT, Status, summary
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.phone import PhoneNumber
from msgine_sandbox.model.segments import Encoding

MAX_TEXT: Final = 1600
MAX_RECIPIENTS: Final = 100
PREFIX: Final = "msg"
SMS: Final = "sms"
"""A channel."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How one recipient's copy is doing."""

    recipient: PhoneNumber
    status: Status
    history: tuple[tuple[Status, Instant], ...]
    reason: str | None = None
    """Why it failed, in words."""

    def may_become(self, status: Status) -> bool:
        """Tell whether the lifecycle allows the step."""
        return status in NEXT[self.status]

    @property
    def at(self) -> Instant:
        """When it came to its present status."""
        return self.history[-1][1]


class Move(msgspec.Struct, frozen=True):
    """A delivery's step to another status."""

    message: int
    position: int
    status: Status
    at: Instant
    reason: str | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sent, as accepted."""

    id: int
    account: int
    channel: str
    sender: str
    text: str
    encoding: Encoding
    segments: int
    price: Money
    """For one recipient and one segment."""
    callback_url: str | None
    request_id: str
    created_at: Instant
    deliveries: tuple[Delivery, ...]

    @property
    def public_id(self) -> str:
        """The identifier that clients see. Source: documented."""
        return written(PREFIX, self.id)

    @property
    def sid(self) -> str:
        """The second identifier that clients see. Source: documented elsewhere."""
        return f"SM{self.id:016x}"

    @property
    def recipients(self) -> list[PhoneNumber]:
        """The numbers it goes to, in the order given."""
        return [delivery.recipient for delivery in self.deliveries]

    @property
    def status(self) -> Status:
        """What its recipients' statuses come to."""
        return summary([delivery.status for delivery in self.deliveries])

    @property
    def cost(self) -> Money:
        """Price × recipients × segments. Source: documented; the segments are our choice."""
        return self.price.times(len(self.deliveries) * self.segments)

    @property
    def updated_at(self) -> Instant:
        """When anything about it changed last."""
        return max([delivery.at for delivery in self.deliveries])
