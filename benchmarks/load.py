"""A load of keep-alive connections, each sending its next request when it has its answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

CONNECTIONS = 32

Write = Callable[[int], bytes]
"""Returns the bytes of the request with a number."""


@dataclass(frozen=True)
class Result:
    """What a load came to."""

    requests: int
    seconds: float
    statuses: dict[bytes, int]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class _Connection(asyncio.Protocol):
    """Speaks as much HTTP/1.1 as answers with a Content-Length need."""

    def __init__(self, take: Callable[[], bytes | None], done: asyncio.Future[None]) -> None:
        self._take = take
        self._done = done
        self._buffer = b""
        self.statuses: dict[bytes, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(rest) >= length:
            status = head[9:12]
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self._buffer = rest[length:]
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed by the server"))

    def _next(self) -> None:
        request = self._take()
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def run(port: int, requests: int, write: Write) -> Result:
    """Send so many requests over all connections, as fast as they are answered."""
    return _with_loop(_run(port, requests, write))


async def _run(port: int, requests: int, write: Write) -> Result:
    loop = asyncio.get_running_loop()
    numbers = iter(range(requests))

    def take() -> bytes | None:
        number = next(numbers, None)
        return None if number is None else write(number)

    connections, done = [], []
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        done.append(loop.create_future())
        _, protocol = await loop.create_connection(
            lambda: _Connection(take, done[-1]), "127.0.0.1", port
        )
        connections.append(protocol)
    await asyncio.gather(*done)
    seconds = time.perf_counter() - began
    statuses: dict[bytes, int] = {}
    for each in connections:
        for status, count in each.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return Result(requests, seconds, statuses)


def _with_loop(work):
    loop = new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


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
