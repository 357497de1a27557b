"""A load of keep-alive connections, each sending its next request when it has its answer."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

CONNECTIONS = 32

Write = Callable[[int], bytes]
"""Returns the bytes of the request with a number."""

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """What a load came to."""

    requests: int
    seconds: float
    statuses: dict[bytes, int]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    def expect(self, status: int) -> "Result":
        """Raise RuntimeError unless all have that status: refusals would be fast."""
        if set(self.statuses) != {str(status).encode()}:
            raise RuntimeError(f"not every answer was {status}: {self.statuses}")
        return self


class _Connection(asyncio.Protocol):
    """Speaks as much HTTP/1.1 as answers with a Content-Length, or in chunks, need.

    Where the server closes after each answer, the next request is sent over a new connection.
    """

    def __init__(self, port: int, pause: float) -> None:
        self._port = port
        self._pause = pause
        self._buffer = b""
        self._opening: asyncio.Task[object] | None = None
        self._take: Callable[[], bytes]
        self._done: asyncio.Future[None] | None = None
        self.statuses: dict[bytes, int] = {}

    def start(self, take: Callable[[], bytes], done: "asyncio.Future[None]") -> None:
        """Send requests until `take` raises StopIteration."""
        self._take, self._done, self.statuses = take, done, {}
        self._next()

    def close(self) -> None:
        self._done = None
        self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or (length := _length(head.lower(), rest)) is None or len(rest) < length:
            return
        status = head[9:12]
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._buffer = rest[length:]
        if b"\nconnection: close" in head.lower():
            self._transport.close()
            self._opening = asyncio.ensure_future(self._reopen())
        else:
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if self._opening is None and self._done is not None and not self._done.done():
            self._done.set_exception(error or ConnectionError("closed by the server"))

    async def _reopen(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(partial(_same, self), "127.0.0.1", self._port)
        self._next()

    def _next(self) -> None:
        if self._pause:
            ends = time.perf_counter() + self._pause
            while time.perf_counter() < ends:
                pass  # at work, as a client is that has more to do than this one
        try:
            self._transport.write(self._take())
        except StopIteration:
            if self._done is not None:
                self._done.set_result(None)


class Load:
    """Connections to a server, which are opened before a burst and closed after it.

    The client is busy for `pause` seconds before each request. Without, it is as fast as it can be.
    """

    def __init__(self, port: int, connections: int = CONNECTIONS, pause: float = 0.0) -> None:
        self._port = port
        self._count = connections
        self._pause = pause
        self._loop = new_event_loop()
        self._connections: list[_Connection] = []

    def __enter__(self) -> "Load":
        self._connections = self._run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for each in self._connections:
            each.close()
        self._run(asyncio.sleep(0))
        self._loop.close()

    def burst(self, requests: int, write: Write) -> Result:
        """Send so many requests over all connections, as fast as they are answered."""
        # Written before, so that the server and not this client is what limits the rate.
        return self._run(self._burst([write(number) for number in range(requests)]))

    async def _open(self) -> list[_Connection]:
        loop = asyncio.get_running_loop()
        connections = [_Connection(self._port, self._pause) for _ in range(self._count)]
        for each in connections:
            await loop.create_connection(partial(_same, each), "127.0.0.1", self._port)
        return connections

    async def _burst(self, written: Sequence[bytes]) -> Result:
        loop = asyncio.get_running_loop()
        take = iter(written).__next__
        done = [loop.create_future() for _ in self._connections]
        began = time.perf_counter()
        for connection, ended in zip(self._connections, done, strict=True):
            connection.start(take, ended)
        await asyncio.gather(*done)
        seconds = time.perf_counter() - began
        statuses: dict[bytes, int] = {}
        for each in self._connections:
            for status, count in each.statuses.items():
                statuses[status] = statuses.get(status, 0) + count
        return Result(len(written), seconds, statuses)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)


def run(port: int, requests: int, write: Write) -> Result:
    """Send so many requests over connections of their own."""
    with Load(port) as load:
        return load.burst(requests, write)


def post(path: str, body: bytes, *headers: str) -> bytes:
    """Write a POST as an SDK would send it."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path: str, *headers: str) -> bytes:
    """Write a GET as an SDK would send it."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers]).encode() + b"\r\n\r\n"


def _same(connection: _Connection) -> _Connection:
    return connection


def _length(head: bytes, rest: bytes) -> int | None:
    """Return how long the body of an answer is; None while that cannot be told."""
    if b"transfer-encoding: chunked" in head:
        end = rest.find(b"0\r\n\r\n")
        return None if end < 0 or not rest.endswith(b"0\r\n\r\n") else len(rest)
    return int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
