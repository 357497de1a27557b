"""What the domain announces; whoever is curious listens on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgine_sandbox.model.message import Message
from msgine_sandbox.model.webhook import Attempt


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    """A message is stored and will be delivered."""

    message: Message


@dataclass(frozen=True, slots=True)
class StatusesChanged:
    """Deliveries of these messages of an account took a step, in this order."""

    account: int
    messages: Sequence[int]


@dataclass(frozen=True, slots=True)
class WebhookTried:
    """A webhook was sent, or could not be."""

    attempt: Attempt
