"""Connections to receivers, which are kept for their next webhooks."""

import asyncio
import ssl
import time
from collections.abc import Collection, Sequence
from typing import Final

from msgine_sandbox.services.webhooks.http_connection import HttpConnection
from msgine_sandbox.services.webhooks.network import ConnectError, connect
from msgine_sandbox.services.webhooks.request import Origin, WebhookRequest
from msgine_sandbox.services.webhooks.response import PartialResponse
from msgine_sandbox.services.webhooks.targets import Address

_KEPT_FOR: Final = 5.0
"""Seconds that a connection is kept without a webhook, as httpx has it."""
_MOST_KEPT: Final = 20
"""Connections that are kept at once without a webhook."""


class WebhookConnections:
    """Sends each request by a connection that no other request uses meanwhile.

    With `keep_alive`, connections are kept for later requests. A client of httpx would follow
    redirects, keep cookies, and use proxies and `.netrc` files.
    """

    def __init__(self, tls: ssl.SSLContext, *, keep_alive: bool) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._most_kept = _MOST_KEPT if keep_alive else 0
        self._kept: list[HttpConnection] = []
        """In the order of the end of their last request."""

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
        origin = request.target.origin
        loop, connection = asyncio.get_running_loop(), None
        try:
            connection = self._kept_for(origin, addresses)
            if connection is None:
                connection = await self._new_for(origin, addresses, response)
            response.is_reached = True
            await connection.exchange(request, response)
        except BaseException as error:
            if loop.is_closed():
                # What frees the coroutine expects this; asyncio raises other errors instead.
                raise GeneratorExit from error
            if connection is not None:
                connection.close()
            raise
        self._keep(connection)

    def close(self) -> None:
        """Close every connection that is kept."""
        kept, self._kept = self._kept, []
        for each in kept:
            each.close()

    def _kept_for(self, origin: Origin, addresses: Collection[Address]) -> HttpConnection | None:
        """Return the connection that was used last, unless its receiver has closed it."""
        while self._kept and time.monotonic() - self._kept[0].used_at > _KEPT_FOR:
            self._kept.pop(0).close()
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
        """Keep a connection if its response has been read to the end; or else close it."""
        if not connection.reuse():
            connection.close()
            return
        self._kept.append(connection)
        if len(self._kept) > self._most_kept:
            self._kept.pop(0).close()
