"""How a client meets each documented behaviour, with magic recipients where there are some."""

from collections.abc import Mapping
from typing import Final

import msgspec

from msgine_sandbox.model.behaviour import (
    ALL,
    OF_DEVELOPERS,
    Behaviour,
    DeveloperBehaviour,
    webhook,
)
from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.webhook import EventType


class Way(msgspec.Struct, frozen=True):
    """A request that brings a behaviour about, below the base URL."""

    method: str
    path: str
    fields: Mapping[str, str] = {}
    """Of the body or the query, or of the path: those that matter; any others are as usual."""
    hint: str | None = None
    """What there is to do besides."""
    key: str | None = None
    """The Idempotency-Key."""


_RECEIVER: Final = "A receiver there has to answer it with 2xx."
_HOOKS: Final = {"callbackUrl": "http://localhost:3000/hooks"}


def _sms(hint: str | None = None, key: str | None = None, **fields: str) -> Way:
    return Way("POST", "/messages/sms", fields, hint, key)


def _read(hint: str | None = None, **fields: str) -> Way:
    return Way("GET", "/messages/{id}", fields, hint)


def _developers(method: str, path: str, hint: str | None = None, **fields: str) -> Way:
    return Way(method, f"/developers/{path}", fields, hint)


_WAYS: Final[Mapping[str, Way]] = {
    Behaviour.ACCEPTED: _sms(),
    Behaviour.READ: _read("With the id of a message that it has sent."),
    Behaviour.LISTED: Way("GET", "/messages"),
    Behaviour.LATER_PAGE: Way("GET", "/messages", {"page": "2", "limit": "1"}),
    Behaviour.SEVERAL_RECIPIENTS: _sms(to="+256701234567,+256752345678"),
    Behaviour.CALLBACK_URL: _sms(**_HOOKS),
    Behaviour.REPLAYED: _sms("Send it twice.", key="order-1042"),
    Behaviour.RETRIED: _sms(
        "Send it, wait as long as Retry-After says, send it again.", to="+256700004291"
    ),
    "400 invalid_phone_number": _sms(to="0701234567"),
    "400 invalid_message": _sms(message="x" * 1601),
    "400 invalid_sender_id": _sms(**{"from": "no spaces"}),
    "401 unauthorized": _sms(to="+256700004010"),
    "403 forbidden": _sms(to="+256700004030"),
    "404 not_found": _read(id="msg_0000000000000000"),
    "429 rate_limit_exceeded": _sms(to="+256700004290"),
    "500 internal_error": _sms(to="+256700005000"),
    "502 bad_gateway": _sms(to="+256700005020"),
    "503 service_unavailable": _sms(to="+256700005030"),
    webhook(EventType.SENT): _sms(_RECEIVER, **_HOOKS),
    webhook(EventType.DELIVERED): _sms(_RECEIVER, **_HOOKS),
    webhook(EventType.FAILED): _sms(_RECEIVER, to="+256700000001", **_HOOKS),
    TRAITS[Channel.EMAIL].accepted: _developers("POST", "email"),
    TRAITS[Channel.PUSH].accepted: _developers("POST", "push"),
    DeveloperBehaviour.PARTIAL: _developers("POST", "push", userIds="user-1042,sandbox-bounce"),
    DeveloperBehaviour.SCHEDULED: _developers("POST", "sms", scheduledFor="2099-01-01T06:00:00Z"),
    DeveloperBehaviour.REGISTERED: _developers("POST", "push/device"),
    DeveloperBehaviour.REMOVED: _developers("DELETE", "push/device", "Register it first."),
    DeveloperBehaviour.OVERVIEW: _developers("GET", "analytics/overview"),
    DeveloperBehaviour.DAILY: _developers("GET", "analytics/daily"),
}

WAYS: Final[Mapping[str, Way]] = {name: _WAYS[name] for name in (*ALL, *OF_DEVELOPERS)}
"""By the name of the behaviour, in the order of coverage: there is one for each."""
