"""Connections to receivers, which are kept for their next webhooks."""

import asyncio
import ssl
import time
from collections.abc import Collection, Sequence
from contextlib import aclosing
from functools import lru_cache
from typing import Final, NamedTuple

import httpcore
import httpx

from msgine_sandbox.services.webhooks.network import connect
from msgine_sandbox.services.webhooks.response import PartialResponse
from msgine_sandbox.services.webhooks.targets import Address

_MAX_READ: Final = 64 * 1024
"""Bytes of a response that are read; the connection is closed where it has more."""
_KEPT_FOR: Final = 5.0
"""Seconds that a connection is kept without a webhook, as httpx has it."""
_MOST_KEPT: Final = 20
"""Connections that are kept at once without a webhook."""
_MOST_URLS: Final = 1024
"""URLs that are kept in parsed form: most webhooks go to a few."""


class _Connection(NamedTuple):
    """A connection, where it leads, and when it was used last."""

    http: httpcore.AsyncHTTP11Connection
    address: Address
    used_at: float


class WebhookConnections:
    """Sends each request by a connection that no other request uses meanwhile.

    With `keep_alive`, connections are kept for later requests. They are httpcore's, without its
    pool, which looks at each of its connections several times for each request, and without a
    client of httpx, which follows redirects, keeps cookies, and uses proxies and `.netrc` files.
    """

    def __init__(self, tls: ssl.SSLContext, *, keep_alive: bool) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._most_kept = _MOST_KEPT if keep_alive else 0
        self._kept: list[_Connection] = []
        """In the order of the end of their last request."""

    async def exchange(
        self, request: httpx.Request, addresses: Sequence[Address], response: PartialResponse
    ) -> None:
        """Send a request to the first address that accepts a connection, and read the response.

        It connects to an address, whatever the name in the URL resolves to meanwhile. Those with a
        connection come first: of `localhost`, most receivers have one of the two addresses.

        Raises:
            httpcore.NetworkError: no address does, or the connection was lost.
            httpcore.ProtocolError: what came is no response.
        """
        url = request.url
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        loop, connection = asyncio.get_running_loop(), None
        try:
            connection = await self._kept_for(target.origin, addresses)
            if connection is None:
                connection = await self._new_for(url, target.origin, addresses, response)
            response.is_reached = True
            await _send(connection.http, target, request, response)
        except BaseException as error:
            if loop.is_closed():
                # What frees the coroutine expects this; httpcore and asyncio raise others instead.
                raise GeneratorExit from error
            # Also where nothing was sent: with some versions of anyio, a lock of httpcore's stays
            # locked when the task that waits for it is cancelled.
            if connection is not None:
                await connection.http.aclose()
            raise
        await self._keep(connection)

    async def close(self) -> None:
        """Close every connection that is kept."""
        kept, self._kept = self._kept, []
        for each in kept:
            await each.http.aclose()

    async def _kept_for(
        self, origin: httpcore.Origin, addresses: Collection[Address]
    ) -> _Connection | None:
        """Return the connection that was used last, unless its receiver has closed it."""
        while self._kept and time.monotonic() - self._kept[0].used_at > _KEPT_FOR:
            await self._kept.pop(0).http.aclose()
        for each in self._kept[::-1]:
            # By its origin as well, for whose name the certificate was verified.
            if each.address in addresses and each.http.can_handle_request(origin):
                self._kept.remove(each)
                if not each.http.has_expired():
                    return each
                await each.http.aclose()
        return None

    async def _new_for(
        self,
        url: httpx.URL,
        origin: httpcore.Origin,
        addresses: Sequence[Address],
        response: PartialResponse,
    ) -> _Connection:
        errors = []
        for address in addresses:
            try:
                stream = await connect(str(address), origin.port)
                response.is_reached = True
                if url.scheme == "https":
                    await stream.encrypt(self._tls, url.host)
            except httpcore.ConnectError as error:
                errors.append(str(error))
            else:
                http = httpcore.AsyncHTTP11Connection(origin, stream)
                return _Connection(http, address, time.monotonic())
        raise httpcore.ConnectError("; ".join(errors))

    async def _keep(self, connection: _Connection) -> None:
        """Keep a connection if its response has been read to the end; or else close it."""
        if not connection.http.is_idle():
            await connection.http.aclose()
            return
        self._kept.append(connection._replace(used_at=time.monotonic()))
        if len(self._kept) > self._most_kept:
            await self._kept.pop(0).http.aclose()


async def _send(
    connection: httpcore.AsyncHTTP11Connection,
    target: httpcore.URL,
    request: httpx.Request,
    response: PartialResponse,
) -> None:
    sent = httpcore.Request(
        request.method, target, headers=request.headers.raw, content=request.stream
    )
    answer = await connection.handle_async_request(sent)
    response.status = answer.status
    response.headers = httpx.Headers(answer.headers)
    # Its own iterator, because that of `aiter_stream` would leave this one to be closed later.
    async with aclosing(aiter(answer.stream)) as parts:  # type: ignore[arg-type, type-var]
        async for part in parts:
            response.body += part
            if len(response.body) > _MAX_READ:
                break
    await answer.aclose()  # with its connection, where it has not ended


@lru_cache(_MOST_URLS)
def parsed(url: str) -> httpx.URL:
    """Return a URL in parsed form, which takes longer than most of what httpx does.

    Raises:
        httpx.InvalidURL: it is not one.
    """
    return httpx.URL(url)
