"""A client of the Developers API that does what its official SDKs are documented to do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx
from sdk import Sdk


class MsGineError(Exception):
    """An error response, as the SDKs raise it."""

    def __init__(self, status: int, content: Any) -> None:
        self.status = status
        self.code = content["error"]["code"]
        self.message = content["error"]["message"]
        self.request_id = content["meta"]["requestId"]
        super().__init__(f"{self.code}: {self.message} ({self.request_id})")


class NoJson(Exception):
    """A success without JSON, which the TypeScript SDK refuses."""


class DeveloperSdk:
    """SMS, email, push, analytics and reading messages; `sleep` lets seconds pass."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        key: str,
        user_agent: str,
        sleep: Callable[[float], Awaitable[Any]],
    ) -> None:
        headers = {
            "X-Api-Key": key,
            "User-Agent": user_agent,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._sdk = Sdk(http, headers, sleep)

    @property
    def waited(self) -> list[float]:
        """Return the seconds before each retry so far."""
        return self._sdk.waited

    async def send_sms(self, to: Sequence[str], message: str, **more: Any) -> Any:
        # The Python SDK joins recipients with commas.
        return await self._post("/sms", to=",".join(to), message=message, **more)

    async def send_email(self, **email: Any) -> Any:
        return await self._post("/email", **email)

    async def send_push(self, **push: Any) -> Any:
        return await self._post("/push", **push)

    async def register_device(self, token: str, platform: str) -> Any:
        return await self._post("/push/device", token=token, platform=platform)

    async def unregister_device(self, token: str) -> Any:
        return await self._call("DELETE", "/push/device", json={"token": token})

    async def history(self, channel: str, page: int = 1, limit: int = 20) -> Any:
        return await self._call("GET", f"/{channel}/history", params={"page": page, "limit": limit})

    async def get(self, message: str) -> Any:
        return await self._call("GET", f"/{message}")

    async def overview(self, **period: str) -> Any:
        return await self._call("GET", "/analytics/overview", params=rename(period))

    async def daily(self, days: int) -> Any:
        return await self._call("GET", "/analytics/daily", params={"days": days})

    async def _post(self, path: str, **body: Any) -> Any:
        return await self._call("POST", path, json=rename(body))

    async def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = await self._sdk.request(method, f"/api/v1/developers{path}", **kwargs)
        if "application/json" not in answer.headers.get("content-type", ""):
            raise NoJson(answer.text)
        content = answer.json()
        if not answer.is_success:
            raise MsGineError(answer.status_code, content)
        return content


def rename(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without the trailing underscore of names such as `from_`."""
    return {name.rstrip("_"): value for name, value in values.items()}
