"""What all connections write in one turn of the event loop, which is done together at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

MOST_COLLECTED: Final = 64 * 1024
"""Bytes of all connections, as much as a transport takes before it lets its response wait."""


class Writes:
    """Collects what connections write, and passes it on at the end of the turn.

    To wake a client that waits costs more than the rest of a write. One that uses several
    connections is woken once for all its responses of a turn, so that a read takes a quarter less.
    """

    def __init__(self) -> None:
        self.pending: list[tuple[asyncio.Transport, bytes]] = []
        self._size = 0

    def add(self, transport: asyncio.Transport, data: bytes) -> None:
        """Collect what a connection writes, unless it becomes too much."""
        self.pending.append((transport, data))
        self._size += len(data)
        if self._size > MOST_COLLECTED:
            # A response in many parts may come in a single turn. Only what has been written makes
            # it wait for a client that reads slowly.
            self.flush()

    def flush(self) -> None:
        """Write at once what has been collected."""
        pending, self.pending = self.pending, []
        self._size = 0
        for transport, data in pending:
            _write(transport, data)


class CollectingTransport(asyncio.Transport):
    """A transport whose writes are collected; what ends it comes after what was written before."""

    def __init__(
        self,
        transport: asyncio.Transport,
        writes: Writes,
        loop: asyncio.AbstractEventLoop,
        answering: Collection[object],
    ) -> None:
        """Take a connection's transport; `answering` has all requests that are being answered."""
        self._transport = transport
        self._writes = writes
        self._loop = loop
        self._answering = answering

    def write(self, data: Any) -> None:
        if not self._writes.pending:
            if len(self._answering) <= 1:
                # A client that sends one request after the other must not wait for the turn's end,
                # which takes a tenth of what its request takes.
                _write(self._transport, data)
                return
            self._loop.call_soon(self._writes.flush)
        self._writes.add(self._transport, data)

    def write_eof(self) -> None:
        self._writes.flush()
        if not self._transport.is_closing():  # as in `_write`
            self._transport.write_eof()

    def close(self) -> None:
        self._writes.flush()
        self._transport.close()

    def abort(self) -> None:
        self._writes.flush()
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        self._writes.flush()
        return self._transport.get_write_buffer_size()

    # Method by method, because `__getattr__` would slow each access to an attribute down.

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def can_write_eof(self) -> bool:
        return self._transport.can_write_eof()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._transport.get_protocol()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._transport.get_write_buffer_limits()

    def is_reading(self) -> bool:
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()


def _write(transport: asyncio.Transport, data: bytes) -> None:
    # The connection may have been lost meanwhile. uvloop raises an error where it is closed, and
    # the responses after this one would never be written.
    if not transport.is_closing():
        transport.write(data)
