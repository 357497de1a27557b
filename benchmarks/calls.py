"""The requests that are measured, as bytes."""

import json
import os
from collections.abc import Sequence

from benchmarks.load import Write, get, post

NUMBERS = 1000
SENDS = "/api/v1/messages/sms"
RECEIVER = "http://127.0.0.1:9/hooks"
"""Where nothing listens."""


def sms(number: int, recipients: int = 1) -> dict[str, object]:
    """Return the body of an SMS to one or more of a thousand numbers."""
    to = [f"+256701{(number + each) % NUMBERS:06d}" for each in range(recipients)]
    return {"to": to if recipients > 1 else to[0], "message": f"Your code is {number:06d}"}


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def echo(number: int) -> bytes:
    """Write the reference: the body of a send, to be parsed and returned."""
    return post("/echo", json.dumps(sms(number)).encode())


def send(token: str, recipients: int = 1, callback_url: str | None = None) -> Write:
    """Return sends of an account."""
    more = {} if callback_url is None else {"callbackUrl": callback_url}

    def write(number: int) -> bytes:
        body = json.dumps(sms(number, recipients) | more).encode()
        return post(SENDS, body, bearer(token))

    return write


def send_with_key(token: str) -> Write:
    """Return sends of an account, each with an idempotency key of its own."""

    def write(number: int) -> bytes:
        key = f"Idempotency-Key: {os.urandom(12).hex()}"
        return post(SENDS, json.dumps(sms(number)).encode(), bearer(token), key)

    return write


def read(token: str, *paths: str) -> Write:
    """Return reads of an account, of each path in turn."""
    written: Sequence[bytes] = [get(path, bearer(token)) for path in paths]
    return lambda number: written[number % len(written)]
