"""The connections that are open, so that faults can close them, and those that are kept too long.

ASGI gives no access to connections: the server's protocol class registers them here, and a request
is matched with its own by the client's address.
"""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Final, Protocol

from starlette.types import Receive

from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.model.errors import ApiError, ServiceUnavailable

Client = tuple[str, int]

MAX_IDLE: Final = 1000
"""Connections that are kept without a request. Clients keep theirs for a minute or longer."""
MAX_SECONDS: Final = 30.0
"""Seconds in which a client must send a request: 30 for its head, and 30 for its body."""


class Connection(Protocol):
    """A connection to this server."""

    client: Client | None
    """None for a Unix socket, and for a client that disconnected at once."""
    transport: asyncio.Transport

    def time_out(self) -> None:
        """End it, because what the client has to send has not come in time."""

    def refuse(self, error: ApiError) -> None:
        """Answer with an error, and read no more."""


class Connections:
    """The open connections of the server that serves this sandbox."""

    def __init__(
        self,
        *,
        max_open: int = sys.maxsize,
        max_idle: int = MAX_IDLE,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._max_open = max_open
        self._max_idle = max_idle
        self.max_seconds = max_seconds
        self._all: set[Connection] = set()
        self._open: dict[Client, Connection] = {}
        """By the client's address."""
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        """Those whose requests are answered; first the one that is idle for longest."""
        self._deadlines: OrderedDict[Connection, float] = OrderedDict()
        """When those that owe a request, or the rest of one, time out; the earliest first."""
        self._timer: asyncio.TimerHandle | None = None
        """One for all connections, because setting one for each request would cost more."""

    def opened(self, connection: Connection) -> None:
        """Register a connection, from which a first request must come."""
        if connection.client is not None:
            self._open[connection.client] = connection
        self._all.add(connection)
        if len(self._all) > self._max_open:
            self._make_room_for(connection)
        self.set_deadline(connection)

    def _make_room_for(self, connection: Connection) -> None:
        """Close the connection that is idle for longest, or has owed a request for longest."""
        if self._idle or self._deadlines:
            longest = next(iter(self._idle or self._deadlines))
            self.closed(longest)  # at once, or several would be opened in its place
            longest.transport.abort()
        else:
            what = f"{self._max_open} connections are open, as many as the sandbox may have"
            connection.refuse(ServiceUnavailable(what))

    def closed(self, connection: Connection) -> None:
        """Unregister a connection."""
        # Its client may have the same address again already.
        if connection.client is not None and self._open.get(connection.client) is connection:
            del self._open[connection.client]
        self._all.discard(connection)
        self.busy(connection)
        self.clear_deadline(connection)

    def set_deadline(self, connection: Connection) -> None:
        """Time a connection out in `max_seconds` from now, unless this is called again before."""
        loop = asyncio.get_running_loop()
        self._deadlines[connection] = loop.time() + self.max_seconds
        self._deadlines.move_to_end(connection)
        if self._timer is None:
            self._timer = loop.call_later(self.max_seconds, self._time_out_late_ones)

    def clear_deadline(self, connection: Connection) -> None:
        """Let a connection be without a deadline: its request is being answered, or it is idle."""
        self._deadlines.pop(connection, None)

    def idle(self, connection: Connection) -> None:
        """Keep a connection without a request; close the one idle for longest if they are many."""
        self._idle[connection] = None
        if len(self._idle) > self._max_idle:
            longest, _ = self._idle.popitem(last=False)
            longest.transport.close()

    def busy(self, connection: Connection) -> None:
        """Note that a connection is used again."""
        self._idle.pop(connection, None)

    def time_out(self, now: float) -> None:
        """Time out the connections whose deadline, in the event loop's time, has come."""
        late = list(takewhile(lambda each: each[1] <= now, self._deadlines.items()))
        for connection, _ in late:
            self.clear_deadline(connection)
            connection.time_out()

    def _time_out_late_ones(self) -> None:
        loop = asyncio.get_running_loop()
        self.time_out(loop.time())
        first = next(iter(self._deadlines.values()), None)
        self._timer = None if first is None else loop.call_at(first, self._time_out_late_ones)

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
        connection = self._open.get(tuple(context.scope.get("client") or ()))
        if connection is None:
            return False
        connection.transport.abort()
        return True


async def disconnected(receive: Receive) -> None:
    """Return when the client of a request has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


@contextmanager
def on_disconnect(receive: Receive, act: Callable[[], None]) -> Iterator[None]:
    """Call a function when the client disconnects inside the block."""

    async def watch() -> None:
        await disconnected(receive)
        act()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        if not watching.get_loop().is_closed():  # it may have ended inside the block
            watching.cancel()


async def disconnected_within(receive: Receive, seconds: float) -> bool:
    """Wait for so many seconds of real time; return whether the client disconnected meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await disconnected(receive)
    except TimeoutError:
        return False
    return True
