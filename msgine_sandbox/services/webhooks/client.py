"""Sending one webhook over HTTP, and recording the result."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

import h11
import httpx
import msgspec

from msgine_sandbox.model.webhook import AttemptHttp
from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.connections import WebhookConnections
from msgine_sandbox.services.webhooks.network import ConnectError, ReadError
from msgine_sandbox.services.webhooks.request import Origin, webhook_request
from msgine_sandbox.services.webhooks.resolver import Resolver
from msgine_sandbox.services.webhooks.response import PartialResponse
from msgine_sandbox.services.webhooks.targets import Address, Targets

_FAILURES: Final = (
    ConnectError,
    ReadError,
    h11.ProtocolError,
    httpx.InvalidURL,
    OSError,  # the name cannot be looked up
    ValueError,  # it is none
)


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
        self._connections = WebhookConnections(authorities.context(), keep_alive=keep_alive)

    async def post(
        self, account: int, url: str, headers: Mapping[str, str], body: bytes
    ) -> AttemptResult:
        """Send an account's webhook; whatever goes wrong is the result's error, and not raised."""
        started = time.perf_counter()
        response = PartialResponse()
        error, is_refused = None, False
        sent, host = headers, ""
        try:
            request = webhook_request(url, headers, body)
            sent, host = request.headers, request.target.origin.host
            async with asyncio.timeout(self._deadline):
                addresses = await self._addresses(account, request.target.origin)
                response.await_answer()
                await self._connections.exchange(request, addresses, response)
        except TimeoutError:
            what = "No complete answer" if response.is_awaited else f"{host} was not resolved"
            error = f"{what} within {self._deadline:g} s"
        except TargetRefused as refused:
            error, is_refused = str(refused), True
        except _FAILURES as failed:
            error = f"{type(failed).__name__}: {failed}".removesuffix(": ")
            if "signed certificate" in error or "issuer certificate" in error:  # OpenSSL's words
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

    def close(self) -> None:
        """Close every connection."""
        self._connections.close()

    async def _addresses(self, account: int, origin: Origin) -> list[Address]:
        """Return those of a host's addresses that the policy allows.

        Raises:
            TargetRefused: it allows none of them.
            ConnectError: there are none.
            OSError: the name cannot be looked up.
        """
        host, port = origin.host, origin.port
        addresses = await self._resolver.addresses(account, host, port)
        refusals = {address: self._targets.refusal(address, port) for address in addresses}
        allowed = [address for address, refusal in refusals.items() if refusal is None]
        if allowed:
            return allowed
        if not refusals:
            raise ConnectError(f"{host} has no address")
        why = "; ".join(f"{address} {refusal}" for address, refusal in refusals.items())
        raise TargetRefused(f"Refused: {why}")


class TargetRefused(Exception):
    """The sandbox does not send webhooks there; the message says why."""
