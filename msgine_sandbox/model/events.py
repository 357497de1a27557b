"""What the domain announces; whoever is curious listens on the bus."""

from collections.abc import Sequence

import msgspec

from msgine_sandbox.model.entry import Entry
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.webhook import Attempt


class MessageAccepted(msgspec.Struct, frozen=True):
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


class StatusesChanged(msgspec.Struct, frozen=True):
    """Deliveries of these messages of an account took a step, in this order."""

    account: int
    moves: Sequence[Move]

    @property
    def messages(self) -> Sequence[int]:
        """Their numbers."""
        return [move.message for move in self.moves]


class InboxEmptied(msgspec.Struct, frozen=True):
    """An account has no messages any more, nor what was to become of them."""

    account: int


class Stopping(msgspec.Struct, frozen=True):
    """The sandbox is told to stop; nobody should wait for anything more."""


class WebhookTried(msgspec.Struct, frozen=True):
    """A webhook was sent, or could not be."""

    attempt: Attempt


class RequestAnswered(msgspec.Struct, frozen=True):
    """A request of the API has its answer, or lost it."""

    entry: Entry


class RequestWarned(msgspec.Struct, frozen=True):
    """What a request brought about gave it one more warning."""

    entry: Entry
