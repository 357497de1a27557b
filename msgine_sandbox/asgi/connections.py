"""The connections that are open, so that a fault can close one instead of answering.

ASGI gives no access to the transport: the server's protocol class registers it here, and a request
is matched with it by the client's address.
"""

import asyncio

from starlette.types import Receive

from msgine_sandbox.asgi.context import RequestContext

Client = tuple[str, int]


class Connections:
    """The open connections of the server that serves this sandbox, by client address."""

    def __init__(self) -> None:
        self._open: dict[Client, asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> Client | None:
        """Register a connection, and return the client address under which it is known."""
        peer = transport.get_extra_info("peername")
        if not isinstance(peer, tuple):
            return None  # disconnected already, or a Unix socket
        client = (str(peer[0]), int(peer[1]))
        self._open[client] = transport
        return client

    def closed(self, client: Client | None) -> None:
        """Unregister a connection."""
        if client is not None:
            self._open.pop(client, None)

    async def cut(self, context: RequestContext) -> None:
        """Close the connection of a request; return once it is closed.

        Raises:
            httpx.RemoteProtocolError: the request came by none of our connections, as with
                `httpx.ASGITransport`; this is what httpx raises for a closed one.
        """
        if not self.abort(context):
            context.connection_cut = True
            import httpx  # here, because importing it takes longer than the first response

            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        await disconnected(context.receive)

    def abort(self, context: RequestContext) -> bool:
        """Close the connection of a request at once; return whether it is one of ours."""
        transport = self._open.get(tuple(context.scope.get("client") or ()))
        if transport is None:
            return False
        transport.abort()
        return True


async def disconnected(receive: Receive) -> None:
    """Return when the client of a request has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def disconnected_within(receive: Receive, seconds: float) -> bool:
    """Wait for so many seconds of real time; return whether the client disconnected meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await disconnected(receive)
    except TimeoutError:
        return False
    return True
