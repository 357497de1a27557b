"""Requests of an application under test, for tests of the Python client."""

from typing import Any

import httpx

from msgine_sandbox.testing import Account

NUMBER = "+256701234567"


def post_sms(
    account: Account, to: Any = NUMBER, text: str = "Hello", key: str = "", **fields: Any
) -> httpx.Response:
    """Send an SMS and return the response, whatever its status."""
    headers = {"Authorization": f"Bearer {account.token}"}
    if key:
        headers["Idempotency-Key"] = key
    body = {"to": to, "message": text, **fields}
    return httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)


def send_sms(account: Account, to: Any = NUMBER, text: str = "Hello", key: str = "") -> str:
    """Send an SMS and return the identifier of the message."""
    answer = post_sms(account, to, text, key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def post_developers(account: Account, channel: str, **body: Any) -> str:
    """Send a message over the Developers API and return its identifier."""
    headers = {"X-Api-Key": account.token}
    answer = httpx.post(f"{account.base_url}/developers/{channel}", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
