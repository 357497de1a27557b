"""A journal entry: one request of a client, its response, and what was decided on the way."""

from collections.abc import Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.account import Admission
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.delivery import DeliveryDecision
from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.warning import ClientWarning

Headers = Sequence[tuple[bytes, bytes]]

PREFIX: Final = "req"

MAX_BODY: Final = 16 * 1024
"""Bytes that are kept of a body."""


class RecordedHttp(msgspec.Struct, frozen=True, array_like=True):
    """A request or a response, as the bytes that went over the wire."""

    headers: Headers
    body: bytes
    truncated: bool = False


_NOTHING: Final = RecordedHttp((), b"")


class Repeat(msgspec.Struct, frozen=True, array_like=True):
    """That a request repeats a failed one, and how long its client waited."""

    request_id: str
    """The failed request."""
    status: int | None
    """How it was answered; None if it was not."""
    asked: int | None
    """Seconds of its `Retry-After`."""
    waited: Instant
    """Microseconds: the longer of the account's time and real time.

    So a client that really sleeps has waited, although the account's clock is frozen.
    """
    message: str | None
    """The message that it was accepted as nevertheless."""

    @property
    def is_early(self) -> bool:
        """Whether the client did not wait as long as it was asked to."""
        return self.asked is not None and self.waited < self.asked * SECOND


class JournalEntry(msgspec.Struct, kw_only=True, array_like=True):
    """One request of a client; each step that it goes through writes here what it decides."""

    warnings: list[ClientWarning] = []
    """The first field, so that lists of messages need not unpack the others."""
    request_id: str
    account: int | None = None
    at: Instant
    """On the account's clock, once the account is known; real time before that."""
    method: str
    path: str
    query: str
    status: int | None = None
    """None when no response was sent."""
    code: str | None = None
    """The error's."""
    duration_ms: float = 0
    scheme: str | None = None
    """How the credential was sent."""
    admission: Admission | None = None
    """The decision of the rate limit; None where the request did not come so far."""
    fault: str | None = None
    """The fault that acted."""
    effect: RequestEffect | None = None
    magic: str | None = None
    """The magic recipient that the fault stands for, if it does."""
    key: str | None = None
    """The idempotency key."""
    replayed: bool = False
    """Whether the key had a stored answer, which a fault can have kept from the client."""
    message: str | None = None
    """The message that was accepted."""
    repeats: Repeat | None = None
    """The failed request that this one repeats."""
    deliveries: Sequence[DeliveryDecision] = ()
    """The deliveries of the message that a fault or a magic recipient has decided."""
    request: RecordedHttp = _NOTHING
    response: RecordedHttp | None = None


def recorded(headers: Headers, body: bytes) -> RecordedHttp:
    """Return a request or response with as much of its body as is kept."""
    return RecordedHttp(headers, body[:MAX_BODY], len(body) > MAX_BODY)
