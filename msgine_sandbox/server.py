"""Serving a sandbox over HTTP or HTTPS in this process."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from msgine_sandbox.app import BASE_PATH, app_of
from msgine_sandbox.protocol import protocol_for
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.scenario import load
from msgine_sandbox.settings import ALL_ADDRESSES, Settings, SettingsError

_BACKLOG = 2048  # as uvicorn's own default
_GRACEFUL_STOP = 1  # seconds that requests in flight have when the server stops
_THREAD_STOP = 0.2  # the same for a server in a thread, for which tests wait


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; call `announce` with the base URL once it answers.

    Raises:
        SettingsError: the address cannot be listened on, or TLS is not available.
        DatabaseUnusable: the database file cannot be used.
    """
    with listen(settings) as listener:
        server = build_server(listener, settings, announce)
        # What is loaded by now is never freed, so the garbage collector need not look at it. Fewer
        # collections than by default, because each is a pause in which requests wait.
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        server.run([listener])


def build_server(
    listener: socket.socket,
    settings: Settings,
    announce: Callable[[str], None],
    *,
    configure_logging: bool = True,
) -> Server:
    """Build a sandbox and the server for it, which must run in the thread that called this.

    Without `configure_logging`, the loggers of this process stay as they are.

    Raises:
        SettingsError: TLS is not available.
        DatabaseUnusable: the database file cannot be used.
    """
    tls = _tls(settings) if settings.tls else None
    sandbox = Sandbox(settings)
    sandbox.targets.own_port = listener.getsockname()[1]
    config = _config(sandbox, LOGGING_CONFIG if configure_logging else None)
    config.load()
    config.ssl = tls  # after `load`, which sets it, and which reads certificates from files only
    return Server(config, sandbox, announce)


def _config(sandbox: Sandbox, log_config: dict[str, Any] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app_of(sandbox),
        http=protocol_for(sandbox.connections),
        lifespan="on",
        ws="none",
        log_config=log_config,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACEFUL_STOP,
    )


def base_url(settings: Settings, port: int) -> str:
    """Return the base URL that a client on this machine uses."""
    scheme = "https" if settings.tls else "http"
    host = "localhost" if settings.host in ALL_ADDRESSES else settings.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{BASE_PATH}"


class Server(uvicorn.Server):
    """uvicorn's server, which starts the sandbox first, and ends with status 0 on a signal."""

    def __init__(
        self, config: uvicorn.Config, sandbox: Sandbox, announce: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop
        self._sandbox = sandbox
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, once the sandbox has read its database and its scenario."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._sandbox.lifecycle.start()
            if self._sandbox.settings.scenario is not None:
                await load(self._sandbox, self._sandbox.settings.scenario)
        except BaseException:
            await self._sandbox.lifecycle.close()
            raise
        await super().startup(sockets)
        self._announce(base_url(self._sandbox.settings, self._sandbox.targets.own_port or 0))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop on SIGTERM and SIGINT; uvicorn would raise the signal again after it has stopped."""
        self.stop()

    def stop(self, within: float | None = None) -> None:
        """Stop soon; may be called from any thread and from a signal handler.

        Requests in flight are cut off after `within` seconds.
        """
        self.should_exit = True
        # What waits, such as an event stream, ends now; uvicorn would wait for it.
        self._loop.call_soon_threadsafe(self._sandbox.lifecycle.stop)
        if within is not None:
            cut = self._sandbox.connections.abort_all
            self._loop.call_soon_threadsafe(self._loop.call_later, within, cut)


class ServerThread:
    """A server in a thread of this process, which answers from its construction until `stop`.

    It has an event loop of its own. The signals, loggers and garbage collector of the process stay
    as they are.
    """

    def __init__(self, settings: Settings) -> None:
        """Start it.

        Raises:
            SettingsError: a setting cannot be used; the address cannot be listened on, for example.
            DatabaseUnusable: the database file cannot be used.
        """
        self.settings = settings
        self.base_url = ""
        self._server: Server | None = None
        self._failure: BaseException | None = None
        self._answers = threading.Event()
        listener = listen(settings)
        # A daemon, so that a forgotten `stop` does not keep the process from ending.
        self._thread = threading.Thread(
            target=self._run, args=[listener], name="msgine-sandbox", daemon=True
        )
        self._thread.start()
        self._answers.wait()
        self._raise_failure()

    def stop(self) -> None:
        """Stop serving; without effect the second time."""
        if self._server is not None and self._thread.is_alive():
            self._server.stop(within=_THREAD_STOP)
        self._thread.join()

    def __enter__(self) -> ServerThread:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener:
                # Built in the thread, because SQLite's connection belongs to the one that opens it.
                self._server = build_server(
                    listener, self.settings, self._announce, configure_logging=False
                )
                self._server.run([listener])
        except BaseException as failure:
            self._failure = failure  # raised by the constructor, in the caller's thread
        finally:
            self._answers.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def _announce(self, base_url: str) -> None:
        self.base_url = base_url
        self._answers.set()


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the address.

    Raises:
        SettingsError: it cannot be listened on.
    """
    try:
        [(family, kind, _, _, address), *_] = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = _listener(family, kind, address)
    except (OSError, UnicodeError) as error:
        why = str(getattr(error, "strerror", None) or error).lower()
        where = f"{settings.host}:{settings.port}"
        raise SettingsError(f"Cannot listen on {where}: {why}.") from error
    return listener


def _listener(family: int, kind: int, address: Any) -> socket.socket:
    listener = socket.socket(family, kind)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # At once, and not only in uvicorn: two processes may bind an address, but not listen on it,
        # and the second one must fail here.
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        import trustme
    except ModuleNotFoundError as error:
        raise SettingsError("--tls needs: pip install 'msgine-sandbox[tls]'") from error
    authority = trustme.CA(organization_name="msgine-sandbox")
    names = {"localhost", "127.0.0.1", "::1", *settings.allowed_host}
    names |= {settings.host} - ALL_ADDRESSES
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        authority.issue_cert(*sorted(names)).configure_cert(context)
    except (ValueError, UnicodeError) as error:
        raise SettingsError(f"--tls cannot certify {', '.join(sorted(names))}: {error}.") from error
    if settings.tls_ca is not None:
        try:
            Path(settings.tls_ca).write_bytes(authority.cert_pem.bytes())
        except OSError as error:
            raise SettingsError(f"Cannot write {settings.tls_ca}: {error.strerror}.") from error
    return context
