"""What the domain announces; whoever is curious listens on the bus."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgine_sandbox.model.entry import Entry
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.webhook import Attempt


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    """A message is stored and will be delivered."""

    message: Message

    @property
    def account(self) -> int:
        """Whose message it is."""
        return self.message.account

    @property
    def messages(self) -> Sequence[int]:
        """Its number."""
        return (self.message.id,)


@dataclass(frozen=True, slots=True)
class StatusesChanged:
    """Deliveries of these messages of an account took a step, in this order."""

    account: int
    moves: Sequence[Move]

    @property
    def messages(self) -> Sequence[int]:
        """Their numbers."""
        return [move.message for move in self.moves]


@dataclass(frozen=True, slots=True)
class Stopping:
    """The sandbox is told to stop; nobody should wait for anything more."""


@dataclass(frozen=True, slots=True)
class WebhookTried:
    """A webhook was sent, or could not be."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request of the API has its answer, or lost it."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class RequestWarned:
    """What a request brought about gave it one more warning."""

    entry: Entry
