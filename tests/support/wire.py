"""A sandbox that is served in this process, and a client that writes HTTP byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from box import NUMBER
from matching import assert_refused

from msgine_sandbox.listeners import listen
from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.server import Server, config_of
from msgine_sandbox.settings import Settings

BODY = json.dumps({"to": NUMBER, "message": "Hello"}).encode()
HEALTH = b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def head(
    *fields: str, path: str = "/api/v1/messages/sms", method: str = "POST", version: str = "1.1"
) -> bytes:
    """The head of a request by the account `test_wire`, with further header fields."""
    lines = [
        f"{method} {path} HTTP/{version}",
        "Host: localhost",
        "Authorization: Bearer test_wire",
        "Content-Type: application/json",
        *fields,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def post(*fields: str, **kwargs: str) -> bytes:
    """A whole request that sends an SMS."""
    return head(f"Content-Length: {len(BODY)}", *fields, **kwargs) + BODY


def chunked(*fields: str, body: bytes = BODY, trailers: str = "", extension: str = "") -> bytes:
    """The same with a body in two chunks."""
    parts = [
        f"{len(part):x}{extension}\r\n".encode() + part + b"\r\n" for part in (body[:9], body[9:])
    ]
    end = f"0\r\n{trailers}\r\n".encode("latin-1")
    return head("Transfer-Encoding: chunked", *fields) + b"".join(parts) + end


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, *packets: bytes) -> None:
        """Write, though the server may have closed the connection meanwhile."""
        with suppress(ConnectionError):
            for packet in packets:
                self._writer.write(packet)
                await self._writer.drain()
                await asyncio.sleep(0)  # the next one is a packet of its own

    async def answer(self) -> httpx.Response:
        """Read one answer."""
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = httpx.Headers([tuple(line.split(": ", 1)) for line in lines[1:] if line])
        body = await self._reader.readexactly(int(headers["content-length"]))
        return httpx.Response(int(lines[0].split()[1]), headers=headers, content=body)

    async def line(self) -> str:
        """Read one line of an answer, without its end."""
        return (await self._reader.readuntil(b"\r\n")).decode("latin-1").rstrip()

    async def ask(self, *packets: bytes) -> httpx.Response:
        await self.write(*packets)
        return await self.answer()

    async def status(self, *packets: bytes) -> int:
        return (await self.ask(*packets)).status_code

    async def refused(self, status: int, code: str) -> dict[str, Any]:
        """Read an answer that ends the connection, and return its error."""
        answer = await self.answer()
        assert answer.headers["connection"] == "close"
        assert await self.is_closed()
        return assert_refused(answer, status, code)

    async def is_closed(self) -> bool:
        """Wait until the server sends something, or has closed the connection."""
        try:
            return await self._reader.read(1) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@dataclass
class Served:
    """A sandbox and the port that it listens on."""

    sandbox: Sandbox
    port: int

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Wire]:
        """Open a connection inside the block."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield wire
        finally:
            await wire.close()

    async def messages(self) -> list[str]:
        """The texts of the messages of `test_wire`, the oldest first."""
        async with self.connected() as wire:
            found = await wire.ask(head(method="GET", path="/_sandbox/messages"))
            return [each["message"] for each in found.json()["data"]][::-1]

    async def after(self, seconds: float) -> None:
        """Act as if so many seconds had passed since now, where all that was sent is received."""
        async with self.connected() as last:
            assert await last.status(HEALTH) == 200
        connections = self.sandbox.connections
        connections.time_out(asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def served(**bounds: float) -> AsyncIterator[Served]:
    """Serve a sandbox with lower bounds inside the block, on the event loop of the test."""
    built = Sandbox(Settings(port=0, tier="unlimited"), bounds=Bounds(**bounds))
    listeners = listen(built.settings)
    port = listeners[0].getsockname()[1]
    answers = asyncio.Event()
    server = Server(config_of(built), built, lambda _: answers.set())
    running = asyncio.create_task(server.serve(listeners))
    await answers.wait()
    try:
        yield Served(built, port)
    finally:
        server.stop()
        await running
