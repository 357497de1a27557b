"""A client of the Messages API that does what SDK 1.0 does."""

import asyncio
from collections.abc import Iterable
from typing import Any

import httpx
from sdk import Sdk


class MessagesSdk:
    """Sends SMS: each to one recipient, with a text and nothing else."""

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    @property
    def waited(self) -> list[float]:
        """Return the seconds before each retry so far."""
        return self._sdk.waited

    async def send(self, to: str = "+256701234567", message: str = "Hello") -> httpx.Response:
        body: dict[str, Any] = {"to": to, "message": message}
        return await self._sdk.request("POST", "/api/v1/messages/sms", json=body)

    async def send_batch(self, recipients: Iterable[str], message: str) -> list[httpx.Response]:
        """Send a message to each recipient: there is no call for several, so all at once."""
        return await asyncio.gather(*(self.send(each, message) for each in recipients))
