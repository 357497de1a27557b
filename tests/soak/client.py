"""An HTTP client that costs little, so that what it measures is the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httptools
import msgspec

LIMIT = 60  # seconds; only an answer that never comes takes so long


@dataclass
class Answer:
    """A response; one without a status stands for none, and its error says why."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)

    @property
    def content(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> str:
        """The code and the message of a refusal."""
        error = self.content["error"]
        return f"{error['code']}: {error['message']}"


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._answered: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        self._answered = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self.transport.write(request)
        return await self._answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.is_open = True

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        if not self._parser.should_keep_alive():
            self.is_open = False
            self.transport.close()
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._answer)


class Client:
    """Calls a server over as many kept connections as there are calls at the same time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Iterable[str] = (),
    ) -> Answer:
        """Send a request, and return its response."""
        try:
            connection = await self._connection()
            try:
                async with asyncio.timeout(LIMIT):
                    return await connection.ask(request(method, path, body, token, headers))
            except BaseException:
                connection.is_open = False
                connection.transport.abort()
                raise
            finally:
                if connection.is_open:
                    self._idle.append(connection)
        except (ConnectionError, TimeoutError) as error:
            text = f"{type(error).__name__} {error}".strip()
            why = {"error": {"code": "no_answer", "message": text}}
            return Answer(body=bytearray(msgspec.json.encode(why)))

    async def abandon(self, request: bytes, after: float) -> None:
        """Send a request, and hang up after some seconds."""
        async with connected(self._port) as (_, writer):
            writer.write(request)
            await asyncio.sleep(after)

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        return connection

    def close(self) -> None:
        """Close every connection that is idle."""
        for each in self._idle:
            each.transport.close()
        self._idle.clear()


def request(
    method: str,
    path: str,
    body: Any = None,
    token: str | None = None,
    headers: Iterable[str] = (),
) -> bytes:
    """Return the bytes of a request; a body is sent as JSON."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    content = b""
    if body is not None:
        content = msgspec.json.encode(body)
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@asynccontextmanager
async def connected(
    port: int, *, buffer: int = 65536
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection of its own for the block, which reads no more than a buffer ahead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=buffer)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
