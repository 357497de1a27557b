"""Idempotency keys: their form, how long one is valid, and the answer that is stored for it."""

import re
from typing import Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import DAY, Instant
from msgine_sandbox.model.errors import InvalidRequest

HEADER: Final = "Idempotency-Key"
FIELD: Final = "idempotencyKey"
"""The member of a send's body in the Developers API that has the key. Source: seen in SDKs."""
SENDS_WITH_FIELD: Final = frozenset(f"/developers/{channel}" for channel in Channel)
"""The paths, below the base URL, whose bodies may carry a key."""
KEY_TTL: Final = DAY
"""How long a key is valid after its first use. Source: documented."""
MAX_LENGTH: Final = 255
"""Characters of a key in the header."""
MAX_LENGTH_IN_BODY: Final = 64

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The first answer to a key, and a digest of the request that it answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    status: int
    body: bytes


def checked_key(key: object, field: str, longest: int) -> str:
    """Return a key.

    Raises:
        InvalidRequest: it is not 1 to `longest` printable ASCII characters without spaces.
    """
    if isinstance(key, str) and len(key) <= longest and _PRINTABLE.fullmatch(key):
        return key
    expected = f"1 to {longest} printable ASCII characters without spaces"
    raise InvalidRequest(
        "The idempotency key is invalid", field=field, value=key, expected=expected
    )
