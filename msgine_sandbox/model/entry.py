"""A journal entry: one request of a client, its answer, and what was decided on the way."""

from collections.abc import Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.admission import Admission
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.warning import ClientWarning

Headers = Sequence[tuple[bytes, bytes]]

KEPT: Final = 16 * 1024
"""Bytes of a body that are kept."""


class Exchange(msgspec.Struct, frozen=True, array_like=True):
    """One side of it, as the bytes that went over the wire."""

    headers: Headers
    body: bytes
    truncated: bool = False


class Decisions(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the door decided, as far as the request came."""

    spelling: str | None = None
    """How the credential was written."""
    admission: Admission | None = None
    fault: str | None = None
    effect: RequestEffect | None = None
    key: str | None = None
    replayed: bool = False
    message: str | None = None
    """The message that was accepted."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One request of a client."""

    request_id: str
    account: int | None
    at: Instant
    method: str
    path: str
    query: str
    status: int | None
    """None when no answer came out."""
    code: str | None
    """The error's."""
    duration_ms: float
    replayed: bool
    repeats: int | None
    """The status of the failure that this request repeats."""
    warnings: tuple[ClientWarning, ...]
    request: Exchange
    response: Exchange | None
    decisions: Decisions


def exchange(headers: Headers, body: bytes) -> Exchange:
    """Give one side of a request, with as much of the body as is kept."""
    return Exchange(headers, body[:KEPT], len(body) > KEPT)
