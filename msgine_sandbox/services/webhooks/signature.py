"""Signatures as in the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body.

Apart from the rest because the Python client verifies with it, which imports nothing else.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from hashlib import sha256

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key of a secret.

    Raises:
        ValueError: what follows an optional `whsec_` is not base64, or is empty.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if not key:
        raise ValueError("the secret is empty")
    return key


def signature(key: bytes, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of `webhook-signature`; the timestamp is in Unix seconds."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode()


def is_signed_with(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether one of the signatures of a webhook was made with a secret."""
    expected = signature(
        key_of(secret), headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    return expected in headers["webhook-signature"].split(" ")


def wrong_key(key: bytes) -> bytes:
    """Return a key that differs from the given one for certain."""
    return sha256(key).digest()
