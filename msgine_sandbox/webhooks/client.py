"""Sending one webhook over HTTP, and writing down what came of it."""

import asyncio
import time
from collections.abc import Mapping

import httpx

from msgine_sandbox.model.webhook import Exchange
from msgine_sandbox.webhooks.dialer import Dialer, TargetRefused
from msgine_sandbox.webhooks.outcome import Outcome
from msgine_sandbox.webhooks.policy import Targets

_READ_AT_MOST = 64 * 1024
_KEPT_AT_MOST = 4096


class Client:
    """Posts webhooks with one deadline for the whole exchange.

    It speaks to the transport itself: no cookies, redirects, proxies or credentials of anybody's.
    """

    def __init__(self, targets: Targets, deadline: float) -> None:
        self._deadline = deadline
        self._dialer = Dialer(targets)
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), deadline)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a webhook; whatever goes wrong is in the outcome."""
        began = time.perf_counter()
        answer = _Answer()
        error, sent = None, dict(headers)
        try:
            request = self._request(url, headers, body)
            sent = dict(request.headers)
            # httpx's timeouts are for each read; a receiver that drips would never meet one.
            async with asyncio.timeout(self._deadline):
                await self._exchange(request, answer)
        except (TimeoutError, httpx.TimeoutException):
            error = f"No complete answer within {self._deadline:g} s"
        except TargetRefused as refused:
            error = str(refused)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failed:
            error = f"{type(failed).__name__}: {failed}".removesuffix(": ")
        return Outcome(
            status=answer.status,
            error=error,
            duration_ms=round((time.perf_counter() - began) * 1000, 3),
            request=Exchange(headers=sent, body=body.decode()),
            response=answer.exchange(),
            retry_after=answer.headers.get("retry-after"),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._dialer.aclose()

    def _request(self, url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
        # Nothing that would have to be unpacked: a small answer could fill the memory.
        headers = {**headers, "accept-encoding": "identity"}
        extensions = {"timeout": self._timeouts}
        return httpx.Request("POST", url, headers=headers, content=body, extensions=extensions)

    async def _exchange(self, request: httpx.Request, answer: "_Answer") -> None:
        response = await self._dialer.handle_async_request(request)
        try:
            answer.status = response.status_code
            answer.headers = response.headers
            async for part in response.aiter_raw():
                answer.body += part
                if len(answer.body) > _READ_AT_MOST:
                    return
        finally:
            await response.aclose()


class _Answer:
    """As much of an answer as has come."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers = httpx.Headers()
        self.body = b""

    def exchange(self) -> Exchange | None:
        if self.status is None:
            return None
        text = self.body[:_KEPT_AT_MOST].decode(errors="replace")
        return Exchange(headers=dict(self.headers), body=text)
