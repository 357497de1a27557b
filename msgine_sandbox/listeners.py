"""The sockets that the server listens on: one for each address of its host, all on one port."""

import errno
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

from msgine_sandbox.settings import Settings, SettingsError

BACKLOG: Final = 2048
"""Connections that may wait to be accepted; uvicorn's own default."""
_FREE_PORTS: Final = 20
"""Ports that are tried with port 0, until one is free on every address."""


def listen(settings: Settings) -> list[socket.socket]:
    """Return sockets that listen on every address of the host, all on one port.

    Raises:
        SettingsError: none, or not all of those that this machine has, can be listened on.
    """
    try:
        host = settings.host
        found = socket.getaddrinfo(
            # As bytes if it can be, because a text is encoded by a module with large tables.
            host.encode() if host.isascii() else host,
            settings.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        return _listeners({address: family for family, _, _, _, address in found}, settings.port)
    except (OSError, UnicodeError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        raise SettingsError(f"{_at_fault(settings, error)}: {why}.") from error


def _at_fault(settings: Settings, error: Exception) -> str:
    """Return the beginning of a sentence about the setting that an error is about."""
    # The look-up of a name has errors of its own, with other numbers.
    number = None if isinstance(error, socket.gaierror) else getattr(error, "errno", None)
    if number in {errno.EADDRINUSE, errno.EACCES}:
        return f"--port {settings.port} cannot be listened on at {settings.host}"
    return f"--host {settings.host} cannot be listened on"


def _listeners(addresses: Mapping[Any, int], port: int) -> list[socket.socket]:
    for _ in range(_FREE_PORTS - 1):
        try:
            return _on_one_port(addresses, port)
        except OSError as error:
            # The port that was free on the first address may be taken on another.
            if port or error.errno != errno.EADDRINUSE:
                raise
    return _on_one_port(addresses, port)


def _on_one_port(addresses: Mapping[Any, int], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    missing: OSError | None = None
    with ExitStack() as opened:
        for address, family in addresses.items():
            host, _, *scope = address
            try:
                listener = _listener(family, (host, port, *scope), alone=len(addresses) == 1)
            except OSError as error:
                # `localhost` may name an address of a family that this machine does not have.
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    raise
                missing = error
            else:
                listeners.append(opened.enter_context(listener))
                port = listener.getsockname()[1]
        if not listeners and missing is not None:
            raise missing
        opened.pop_all()
    return listeners


def _listener(family: int, address: Any, *, alone: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and not alone:
            # Or `::` would take the port on the addresses of IPv4 as well.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        # At once, and not only in uvicorn: two processes may bind an address, but not listen on it,
        # and the second one must fail here.
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
