"""Receivers of webhooks: some answer at once, and others fail in every way that they can."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Webhook = tuple[str, str, str]
"""The message, the event and the recipient."""

_LATE = 0.5


class Receivers:
    """One server, whose paths behave differently; the first two accept what they receive."""

    def __init__(self) -> None:
        self.port = 0
        self.accepted: Counter[Webhook] = Counter()
        """How often each webhook was received by a receiver that answers 200."""
        self.count = 0
        self.failed: Counter[str] = Counter()
        """How many webhooks were received at the other paths."""
        self._open: set[Writer] = set()
        self._fail: dict[str, Callable[[Reader, Writer], Awaitable[None]]] = {
            "error": _error,
            "hang": _hang,
            "close": _close,
            "redirect": _redirect,
            "drip": _drip,
        }

    def url(self, name: str) -> str:
        """Return the URL of a receiver: `good`, `slow` or one of `failing`."""
        return f"http://127.0.0.1:{self.port}/{name}"

    @property
    def failing(self) -> list[str]:
        """The names of receivers that never accept."""
        return list(self._fail)

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection."""
        self._open.add(writer)
        try:
            # RuntimeError is what uvloop makes of writing to a connection that the peer has reset.
            with suppress(ConnectionError, RuntimeError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    length = int(head.lower().split("content-length:")[1].split("\r\n")[0])
                    body = await reader.readexactly(length)
                    name = head.split(" ", 2)[1].strip("/")
                    if name in self._fail:
                        self.failed[name] += 1
                        await self._fail[name](reader, writer)
                    else:
                        await self._accept(name, body, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _accept(self, name: str, body: bytes, writer: Writer) -> None:
        if name == "slow":
            await asyncio.sleep(_LATE)
        content = msgspec.json.decode(body)
        self.accepted[content["messageId"], content["event"], content["to"]] += 1
        self.count += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def close(self) -> None:
        """Cut every connection."""
        for each in list(self._open):
            each.transport.abort()


async def _error(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


async def _redirect(_: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 302 There\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n")


async def _close(_: Reader, writer: Writer) -> None:
    raise ConnectionError


async def _hang(reader: Reader, _: Writer) -> None:
    await reader.read()
    raise ConnectionError


async def _drip(reader: Reader, writer: Writer) -> None:
    """Answer with a byte every 0.2 s, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    ended = asyncio.create_task(_end(reader))
    while not ended.done():
        writer.write(b".")
        await asyncio.wait([ended], timeout=0.2)
    raise ConnectionError


async def _end(reader: Reader) -> None:
    with suppress(ConnectionError):
        await reader.read()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receivers]:
    """Run the receivers inside the block."""
    receivers = Receivers()
    server = await asyncio.start_server(receivers.serve, "127.0.0.1", 0)
    receivers.port = server.sockets[0].getsockname()[1]
    try:
        yield receivers
    finally:
        server.close()
        receivers.close()
