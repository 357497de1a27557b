"""The connections that are open, so that a fault can cut one instead of answering."""

import asyncio

from starlette.types import Receive, Scope

from msgine_sandbox.edge.visit import visit_of

Client = tuple[str, int]


class Connections:
    """Knows the connections of the server that this sandbox is served by."""

    def __init__(self) -> None:
        self._open: dict[Client, asyncio.Transport] = {}

    def opened(self, transport: asyncio.Transport) -> Client | None:
        """Take note of a connection, and give the client by which it is known."""
        peer = transport.get_extra_info("peername")
        if not isinstance(peer, tuple):
            return None
        client = (str(peer[0]), int(peer[1]))
        self._open[client] = transport
        return client

    def closed(self, client: Client | None) -> None:
        """Forget a connection."""
        if client is not None:
            self._open.pop(client, None)

    async def cut(self, scope: Scope, receive: Receive) -> None:
        """Close the connection of a request, and leave when that is done.

        Raises:
            httpx.RemoteProtocolError: the request came by no connection of ours, as with
                `httpx.ASGITransport`, and this is what a cut one looks like to httpx.
        """
        if not self.abort(scope):
            visit_of(scope).cut = True
            import httpx  # here, to keep it off the path to the first answer

            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        await gone(receive)

    def abort(self, scope: Scope) -> bool:
        """Close the connection of a request, whatever waits on it; tell whether it was known."""
        transport = self._open.get(tuple(scope.get("client") or ()))
        if transport is None:
            return False
        transport.abort()
        return True

    def abort_all(self) -> None:
        """Close every connection, whatever waits on it."""
        for transport in list(self._open.values()):
            transport.abort()


async def gone(receive: Receive) -> None:
    """Leave when the client of a request has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def gone_within(receive: Receive, seconds: float) -> bool:
    """Let real time pass; tell whether the client of a request hung up meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await gone(receive)
    except TimeoutError:
        return False
    return True
