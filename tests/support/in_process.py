"""An application that is called in this process, without `await`, by any kind of client."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import ASGIApp

from msgine_sandbox.settings import BASE_PATH

NUMBER = "+256701234567"


class Account:
    """An account without rate limits, and the calls that tests make with it."""

    def __init__(self, client: Any, token: str = "test_unlimited_in_process") -> None:
        self.client = client
        self.token = token

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        """Return the response to a request."""
        credential = {"Authorization": f"Bearer {self.token}"}
        return self.client.request(method, path, json=json, headers=credential | headers)

    def send(self, to: str = NUMBER, key: str | None = None, **fields: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"to": to, "message": "Hello", **fields}
        return self.call("POST", f"{BASE_PATH}/messages/sms", body, **headers)

    def accepted(self, *args: Any, **kwargs: Any) -> str:
        """Send an SMS and return the id of the message that was accepted."""
        answer = self.send(*args, **kwargs)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def status(self, message: str) -> str:
        """Return the status of a message."""
        return str(self.get(f"{BASE_PATH}/messages/{message}")["status"])

    def get(self, path: str) -> Any:
        """Return the content of a path."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """Call the control API and return the content of the response."""
        answer = self.call(method, f"/_sandbox{path}", json)
        assert answer.is_success, answer.text
        return answer.json()

    def advance(self, seconds: float = 0) -> Any:
        return self.control("POST", "/clock/advance", {"seconds": seconds})

    def delivered(self, message: str) -> None:
        """Wait until a message is delivered by itself."""
        found = self.get("/_sandbox/messages/wait?status=delivered&timeout=60")
        assert found["id"] == message

    def message_count(self) -> int:
        """Return how many messages there are."""
        return int(self.get("/_sandbox/messages?limit=1")["total"])


class LoopClient:
    """A client on httpx's ASGITransport, which makes each request by `asyncio.run` or the like."""

    def __init__(self, app: ASGIApp, run: Callable[..., Any] = asyncio.run) -> None:
        self._app = app
        self._run = run

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        response: httpx.Response = self._run(self._request(method, path, **kwargs))
        return response

    async def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            return await http.request(method, path, **kwargs)
