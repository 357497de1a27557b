"""Connections to receivers, which are kept for their next webhooks."""

import asyncio
import ssl
import time
from collections.abc import Collection, Sequence
from typing import Final

from msgine_sandbox.services.webhooks.http_connection import ClosedBefore, HttpConnection
from msgine_sandbox.services.webhooks.network import ConnectError, connect
from msgine_sandbox.services.webhooks.request import Origin, WebhookRequest
from msgine_sandbox.services.webhooks.response import PartialResponse
from msgine_sandbox.services.webhooks.targets import Address

_KEPT_FOR: Final = 0.1
"""Seconds that a connection is kept without a webhook.

Less than any receiver keeps one, so that none closes it at the moment when it is used, and one
that serves a single connection at a time soon comes to the next. A burst of webhooks, for which
connections are kept, has them milliseconds after each other.
"""
_MOST_KEPT: Final = 20
"""Connections that are kept at once without a webhook."""


class WebhookConnections:
    """Sends each request by a connection that no other request uses meanwhile.

    With `keep_alive`, connections are kept for later requests. A client of httpx would follow
    redirects, keep cookies, and use proxies and `.netrc` files.
    """

    def __init__(
        self, tls: ssl.SSLContext, *, keep_alive: bool, kept_for: float = _KEPT_FOR
    ) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._most_kept = _MOST_KEPT if keep_alive else 0
        self._kept_for = kept_for
        self._kept: list[HttpConnection] = []
        """In the order of the end of their last request."""
        self._timer: asyncio.Handle | None = None
        """Closes the first of them once it has been kept long enough."""

    async def exchange(
        self, request: WebhookRequest, addresses: Sequence[Address], response: PartialResponse
    ) -> None:
        """Send a request to the first address that accepts a connection, and read the response.

        It connects to an address, whatever the name in the URL resolves to meanwhile. Those with a
        connection come first: of `localhost`, most receivers have one of the two addresses.

        Raises:
            ConnectError: no address does.
            ReadError: the connection was lost.
            h11.ProtocolError: what came is no response.
        """
        loop = asyncio.get_running_loop()
        try:
            await self._exchange(request, addresses, response)
        except BaseException as error:
            if loop.is_closed():
                # What frees the coroutine expects this; asyncio raises other errors instead.
                raise GeneratorExit from error
            raise

    async def _exchange(
        self, request: WebhookRequest, addresses: Sequence[Address], response: PartialResponse
    ) -> None:
        origin = request.target.origin
        while (kept := self._kept_to(origin, addresses)) is not None:
            try:
                await self._by(kept, request, response)
            except ClosedBefore:
                continue
            return
        await self._by(await self._new_for(origin, addresses, response), request, response)

    async def _by(
        self, connection: HttpConnection, request: WebhookRequest, response: PartialResponse
    ) -> None:
        """Send a request by a connection, which is kept for others if it can be, or else closed."""
        response.is_reached = True
        is_kept = False
        try:
            await connection.exchange(request, response)
            is_kept = connection.reuse()
        finally:
            if not is_kept:
                connection.close()
        self._keep(connection)

    def close(self) -> None:
        """Close every connection that is kept."""
        self._close_kept(len(self._kept))

    def _kept_to(self, origin: Origin, addresses: Collection[Address]) -> HttpConnection | None:
        """Return the connection that was used last, unless its receiver has closed it."""
        for each in self._kept[::-1]:
            # By its origin as well, for whose name the certificate was verified.
            if each.address in addresses and each.origin == origin:
                self._kept.remove(each)
                if not each.has_ended():
                    return each
                each.close()
        return None

    async def _new_for(
        self, origin: Origin, addresses: Sequence[Address], response: PartialResponse
    ) -> HttpConnection:
        errors = []
        for address in addresses:
            try:
                stream = await connect(str(address), origin.port)
                response.is_reached = True
                if origin.is_encrypted:
                    await stream.encrypt(self._tls, origin.host)
            except ConnectError as error:
                errors.append(str(error))
            else:
                return HttpConnection(stream, origin, address)
        raise ConnectError("; ".join(errors))

    def _keep(self, connection: HttpConnection) -> None:
        self._kept.append(connection)
        if len(self._kept) > self._most_kept:
            self._close_kept(1)
        elif self._timer is None:
            self._set_timer(self._kept_for)

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._close_idle)

    def _close_idle(self) -> None:
        self._timer = None
        until = time.monotonic() - self._kept_for
        self._close_kept(sum(each.used_at <= until for each in self._kept))
        if self._kept:
            self._set_timer(self._kept[0].used_at - until)

    def _close_kept(self, count: int) -> None:
        """Close the first of the connections that are kept."""
        closed, self._kept = self._kept[:count], self._kept[count:]
        for each in closed:
            each.close()
        if not self._kept and self._timer is not None:
            self._timer.cancel()
            self._timer = None
