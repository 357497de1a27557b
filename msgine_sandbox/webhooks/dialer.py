"""The transport of webhooks: it checks the very address that it dials."""

import asyncio
import socket

import httpx

from msgine_sandbox.webhooks.policy import Address, Targets, address_of

_PORTS = {"http": 80, "https": 443}


class TargetRefused(httpx.TransportError):
    """The sandbox does not send webhooks there; the message says why."""


class Dialer(httpx.AsyncBaseTransport):
    """Resolves a host itself, and dials only what the policy allows."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        # The timeline bounds what is in flight for each account; here nobody waits for others.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._transport = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first of its host's addresses that answers.

        Raises:
            TargetRefused: none of the addresses is allowed.
            httpx.TransportError: none can be reached.
        """
        host, port = request.url.host, request.url.port or _PORTS[request.url.scheme]
        addresses = self._allowed(host, port, await _resolve(host, port))
        for address in addresses[:-1]:
            try:
                return await self._dial(request, host, address)
            except httpx.ConnectError:
                continue
        return await self._dial(request, host, addresses[-1])

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    def _allowed(self, host: str, port: int, addresses: list[Address]) -> list[Address]:
        refusals = {address: self._targets.refusal(address, port) for address in addresses}
        allowed = [address for address, refusal in refusals.items() if refusal is None]
        if allowed:
            return allowed
        if not refusals:
            raise httpx.ConnectError(f"{host} has no address")
        why = "; ".join(f"{address} {refusal}" for address, refusal in refusals.items())
        raise TargetRefused(f"Refused: {why}")

    async def _dial(self, request: httpx.Request, host: str, address: Address) -> httpx.Response:
        dialled = httpx.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,  # its Host is still the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._transport.handle_async_request(dialled)


async def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [address_of(where[0]) for *_, where in found]
