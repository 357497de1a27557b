"""A client that sends and retries as the official ones do."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

RETRIED = {408, 429, 500, 502, 503, 504}
WAITS = (1, 2, 4)  # seconds before each retry


class Sdk:
    """One official client, identified by its headers; `sleep` lets seconds pass."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        headers: dict[str, str],
        sleep: Callable[[float], Awaitable[Any]],
    ) -> None:
        self._http = http
        self._headers = headers
        self._sleep = sleep
        self.waited: list[float] = []

    async def send(self, to: Any = "+256701234567", message: str = "Hello") -> httpx.Response:
        body = {"to": to, "message": message}
        return await self.request("POST", "/api/v1/messages/sms", json=body)

    async def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """Send a request until its response is final or no retry is left."""
        for wait in WAITS:
            answer = await self._http.request(method, path, headers=self._headers, **kwargs)
            if answer.status_code not in RETRIED:
                return answer
            self.waited.append(wait)
            await self._sleep(wait)
        return await self._http.request(method, path, headers=self._headers, **kwargs)
