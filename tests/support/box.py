"""A sandbox in this process, and an account on it that tests call over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
from matching import assert_refused

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.settings import BASE_PATH, Settings

DEVELOPERS = f"{BASE_PATH}/developers"
NUMBER = "+256701234567"
PATIENT: dict[str, Any] = {"webhook_timeout": 600}
"""No receiver is too slow, however slow the machine is."""
_tokens = count(1)


class Box:
    """One account on a sandbox, and the calls that tests make with it."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http = http
        self.token = token

    def other(self, token: str | None = None) -> "Box":
        """Return another account on the same sandbox."""
        return Box(self.http, token or f"test_other_{next(_tokens)}")

    @property
    def anonymous(self) -> "Box":
        """The same sandbox without a token; its control calls are about all accounts."""
        return Box(self.http, "")

    async def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers = credential | kwargs.pop("headers", {})
        return await self.http.request(method, path, headers=headers, **kwargs)

    async def send(
        self, to: Any = NUMBER, message: Any = "Hello", key: str | None = None, **fields: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"to": to, "message": message, **fields}
        return await self.call("POST", f"{BASE_PATH}/messages/sms", json=body, headers=headers)

    async def accepted(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Send an SMS and return the message that was accepted."""
        answer = await self.send(*args, **kwargs)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def statuses(self, count: int, to: Any = NUMBER) -> list[int]:
        """Send so many SMS, one after the other, and return the statuses of the responses."""
        return [(await self.send(to)).status_code for _ in range(count)]

    async def developers(self, method: str, path: str, json: Any = None, **params: Any) -> Any:
        """Call the Developers API and return the content of the response."""
        answer = await self.call(method, f"{DEVELOPERS}{path}", json=json, params=params or None)
        assert answer.is_success, answer.text
        return answer.json()

    async def developers_error(
        self, method: str, path: str, json: Any = None, **params: Any
    ) -> Any:
        """Call the Developers API and return the error of the response."""
        answer = await self.call(method, f"{DEVELOPERS}{path}", json=json, params=params or None)
        return assert_refused(answer, answer.status_code, answer.json()["error"]["code"])

    async def get(self, path: str, **params: Any) -> Any:
        """Return the content of a path, with query parameters."""
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def read(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message as the Messages API shows it now."""
        return await self.get(f"{BASE_PATH}/messages/{message['id']}")

    async def details(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a message as the control API shows it now, with all its details."""
        return await self.get(f"/_sandbox/messages/{message['id']}")

    async def control(self, method: str, path: str, json: Any = None) -> Any:
        """Call the control API and return the content of the response."""
        answer = await self.call(method, f"/_sandbox{path}", json=json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def control_error(self, method: str, path: str, json: Any = None) -> dict[str, Any]:
        """Return the error of a control call that is answered 400."""
        answer = await self.call(method, f"/_sandbox{path}", json=json)
        return assert_refused(answer, 400, "invalid_request")

    async def message_count(self) -> int:
        """Return how many messages there are."""
        return (await self.get("/_sandbox/messages", limit=1))["total"]

    async def message_ids(self, **query: Any) -> list[str]:
        """Return the identifiers of the messages that a query finds, in its order."""
        found = await self.get("/_sandbox/messages", **query)
        return [each["id"] for each in found["data"]]

    async def warnings(self) -> list[dict[str, str]]:
        """Return all warnings about the account's requests, the oldest first."""
        found = (await self.get("/_sandbox/requests", limit=1000))["data"]
        return [warning for entry in reversed(found) for warning in entry["warnings"]]

    async def warning_codes(self) -> list[str]:
        """Return the codes of all warnings, the oldest first."""
        return [warning["code"] for warning in await self.warnings()]

    async def add_fault(self, effect: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Add a fault of the account and return it."""
        body = {"effect": effect, **fields}
        answer = await self.call("POST", "/_sandbox/faults", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def freeze(self) -> dict[str, Any]:
        return await self.control("POST", "/clock/freeze")

    async def advance(self, **by: float) -> dict[str, Any]:
        seconds = timedelta(**by).total_seconds()
        return await self.control("POST", "/clock/advance", {"seconds": seconds})

    async def listen(self, url: str, secret: str | None = None, **fields: Any) -> None:
        """Set one webhook endpoint, which receives all events by default."""
        endpoint = {"url": url, "secret": secret, **fields}
        await self.control("PUT", "/webhooks", {"endpoints": [endpoint]})

    async def attempts(self) -> list[dict[str, Any]]:
        """Return every webhook attempt, the oldest first."""
        return (await self.control("GET", "/webhooks/attempts?limit=1000"))["data"][::-1]


@asynccontextmanager
async def sandbox(**settings: Any) -> AsyncIterator[Box]:
    """Run a sandbox with settings inside the block; no webhook times out unless they say so."""
    async with boxed(Sandbox(Settings(**PATIENT | settings))) as box:
        yield box


@asynccontextmanager
async def bounded(**bounds: float) -> AsyncIterator[Box]:
    """Run a sandbox without rate limits and with lower bounds inside the block."""
    built = Sandbox(Settings(tier="unlimited", **PATIENT), bounds=Bounds(**bounds))
    async with boxed(built) as box:
        yield box


@asynccontextmanager
async def boxed(built: Sandbox) -> AsyncIterator[Box]:
    """Return an account on a sandbox that a test has built; close it after the block."""
    transport = httpx.ASGITransport(app_of(built))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Box(http, f"test_box_{next(_tokens)}")
    finally:
        await built.lifecycle.close()
