"""The application under test: it charges customers at https://pay.example, and texts them."""

import asyncio
import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import httpx
import requests
import urllib3

CHARGES = "https://pay.example/charges"

Post = Callable[[str, Mapping[str, Any], Mapping[str, str]], Any]
"""Posts JSON to a URL with headers, and returns the JSON of the answer."""


def by_httpx(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    return httpx.post(url, json=body, headers=headers).raise_for_status().json()


def by_requests(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    response = requests.post(url, json=body, headers=headers, timeout=30)
    response.raise_for_status()
    return response.json()


def by_urllib3(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    response = urllib3.request("POST", url, json=body, headers=headers)
    assert response.status < 400, response.data
    return response.json()


def by_urllib(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def by_aiohttp(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    return asyncio.run(post_by_aiohttp(url, body, headers))


async def post_by_aiohttp(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(url, json=body, headers=headers) as response,
    ):
        return await response.json()


LIBRARIES: Mapping[str, Post] = {
    "httpx": by_httpx,
    "requests": by_requests,
    "urllib3": by_urllib3,
    "urllib": by_urllib,
    "aiohttp": by_aiohttp,
}


class Shop:
    """Texts by one HTTP library, and charges by one."""

    def __init__(
        self, sms_url: str, sms_token: str, *, text_by: str = "urllib3", pay_by: str = "httpx"
    ) -> None:
        self._sms_url = f"{sms_url}/messages/sms"
        self._headers = {"Authorization": f"Bearer {sms_token}"}
        self._text_by = LIBRARIES[text_by]
        self._pay_by = LIBRARIES[pay_by]

    def text(self, number: str, text: str) -> str:
        """Return the ID of the message."""
        body = {"to": number, "message": text}
        return self._text_by(self._sms_url, body, self._headers)["id"]

    def sell(self, number: str, amount: int) -> str:
        """Charge the customer, text the receipt, and return the ID of the charge."""
        charge = self._pay_by(CHARGES, {"amount": amount}, {})["id"]
        self.text(number, f"Thank you. You paid {amount} shillings.")
        return charge
