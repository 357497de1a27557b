"""What the domain announces; whoever is curious listens on the bus."""

from dataclasses import dataclass

from msgine_sandbox.model.message import Message
from msgine_sandbox.model.webhook import Attempt


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    """A message is stored and will be delivered."""

    message: Message


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A delivery of this message took a step."""

    account: int
    message: int


@dataclass(frozen=True, slots=True)
class WebhookTried:
    """A webhook was sent, or could not be."""

    attempt: Attempt
