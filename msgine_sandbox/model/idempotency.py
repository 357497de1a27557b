"""Idempotency keys: their form, how long one is valid, and the answer that is stored for it."""

import re
from typing import Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.characters import REFUSED_CHARACTERS, is_one_line
from msgine_sandbox.model.clock import DAY, Instant
from msgine_sandbox.model.errors import InvalidRequest

HEADER: Final = "Idempotency-Key"
FIELD: Final = "idempotencyKey"
"""The member of a send's body in the Developers API that has the key. Source: seen in SDKs."""
SENDS_WITH_FIELD: Final = frozenset(f"/developers/{channel}" for channel in Channel)
"""The paths, below the base URL, whose bodies may carry a key."""
SENDS: Final = SENDS_WITH_FIELD | {"/messages/sms"}
"""The paths of all calls that send: without a key, a retry of one may send twice."""
KEY_TTL: Final = DAY
"""How long a key is valid after its first use. Source: documented."""
MAX_LENGTH: Final = 255
"""Characters of a key in the header."""
MAX_LENGTH_IN_BODY: Final = 64
"""Characters of a key in the body, as code points of Unicode (our choice)."""

_IN_HEADER: Final = re.compile(r"[\x21-\x7e]+")


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The first answer to a key, and a digest of the request that it answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    status: int
    body: bytes


def checked_header(key: str) -> str:
    """Return the key that a header has.

    Raises:
        InvalidRequest: it is not 1 to 255 printable ASCII characters without spaces (our choice).
    """
    if len(key) <= MAX_LENGTH and _IN_HEADER.fullmatch(key):
        return key
    expected = f"1 to {MAX_LENGTH} printable ASCII characters without spaces"
    raise _invalid(HEADER, key, expected)


def checked_field(key: object) -> str:
    """Return the key that a body has.

    In JSON nothing around the key could be taken for a part of it, so all characters of a line are
    allowed, spaces included: SDKs pass on what their users write, and ask for a length only.

    Raises:
        InvalidRequest: it is not 1 to 64 characters of one line.
    """
    if isinstance(key, str) and 1 <= len(key) <= MAX_LENGTH_IN_BODY and is_one_line(key):
        return key
    raise _invalid(
        FIELD, key, f"1 to {MAX_LENGTH_IN_BODY} characters, without {REFUSED_CHARACTERS}"
    )


def _invalid(field: str, key: object, expected: str) -> InvalidRequest:
    return InvalidRequest(
        "The idempotency key is invalid", field=field, value=key, expected=expected
    )
