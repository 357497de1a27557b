"""Connections to receivers over TCP, and over TLS."""

import asyncio
import os
import select
import socket
import ssl
import sys
from typing import Final

_MOST_UNREAD: Final = 64 * 1024
"""Bytes after which no more are taken from the network until they are read."""
_CLOSED_IN_HANDSHAKE: Final = "The receiver closed the connection instead of starting TLS"
_NO_TLS: Final = "The receiver sent something before TLS was started"
_HANDSHAKE: Final = 24 * 60 * 60.0
"""Seconds for a handshake, longer than any deadline; asyncio would end it after a minute."""


class ConnectError(Exception):
    """There is no connection; the message says to where, and why."""


class ReadError(Exception):
    """The connection was lost."""


class Stream(asyncio.Protocol):
    """A connection over TCP, and over TLS once that has been started.

    The streams of asyncio cannot say that bytes have come which nobody has asked for.

    Nothing here ends by itself, because a webhook has one deadline.
    """

    _transport: asyncio.Transport

    def __init__(self, where: str) -> None:
        """Begin with the address and port of the receiver, as errors name them."""
        self._where = where
        self._received = bytearray()
        self._has_ended = False
        self._error: Exception | None = None
        self.was_reset = False
        """Whether the receiver had closed it before it read what was sent last."""
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
        # An end that is followed by a reset looks like any other end, but for this.
        sock = self._transport.get_extra_info("socket")
        self.was_reset = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice that the connection is closed, by whomever."""
        self._has_ended = True
        self._error = exc
        self.was_reset = self.was_reset or isinstance(exc, ConnectionError)
        self._wake()

    def _wake(self) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)

    def send(self, data: bytes) -> None:
        """Send bytes, unless the receiver has closed the connection: it may have said why."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def receive(self) -> bytes:
        """Return what comes next: from one byte to 64 KiB, or none at the end.

        Raises:
            ReadError: the connection was lost.
        """
        if not self._received and not self._has_ended:
            self._acknowledge_at_once()
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
        if not self._received and self._error is not None:
            raise ReadError(str(self._error)) from self._error
        was_full = len(self._received) > _MOST_UNREAD
        part = bytes(self._received[:_MOST_UNREAD])
        del self._received[:_MOST_UNREAD]
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

    def close(self) -> None:
        """Close at once: nothing is left to be sent, and no receiver is waited for."""
        self._transport.abort()

    async def encrypt(self, context: ssl.SSLContext, name: str) -> None:
        """Start TLS with a receiver whose certificate is for a name; or else close.

        Raises:
            ConnectError: the certificate is for another name or not trusted, or there is
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

    def _without_tls(self, reason: str) -> ConnectError:
        return ConnectError(f"{self._where}: {reason}")

    def is_readable(self) -> bool:
        """Return whether something can be received, even if it is the end."""
        if self._received or self._has_ended or self._transport.is_closing():
            return True
        # What the event loop has not seen yet.
        return _is_readable(self._transport.get_extra_info("socket").fileno())


async def connect(address: str, port: int) -> Stream:
    """Return a connection to an address.

    Raises:
        ConnectError: there is none; it says where, and why.
    """
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    loop = asyncio.get_running_loop()
    try:
        _, stream = await loop.create_connection(lambda: Stream(where), address, port)
    except OSError as error:
        raise ConnectError(f"{where}: {_reason(error)}") from error
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
