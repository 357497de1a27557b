"""Announcements of what happened, to the services that listen for it, after it has been stored."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from msgine_sandbox.model.delivery import StatusChange
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import Attempt, WebhookMode

_log = logging.getLogger(__name__)

_Announcement = TypeVar("_Announcement")
Listener = Callable[[Any], None]


class MessageAccepted(msgspec.Struct, frozen=True):
    """A message is stored and will be delivered."""

    message: Message

    @property
    def account(self) -> int:
        """Whose message it is."""
        return self.message.account

    @property
    def messages(self) -> Sequence[int]:
        """Its id, in the form that `StatusesChanged` has."""
        return (self.message.id,)


class StatusesChanged(msgspec.Struct, frozen=True):
    """Deliveries of an account changed their status, in this order."""

    account: int
    changes: Sequence[StatusChange]

    @property
    def messages(self) -> Sequence[int]:
        """The ids of their messages."""
        return [change.message for change in self.changes]


class InboxEmptied(msgspec.Struct, frozen=True):
    """All messages of an account are deleted, and so is what was planned for them."""

    account: int
    until: int
    """The id of the newest of them: later ones arrived meanwhile, and are not deleted."""


class MessagesDeleted(msgspec.Struct, frozen=True):
    """Some messages of an account are deleted, and so is what was planned for them."""

    account: int
    messages: Sequence[int]


class WebhookAttempted(msgspec.Struct, frozen=True):
    """A webhook was sent, or could not be."""

    attempt: Attempt
    mode: WebhookMode
    """Of its event: whether a fault or a magic recipient acted on it, and which."""
    warnings: Sequence[ClientWarning]
    """About its receiver."""


class RequestAnswered(msgspec.Struct, frozen=True):
    """A request of the API was answered, or its connection was closed without a response."""

    entry: JournalEntry


class RequestWarned(msgspec.Struct, frozen=True):
    """A warning was added to the journal entry of an earlier request, such as about its webhook."""

    entry: JournalEntry


class ControlCalled(msgspec.Struct, frozen=True):
    """A control call that changes something succeeded."""

    account: int | None
    """Whose; None where it was about all accounts."""
    what: str
    """The first word of its path, such as `faults`."""


class Stopping(msgspec.Struct, frozen=True):
    """The sandbox stops; every wait and every stream should end."""


class Bus:
    """Announces events to listeners, in the order in which they subscribed."""

    def __init__(self) -> None:
        self.stopping = False
        """Whether the sandbox stops."""
        self._listeners: dict[type, tuple[Listener, ...]] = {}

    def announce(self, announcement: object) -> None:
        """Call the listeners for announcements of its type, none of which may block.

        What happened has been stored. So an exception of a listener is a defect that is logged: it
        fails neither the request that is announced nor the other listeners.
        """
        for listener in self._listeners.get(type(announcement), ()):
            try:
                listener(announcement)
            except Exception:
                _log.exception("A listener failed at %s", type(announcement).__name__)

    def stop(self) -> None:
        """Announce that the sandbox stops."""
        self.stopping = True
        self.announce(Stopping())

    def listen(self, kind: type[_Announcement], listener: Callable[[_Announcement], None]) -> None:
        """Call a listener with every announcement of a type from now on."""
        self._listeners[kind] = (*self._listeners.get(kind, ()), listener)

    def has_listener(self, kind: type) -> bool:
        """Return whether anybody listens for announcements of a type."""
        return bool(self._listeners.get(kind))

    def ignore(self, listener: Listener, *kinds: type) -> None:
        """Call a listener no more with announcements of these types."""
        # New tuples, because an announcement may be iterating over the present ones.
        for kind in kinds:
            known = self._listeners.get(kind, ())
            self._listeners[kind] = tuple(each for each in known if each != listener)
