"""The nouns of webhooks: endpoints that listen, notices to give them, attempts to do so."""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.lifecycle import Status

MAX_URL = 2048


class Event(StrEnum):
    """What a webhook can tell. Source: documented elsewhere."""

    SENT = "message.sent"
    DELIVERED = "message.delivered"
    FAILED = "message.failed"


EVENT_OF: Mapping[Status, Event] = {
    Status.SENT: Event.SENT,
    Status.DELIVERED: Event.DELIVERED,
    Status.FAILED: Event.FAILED,
}


class Endpoint(msgspec.Struct, frozen=True):
    """A URL of the account, the events it wants, and the secret its webhooks are signed with."""

    url: str
    events: tuple[Event, ...] = tuple(Event)
    secret: str | None = None


class Telling(StrEnum):
    """How a webhook tells of its event: as it should, or as it does when something goes wrong."""

    PLAIN = "plain"
    TWICE = "duplicate"
    BACKWARDS = "reorder"
    FORGED = "wrong-signature"
    LOST = "lose"
    LATE = "delay"


class NoticeState(StrEnum):
    """How far a notice has come."""

    HELD = "held"
    """Held back until its delivery has ended."""
    DUE = "due"
    HEARD_ONCE = "succeeded_once"
    """Received, and to be sent once more on purpose."""
    DONE = "done"
    GIVEN_UP = "given_up"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one delivery that one URL is to hear of; every try carries its identifier."""

    id: int
    account: int
    message: int
    position: int
    event: Event
    url: str
    at: Instant
    telling: Telling = msgspec.field(default=Telling.PLAIN, name="mode")
    tries: int = 0
    state: NoticeState = NoticeState.DUE

    @property
    def public_id(self) -> str:
        """The `webhook-id` of every try."""
        return written("evt", self.id)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an HTTP exchange, as kept for the developer to read."""

    headers: Mapping[str, str]
    body: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to give a notice, and what came of it."""

    id: int
    account: int
    notice: int = msgspec.field(name="webhook_event")
    message: int
    event: Event
    url: str
    number: int
    at: Instant
    status: int | None
    duration_ms: float
    error: str | None
    request: Exchange
    response: Exchange | None

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses."""
        return written("att", self.id)

    @property
    def heard(self) -> bool:
        """Whether the receiver took it: a 2xx in time. Source: our choice."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


def checked_url(url: str, field: str) -> str:
    """Give a text back that is an http or https URL.

    Raises:
        InvalidRequest: it is none (our choice).
    """
    problem = webhook_problem(url)
    if problem is None:
        return url
    raise InvalidRequest(
        f"{field} must be an http or https URL", field=field, value=url, expected=problem
    )


def webhook_problem(url: str) -> str | None:
    """Say why a text is no http or https URL, or None when it is one."""
    if len(url) > MAX_URL:
        return f"at most {MAX_URL} characters"
    if not url.isprintable() or " " in url:
        return "a URL without spaces or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "a valid URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "an http or https URL with a host"
    if "@" in parts.netloc:
        return "a URL without user and password"
    return None
