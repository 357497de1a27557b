"""A webhook as it came in."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgine_sandbox.webhooks.signature import PREFIX, key_of, signature

_SECRET_BYTES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One webhook; headers are by their names in small letters."""

    event: str
    message_id: str
    to: str
    status: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    content: Any = field(repr=False)
    """The body as JSON; None where it is none."""
    verified: bool | None
    """Whether the signature fits the receiver's secret; None where it is not signed."""

    @property
    def id(self) -> str:
        """What `webhook-id` says: the same on every try; empty where it is not signed."""
        return self.headers.get("webhook-id", "")


def received(headers: Mapping[str, str], body: bytes, secret: str) -> Received:
    """Read a webhook, and verify its signature."""
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    said = content if isinstance(content, dict) else {}
    return Received(
        event=str(said.get("event", "")),
        message_id=str(said.get("messageId", "")),
        to=str(said.get("to", "")),
        status=str(said.get("status", "")),
        headers=headers,
        body=body,
        content=content,
        verified=_verified(headers, body, secret),
    )


def fresh_secret() -> str:
    """Give a secret as Standard Webhooks has them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _verified(headers: Mapping[str, str], body: bytes, secret: str) -> bool | None:
    signed = headers.get("webhook-signature")
    if signed is None:
        return None
    try:
        time = int(headers["webhook-timestamp"])
    except (LookupError, ValueError):
        return False
    right = signature(key_of(secret), headers.get("webhook-id", ""), time, body)
    return any(secrets.compare_digest(each, right) for each in signed.split())
