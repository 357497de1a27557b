"""Webhooks: the endpoints that subscribe, the events to send them, the attempts to do so."""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import format_id

EVENT_PREFIX: Final = "evt"
ATTEMPT_PREFIX: Final = "att"
MAX_URL: Final = 2048
_KEPT: Final = 128
"""URLs of which it is remembered whether they are valid: most webhooks go to a few."""


class EventType(StrEnum):
    """What a webhook can report. Source: documented elsewhere."""

    SENT = "message.sent"
    DELIVERED = "message.delivered"
    FAILED = "message.failed"


EVENT_OF: Final[Mapping[Status, EventType]] = {
    Status.SENT: EventType.SENT,
    Status.DELIVERED: EventType.DELIVERED,
    Status.FAILED: EventType.FAILED,
}


class Endpoint(msgspec.Struct, frozen=True):
    """A URL of the account, the events it subscribes to, and the secrets that sign them."""

    url: str
    events: tuple[EventType, ...] = tuple(EventType)
    secret: str | None = None
    previous_secret: str | None = None
    """It signs as well, while receivers change from it to `secret`."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that sign; none without `secret`."""
        return tuple(each for each in (self.secret, self.previous_secret) if each is not None)


class WebhookMode(StrEnum):
    """How an event is sent: without a fault, or with which one."""

    PLAIN = "plain"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    WRONG_SIGNATURE = "wrong-signature"
    LOSE = "lose"
    DELAY = "delay"


class EventState(StrEnum):
    """The state of an event."""

    HELD = "held"
    """Held back by a fault until its delivery has ended."""
    DUE = "due"
    """To be sent: for the first time, or again after attempts that failed."""
    SUCCEEDED_ONCE = "succeeded_once"
    """Accepted by the receiver, and to be sent once more, because of a fault."""
    DONE = "done"
    GIVEN_UP = "given_up"
    """Failed, and not tried again."""


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one delivery, for one URL; every attempt carries its identifier."""

    id: int
    account: int
    message: int
    position: int
    event: EventType
    url: str
    at: Instant
    """When the status changed, on the account's clock."""
    mode: WebhookMode = WebhookMode.PLAIN
    tries: int = 0
    """Attempts so far that were planned: those that a call asked for do not count."""
    state: EventState = EventState.DUE

    @property
    def public_id(self) -> str:
        """The `webhook-id` of every attempt."""
        return format_id(EVENT_PREFIX, self.id)


class AttemptHttp(msgspec.Struct, frozen=True, kw_only=True):
    """The request or the response of an attempt, as kept for the developer to read."""

    headers: Mapping[str, str]
    body: str


class AttemptOutcome(StrEnum):
    """What came of an attempt, as metrics count it."""

    SUCCEEDED = "succeeded"
    ERROR_STATUS = "error_status"
    """The receiver answered with another status than 2xx."""
    NO_RESPONSE = "no_response"
    """There was no complete response in time."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to send an event, and its result."""

    id: int
    account: int
    webhook_event: int
    message: int
    event: EventType
    url: str
    number: int
    """From 1, among all attempts of its event."""
    at: Instant
    status: int | None
    duration_ms: float
    error: str | None
    request: AttemptHttp
    response: AttemptHttp | None

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses."""
        return format_id(ATTEMPT_PREFIX, self.id)

    @property
    def succeeded(self) -> bool:
        """Whether the receiver answered in time with a 2xx. Source: our choice."""
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> AttemptOutcome:
        """What came of it."""
        if self.succeeded:
            return AttemptOutcome.SUCCEEDED
        is_answer = self.error is None and self.status is not None
        return AttemptOutcome.ERROR_STATUS if is_answer else AttemptOutcome.NO_RESPONSE


def checked_url(url: str, field: str) -> str:
    """Return the text as an http or https URL.

    Raises:
        InvalidRequest: it is not one (our choice).
    """
    # The length first, so that nothing long is kept in the cache.
    problem = f"at most {MAX_URL} characters" if len(url) > MAX_URL else _problem(url)
    if problem is None:
        return url
    raise InvalidRequest(f"{field} must be {problem}", field=field, value=url, expected=problem)


@lru_cache(_KEPT)
def _problem(url: str) -> str | None:
    """Return what the text should be, or None if it is an http or https URL."""
    if not url.isprintable() or " " in url:
        return "a URL without spaces or control characters"
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not one
    except ValueError:
        return "a valid URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "an http or https URL with a host"
    if "@" in parts.netloc:
        return "a URL without user and password"
    return None
