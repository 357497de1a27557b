"""A message, and one delivery for each of its recipients."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.lifecycle import NEXT, Status, summary
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.parts import EmailParts, Parts
from msgine_sandbox.model.segments import Encoding

PREFIX: Final = "msg"

Recipient = str
"""A telephone number, an email address, or what a push goes to, after it has been checked."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How one recipient's copy is doing."""

    recipient: Recipient
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

    @property
    def sent_at(self) -> Instant | None:
        """When it left; None while it has not."""
        return next((at for status, at in self.history if status is Status.SENT), None)

    def moved(self, move: "Move") -> "Delivery":
        """Give it one step on."""
        history = (*self.history, (move.status, move.at))
        return replace(self, status=move.status, history=history, reason=move.reason)

    def earlier(self, steps: int) -> "Delivery":
        """Give it so many steps ago; why it failed is not known of then."""
        history = self.history[:-steps]
        return replace(self, status=history[-1][0], history=history, reason=None)


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
    channel: Channel
    sender: str
    text: str
    """What a person reads of it: of an email that is HTML alone, its text."""
    title: str | None = None
    """The subject of an email, the title of a push."""
    parts: Parts | None = None
    encoding: Encoding | None = None
    segments: int = 1
    price: Money
    """For one recipient and one segment, as the first generation tells it."""
    developer_price: Money
    """The same, as the second generation tells it."""
    callback_url: str | None = None
    request_id: str
    created_at: Instant
    scheduled_at: Instant | None = None
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
    def recipients(self) -> list[Recipient]:
        """Everybody whom it goes to, in the order given."""
        return [delivery.recipient for delivery in self.deliveries]

    @property
    def to(self) -> Sequence[Recipient]:
        """Whom it is addressed to openly: an email has others besides."""
        return self.parts.to if isinstance(self.parts, EmailParts) else self.recipients

    @property
    def content(self) -> str:
        """The text as its client sent it."""
        parts = self.parts
        if isinstance(parts, EmailParts) and parts.html_alone and parts.html is not None:
            return parts.html
        return self.text

    @property
    def status(self) -> Status:
        """What its recipients' statuses come to."""
        return summary([delivery.status for delivery in self.deliveries])

    @property
    def cost(self) -> Money:
        """Price × recipients × segments. Source: documented; the segments are our choice."""
        return self.price.times(len(self.deliveries) * self.segments)

    @property
    def developer_cost(self) -> Money:
        """The same in the second generation. Source: documented elsewhere; segments: our choice."""
        return self.developer_price.times(len(self.deliveries) * self.segments)

    @property
    def updated_at(self) -> Instant:
        """When anything about it changed last."""
        return max([delivery.at for delivery in self.deliveries])

    @property
    def sent_at(self) -> Instant | None:
        """When the first of its recipients' copies left; None while none has."""
        return min((at for d in self.deliveries if (at := d.sent_at) is not None), default=None)

    def moved(self, moves: Sequence[Move]) -> "Message":
        """Give the message with steps that its deliveries take."""
        deliveries = list(self.deliveries)
        for move in moves:
            deliveries[move.position] = deliveries[move.position].moved(move)
        return replace(self, deliveries=tuple(deliveries))

    def before(self, moves: Sequence[Move]) -> "Message":
        """Give the message as it was before the latest steps that its deliveries took."""
        taken: defaultdict[int, int] = defaultdict(int)
        for move in moves:
            taken[move.position] += 1
        return replace(
            self,
            deliveries=tuple(
                delivery.earlier(taken[position]) if position in taken else delivery
                for position, delivery in enumerate(self.deliveries)
            ),
        )
