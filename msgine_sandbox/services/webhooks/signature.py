"""Signatures as in the Standard Webhooks specification 1.0: HMAC-SHA256 over id, time and body.

Apart from the rest because the Python client verifies with it, which imports nothing else.
"""

import base64
import binascii
import hmac
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


def wrong_key(key: bytes) -> bytes:
    """Return a key that differs from the given one for certain."""
    return sha256(key).digest()
