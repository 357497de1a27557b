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
    """Posts webhooks with one deadline for the whole exchange."""

    def __init__(self, targets: Targets, deadline: float) -> None:
        self._deadline = deadline
        self._http = httpx.AsyncClient(
            transport=Dialer(targets),
            follow_redirects=False,
            trust_env=False,
            timeout=deadline,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a webhook; whatever goes wrong is in the outcome."""
        began = time.perf_counter()
        answer = _Answer()
        error = await self._error(answer, url, headers, body)
        return Outcome(
            status=answer.status,
            error=error,
            duration_ms=round((time.perf_counter() - began) * 1000, 3),
            request=Exchange(headers=headers, body=body.decode()),
            response=answer.exchange(),
            retry_after=answer.headers.get("retry-after"),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _error(
        self, answer: "_Answer", url: str, headers: Mapping[str, str], body: bytes
    ) -> str | None:
        try:
            # httpx's timeouts are for each read; a receiver that drips would never meet one.
            async with asyncio.timeout(self._deadline):
                await self._exchange(answer, url, headers, body)
        except TimeoutError:
            return f"No complete answer within {self._deadline:g} s"
        except TargetRefused as refused:
            return str(refused)
        except httpx.TimeoutException:
            return f"No complete answer within {self._deadline:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failed:
            return f"{type(failed).__name__}: {failed}".removesuffix(": ")
        return None

    async def _exchange(
        self, answer: "_Answer", url: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        async with self._http.stream("POST", url, headers=headers, content=body) as response:
            answer.status = response.status_code
            answer.headers = response.headers
            async for part in response.aiter_bytes():
                answer.body += part
                if len(answer.body) > _READ_AT_MOST:
                    return


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
