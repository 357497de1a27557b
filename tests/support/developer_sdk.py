"""A client of the Developers API that does what its official SDKs do, each in its own way."""

from collections.abc import Mapping, Sequence
from typing import Any

from sdk import Sdk

LISTS = {"sms": "messages", "email": "messages", "push": "notifications"}


class MsGineError(Exception):
    """An error response, as the SDKs raise it."""

    def __init__(self, status: int, content: Any) -> None:
        # Without an error object they read a top-level message.
        error = content.get("error", content)
        self.status = status
        self.code = error.get("code")
        self.message = error["message"]
        self.request_id = content.get("meta", {}).get("requestId")
        super().__init__(f"{self.code}: {self.message} ({self.request_id})")


class NoJson(Exception):
    """A success without JSON, which the TypeScript SDK refuses."""


class DeveloperSdk:
    """SMS, email, push, analytics and reading messages.

    Its methods take what those of the SDKs take: none can send `callbackUrl` or `tokens`.
    """

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk

    @property
    def waited(self) -> list[float]:
        """Return the seconds before each retry so far."""
        return self._sdk.waited

    async def send_sms(
        self,
        to: Sequence[str],
        message: str,
        *,
        from_: str | None = None,
        scheduled_for: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        body = {"to": joined(to), "message": message, "from": from_}
        return await self._post("/sms", body | options(scheduled_for, idempotency_key))

    async def send_email(
        self,
        *,
        from_: str,
        to: Sequence[str],
        subject: str,
        text: str | None = None,
        html: str | None = None,
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        scheduled_for: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        body = {"from": from_, "to": joined(to), "cc": joined(cc), "bcc": joined(bcc)}
        body |= {"subject": subject, "text": text, "html": html}
        return await self._post("/email", body | options(scheduled_for, idempotency_key))

    async def send_push(
        self,
        *,
        title: str,
        body: str,
        user_ids: Sequence[str] | None = None,
        topic: str | None = None,
        data: Mapping[str, str] | None = None,
        image_url: str | None = None,
        scheduled_for: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        content = {"title": title, "body": body, "userIds": user_ids, "topic": topic}
        content |= {"data": data, "imageUrl": image_url}
        return await self._post("/push", content | options(scheduled_for, idempotency_key))

    async def register_device(self, token: str, platform: str, device_id: str | None = None) -> Any:
        body = {"token": token, "platform": platform, "deviceId": device_id}
        return await self._post("/push/device", body)

    async def unregister_device(self, token: str) -> Any:
        return await self._call("DELETE", "/push/device", json={"token": token})

    async def history(self, channel: str, page: int = 1, limit: int = 20) -> Any:
        return await self._call("GET", f"/{channel}/history", params={"page": page, "limit": limit})

    def listed(self, channel: str, history: Any) -> list[Any]:
        """Return the messages that the SDK finds in a history."""
        return history.get(self._sdk.official.lists or LISTS[channel]) or []

    async def get(self, message: str) -> Any:
        return await self._call("GET", f"/{message}")

    async def overview(self, **period: str) -> Any:
        return await self._call("GET", "/analytics/overview", params=period)

    async def daily(self, days: int) -> Any:
        return await self._call("GET", "/analytics/daily", params={"days": days})

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        given = {name: value for name, value in body.items() if value is not None}
        return await self._call("POST", path, json=given)

    async def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = await self._sdk.request(method, f"/api/v1/developers{path}", **kwargs)
        is_json = "application/json" in answer.headers.get("content-type", "")
        if answer.is_success and not is_json and self._sdk.official.needs_json:
            raise NoJson(answer.text)
        if answer.is_success and not answer.content:
            return None
        content = answer.json()
        if not answer.is_success:
            raise MsGineError(answer.status_code, content)
        return content.get("data", content) if self._sdk.official.unwraps_data else content


def joined(recipients: Sequence[str]) -> str | None:
    """Return recipients as every SDK of the Developers API sends them; without any, nothing."""
    return ",".join(recipients) or None


def options(scheduled_for: str | None, idempotency_key: str | None) -> dict[str, str | None]:
    """Return the fields that every send may have."""
    return {"scheduledFor": scheduled_for, "idempotencyKey": idempotency_key}
