"""Connections of asyncio to receivers, as httpcore reads and writes them."""

import asyncio
import os
import select
import socket
import ssl
import sys
from typing import Any, Final

import httpcore

_MOST_UNREAD: Final = 64 * 1024
"""Bytes after which no more are taken from the network until they are read."""
_CLOSED_IN_HANDSHAKE: Final = "The receiver closed the connection instead of starting TLS"
_NO_TLS: Final = "The receiver sent something before TLS was started"
_HANDSHAKE: Final = 24 * 60 * 60.0
"""Seconds for a handshake, longer than any deadline; asyncio would end it after a minute."""


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """A connection over TCP, and over TLS once that has been started.

    httpcore has streams of anyio, with which an exchange takes half as long again. The streams of
    asyncio cannot say that bytes have come which nobody has asked for.

    Nothing here ends by itself: a webhook has one deadline, and httpcore's timeouts are not set.
    """

    _transport: asyncio.Transport

    def __init__(self, where: str) -> None:
        """Begin with the address and port of the receiver, as errors name them."""
        self._where = where
        self._unsent = b""
        self._received = bytearray()
        self._has_ended = False
        self._error: Exception | None = None
        self._awaited: asyncio.Future[None] | None = None
        """Done once there is something to read, if only the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio calls this before the connection is used."""
        self._transport = transport  # type: ignore[assignment]  # that of a connection

    def data_received(self, data: bytes) -> None:
        """Keep bytes until they are read."""
        self._received += data
        if len(self._received) > _MOST_UNREAD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Notice that the receiver sends no more; asyncio then closes the connection."""
        self._has_ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice that the connection is closed, by whomever."""
        self._has_ended = True
        self._error = exc
        self._wake()

    def _wake(self) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send bytes with the next `read`: httpcore writes a head and a body, one small packet."""
        self._unsent += buffer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Send what was written, and return at least one byte of what comes, or none at the end.

        Raises:
            httpcore.ReadError: the connection was lost.
        """
        if self._unsent and not self._transport.is_closing():
            self._transport.write(self._unsent)
            self._unsent = b""
        if not self._received and not self._has_ended:
            self._acknowledge_at_once()
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
        if not self._received and self._error is not None:
            raise httpcore.ReadError(str(self._error)) from self._error
        was_full = len(self._received) > _MOST_UNREAD
        part = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        if was_full and len(self._received) <= _MOST_UNREAD and not self._transport.is_closing():
            self._transport.resume_reading()
        return part

    def _acknowledge_at_once(self) -> None:
        """Let the kernel acknowledge what comes next without waiting for something to send.

        Receivers such as Python's `http.server` send a head and a body one after the other, and
        the body only once the head is acknowledged, for which Linux otherwise takes 40 ms. It soon
        forgets that it was asked.
        """
        if sys.platform == "linux" and not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    async def aclose(self) -> None:
        """Close at once: nothing is left to be sent, and no receiver is waited for."""
        self._transport.abort()

    async def encrypt(self, context: ssl.SSLContext, name: str) -> None:
        """Start TLS with a receiver whose certificate is for a name; or else close.

        Raises:
            httpcore.ConnectError: the certificate is for another name or not trusted, or there is
                no TLS.
        """
        if self._received or self._has_ended:
            # With uvloop, it may come before this. It must not be taken for the response.
            self._transport.abort()
            raise self._without_tls(_NO_TLS if self._received else _CLOSED_IN_HANDSHAKE)
        loop, encrypted = asyncio.get_running_loop(), None
        try:
            encrypted = await loop.start_tls(
                self._transport,
                self,
                context,
                server_hostname=name,
                ssl_handshake_timeout=_HANDSHAKE,
            )
        except OSError as error:  # as those of TLS are
            raise self._without_tls(str(error) or _CLOSED_IN_HANDSHAKE) from error
        finally:
            if encrypted is None:
                self._transport.abort()
        if encrypted is None:
            raise self._without_tls(_CLOSED_IN_HANDSHAKE)
        self._transport = encrypted

    def _without_tls(self, reason: str) -> httpcore.ConnectError:
        return httpcore.ConnectError(f"{self._where}: {reason}")

    def get_extra_info(self, info: str) -> Any:
        """Return whether something can be read, even if it is the end; httpcore asks only that."""
        if info != "is_readable":
            return None
        if self._received or self._has_ended or self._transport.is_closing():
            return True
        # What the event loop has not seen yet.
        return _is_readable(self._transport.get_extra_info("socket").fileno())


async def connect(address: str, port: int) -> Stream:
    """Return a connection to an address.

    Raises:
        httpcore.ConnectError: there is none; it says where, and why.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    loop = asyncio.get_running_loop()
    try:
        _, stream = await loop.create_connection(lambda: Stream(where), address, port)
    except OSError as error:
        raise httpcore.ConnectError(f"{where}: {_reason(error)}") from error
    return stream


def _reason(error: OSError) -> str:
    if error.errno and os.name == "posix":  # asyncio's own text says where instead of why
        return os.strerror(error.errno)
    return error.strerror or str(error)


def _is_readable(descriptor: int) -> bool:
    if sys.platform == "win32":  # where there is no `poll`, and `select` takes any descriptor
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
