"""Connections to receivers, which are kept for their next webhooks."""

import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache
from typing import Final, NamedTuple

import httpx

from msgine_sandbox.services.webhooks.targets import Address

_KEPT_FOR: Final = 5.0
"""Seconds that a connection is kept without a webhook, as httpx has it."""
_MOST_KEPT: Final = 20
"""Connections that are kept at once without a webhook."""
_MOST_URLS: Final = 1024
"""URLs that are kept in parsed form: most webhooks go to a few."""


class _Place(NamedTuple):
    """What a connection leads to."""

    scheme: str
    host: str
    """The name, for which a certificate was verified."""
    port: int | None
    address: Address


class _Kept(NamedTuple):
    """A transport that has one connection, and since when no webhook is sent by it."""

    place: _Place
    since: float
    transport: httpx.AsyncHTTPTransport


class Transports:
    """Sends each request by a transport of httpx that no other request uses meanwhile.

    A transport that all of them share looks at each of its connections several times for each
    request: with 32 of them that takes four times as long as sending it.

    With `keep_alive`, connections are kept for later requests. It uses httpx's transports directly:
    without cookies, redirects, proxies and credentials from a `.netrc` file, which a client of
    httpx would use.
    """

    def __init__(self, tls: ssl.SSLContext, *, keep_alive: bool) -> None:
        self._tls = tls
        self._most_kept = _MOST_KEPT if keep_alive else 0
        self._kept: list[_Kept] = []
        """In the order of the end of their last request."""

    @asynccontextmanager
    async def response(
        self, request: httpx.Request, addresses: Sequence[Address]
    ) -> AsyncIterator[httpx.Response]:
        """Send a request to the first address that accepts a connection, and close its response.

        It connects to an address, whatever the name in the URL resolves to meanwhile. Those with a
        connection come first: of `localhost`, most receivers have one of the two addresses.

        Raises:
            httpx.TransportError: no address does, or the request cannot be sent.
        """
        url, kept = request.url, {each.place for each in self._kept}
        places = [_Place(url.scheme, url.host, url.port, address) for address in addresses]
        *others, last = sorted(places, key=lambda place: place not in kept)
        for place in others:
            try:
                transport, response = await self._send_to(place, request)
                break
            except httpx.ConnectError:
                continue
        else:
            place = last
            transport, response = await self._send_to(place, request)
        try:
            async with aclosing(response):
                yield response
        except BaseException:
            # Or else a task that is cancelled when its event loop ends could leave a connection
            # open: httpcore shields its clean-up from anyio's cancellation only.
            await transport.aclose()
            raise
        await self._keep(place, transport)

    async def close(self) -> None:
        """Close every connection that is kept."""
        kept, self._kept = self._kept, []
        for each in kept:
            await each.transport.aclose()

    async def _send_to(
        self, place: _Place, request: httpx.Request
    ) -> tuple[httpx.AsyncHTTPTransport, httpx.Response]:
        resolved = httpx.Request(
            request.method,
            _url_at(str(request.url), place.address),
            headers=request.headers,  # whose Host is still the name
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": place.host},
        )
        transport = await self._transport(place)
        try:
            return transport, await transport.handle_async_request(resolved)
        except BaseException:
            await transport.aclose()
            raise

    async def _transport(self, place: _Place) -> httpx.AsyncHTTPTransport:
        """Return the transport that was used last for a place, or a new one."""
        while self._kept and time.monotonic() - self._kept[0].since > _KEPT_FOR:
            await self._kept.pop(0).transport.aclose()
        for index in reversed(range(len(self._kept))):
            if self._kept[index].place == place:
                return self._kept.pop(index).transport
        return httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False)

    async def _keep(self, place: _Place, transport: httpx.AsyncHTTPTransport) -> None:
        self._kept.append(_Kept(place, time.monotonic(), transport))
        if len(self._kept) > self._most_kept:
            await self._kept.pop(0).transport.aclose()


@lru_cache(_MOST_URLS)
def parsed(url: str) -> httpx.URL:
    """Return a URL in parsed form, which takes longer than most of what httpx does.

    Raises:
        httpx.InvalidURL: it is not one.
    """
    return httpx.URL(url)


@lru_cache(_MOST_URLS)
def _url_at(url: str, address: Address) -> httpx.URL:
    return parsed(url).copy_with(host=str(address))
