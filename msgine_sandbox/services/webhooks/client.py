"""Sending one webhook over HTTP, and recording the result."""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import httpx
import msgspec

from msgine_sandbox.model.webhook import AttemptHttp
from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.resolver import Resolver
from msgine_sandbox.services.webhooks.targets import Address, Targets
from msgine_sandbox.services.webhooks.transports import Transports, parsed

_MAX_READ: Final = 64 * 1024
"""Bytes of a response that are read; the connection is closed where it has more."""
_MAX_KEPT: Final = 4096
"""Bytes of it that are recorded."""
_CLEAN_UP: Final = 0.5
"""Seconds in which an exchange that is cancelled closes its connection."""
_REACHED: Final = frozenset(
    # The second for a connection that was kept from an earlier webhook.
    {"connection.connect_tcp.complete", "http11.send_request_headers.started"}
)
"""The steps of httpcore after which something is known to listen at the address."""
_PORTS: Final = {"http": 80, "https": 443}


class AttemptResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one attempt."""

    status: int | None
    error: str | None
    duration_ms: float
    request: AttemptHttp
    response: AttemptHttp | None
    retry_after: str | None = None
    receiver_ms: float | None = None
    """How long the receiver took, once its name was resolved; None where nothing was reached."""
    is_refused: bool = False
    """Whether the sandbox did not try, because it sends no webhooks to the address."""


class WebhookClient:
    """Posts webhooks with one deadline, in seconds, for the whole exchange.

    With `keep_alive`, connections are kept for later webhooks, and `close` must be called before
    the event loop ends. Without, each webhook has a connection of its own.
    """

    def __init__(
        self, targets: Targets, authorities: Authorities, deadline: float, *, keep_alive: bool
    ) -> None:
        self._deadline = deadline
        self._targets = targets
        self._resolver = Resolver()
        self._transports = Transports(authorities.context(), keep_alive=keep_alive)
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), deadline)

    async def post(
        self, account: int, url: str, headers: Mapping[str, str], body: bytes
    ) -> AttemptResult:
        """Send an account's webhook; whatever goes wrong is the result's error, and not raised."""
        started = time.perf_counter()
        response = _PartialResponse()
        error, is_refused = None, False
        sent = dict(headers)  # without those that httpx adds, until it has
        try:
            request = self._request(url, headers, body, response)
            sent = dict(request.headers)
            # httpx's timeouts are for each read; a receiver that drips would never meet one.
            await _within(self._deadline, self._exchange(account, request, response))
        except (TimeoutError, httpx.TimeoutException):
            what = (
                "No complete answer"
                if response.is_awaited
                else f"{request.url.host} was not resolved"
            )
            error = f"{what} within {self._deadline:g} s"
        except TargetRefused as refused:
            error, is_refused = str(refused), True
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failed:
            error = f"{type(failed).__name__}: {failed}".removesuffix(": ")
            if "CERTIFICATE_VERIFY_FAILED" in error:
                error += "; --webhook-ca names the file of an authority of your own"
        return AttemptResult(
            status=response.status,
            error=error,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
            request=AttemptHttp(headers=sent, body=body.decode()),
            response=response.recorded(),
            retry_after=response.headers.get("retry-after"),
            receiver_ms=response.waited_ms(),
            is_refused=is_refused,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._transports.close()

    async def _exchange(
        self, account: int, request: httpx.Request, partial: "_PartialResponse"
    ) -> None:
        addresses = await self._addresses(account, request.url)
        partial.await_answer()
        async with self._transports.response(request, addresses) as response:
            partial.status = response.status_code
            partial.headers = response.headers
            async for part in response.aiter_raw():
                partial.body += part
                if len(partial.body) > _MAX_READ:
                    return

    async def _addresses(self, account: int, url: httpx.URL) -> list[Address]:
        """Return those of a host's addresses that the policy allows.

        Raises:
            TargetRefused: it allows none of them.
            httpx.ConnectError: there are none.
            OSError: the name cannot be looked up.
        """
        port = url.port or _PORTS[url.scheme]
        addresses = await self._resolver.addresses(account, url.host, port)
        refusals = {address: self._targets.refusal(address, port) for address in addresses}
        allowed = [address for address, refusal in refusals.items() if refusal is None]
        if allowed:
            return allowed
        if not refusals:
            raise httpx.ConnectError(f"{url.host} has no address")
        why = "; ".join(f"{address} {refusal}" for address, refusal in refusals.items())
        raise TargetRefused(f"Refused: {why}")

    def _request(
        self, url: str, headers: Mapping[str, str], body: bytes, partial: "_PartialResponse"
    ) -> httpx.Request:
        # No compressed response: a small one could fill the memory.
        headers = {**headers, "accept-encoding": "identity"}
        extensions = {"timeout": self._timeouts, "trace": partial.trace}
        return httpx.Request(
            "POST", parsed(url), headers=headers, content=body, extensions=extensions
        )


class _PartialResponse:
    """As much of a response as has been received when an attempt ends."""

    def __init__(self) -> None:
        self._awaited_since: float | None = None
        self._is_reached = False
        self.status: int | None = None
        self.headers = httpx.Headers()
        self.body = b""

    @property
    def is_awaited(self) -> bool:
        """Whether the host's addresses are known."""
        return self._awaited_since is not None

    def await_answer(self) -> None:
        self._awaited_since = time.perf_counter()

    async def trace(self, event: str, _: Mapping[str, Any]) -> None:
        """Notice that something has been reached: httpcore calls this at each step."""
        self._is_reached = self._is_reached or event in _REACHED

    def waited_ms(self) -> float | None:
        """Return how long the answer has been awaited, or None where nothing was reached."""
        if self._awaited_since is None or not self._is_reached:
            return None
        return (time.perf_counter() - self._awaited_since) * 1000

    def recorded(self) -> AttemptHttp | None:
        if self.status is None:
            return None
        text = self.body[:_MAX_KEPT].decode(errors="replace")
        return AttemptHttp(headers=dict(self.headers), body=text)


async def _within(seconds: float, exchange: Coroutine[Any, Any, None]) -> None:
    """Run an exchange to its end, or for so many seconds.

    In a task of its own: with some versions of anyio, httpcore changes the cancellation of its task
    so that `asyncio.timeout` does not know it as its own, and the webhook would end without result.

    Raises:
        TimeoutError: it has not come to its end.
    """
    task = asyncio.create_task(exchange)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError
        task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CLEAN_UP)


class TargetRefused(httpx.TransportError):
    """The sandbox does not send webhooks there; the message says why."""
