"""Serving a sandbox over HTTP or HTTPS in this process."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO, cast

import uvicorn

from msgine_sandbox.app import app_of
from msgine_sandbox.asgi.body import MAX_HEAD
from msgine_sandbox.listeners import BACKLOG, listen
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.protocol import protocol_for
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import ALL_ADDRESSES, BASE_PATH, Settings, SettingsError
from msgine_sandbox.standard_error import StandardErrorStream, takes_colours
from msgine_sandbox.storage.failure import disk_failure
from msgine_sandbox.storage.file import DatabaseUnusable, create_private

if TYPE_CHECKING:
    from msgine_sandbox.request_log import RequestLog

_errors = logging.getLogger(__name__)

_ACCEPTED_AT_ONCE = 32  # connections, before those over the bound are closed
_GRACEFUL_STOP = 1  # seconds that requests in flight have when the server stops
_SLOW_CLIENTS = 0.9  # seconds after which clients that do not read are cut off
_LONGEST_STOP = 1.8  # seconds after which the process ends, whatever hangs
_IMPORTS_AFTER = 0.02  # seconds from the start: after the first answer, before most tests begin
_STANDARD_INPUT = 0
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE})


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until it is told to stop; call `announce` with the base URL once it answers.

    SIGTERM and SIGINT stop it, and under `stop_with_stdin` the end of standard input.

    Raises:
        SettingsError: the address cannot be listened on, or TLS is not available.
        DatabaseUnusable: the database file cannot be used.
        Exception: what `announce` raises.
    """
    listeners = listen(settings)
    with ExitStack() as opened:
        for each in listeners:
            opened.enter_context(each)
        output = opened.enter_context(StandardErrorStream(sys.stderr))
        opened.enter_context(redirect_stderr(cast(TextIO, output)))
        server = build_server(listeners, settings, announce, output)
        threading.Thread(target=_stop_in_time, args=(server, output), daemon=True).start()
        # What is loaded by now is never freed, so the garbage collector need not look at it. Fewer
        # collections than by default, because each is a pause in which requests wait.
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        gc.enable()
        server.run(listeners)


def _stop_in_time(server: Server, output: StandardErrorStream) -> None:
    """Stop the server once it is told to, and end the process where something hangs then."""
    server.stops.get()
    server.stop()
    time.sleep(_LONGEST_STOP)
    # What was acknowledged is stored, as it is when the process is killed.
    output.write(f"It did not stop within {_LONGEST_STOP} s, and is ended.\n")
    output.flush()
    os._exit(0)


def build_server(
    listeners: Sequence[socket.socket],
    settings: Settings,
    announce: Callable[[str], None],
    output: StandardErrorStream,
) -> Server:
    """Build a sandbox and the server for it, which must run in the thread that called this.

    Raises:
        SettingsError: TLS is not available, or a file with certificates cannot be used.
        DatabaseUnusable: the database file cannot be used.
    """
    tls = _tls(settings) if settings.tls else None
    # A parent process that waits for this one runs the code under test: beside it, in the same
    # container if in any, so that `localhost` means the same to both.
    sandbox = Sandbox(settings, in_container=False if settings.stop_with_stdin else None)
    sandbox.targets.own_port = listeners[0].getsockname()[1]
    config = config_of(sandbox)
    config.load()
    config.ssl = tls  # after `load`, which sets it, and which reads certificates from files only
    log = None if settings.quiet else _log(sandbox, output)
    return Server(config, sandbox, announce, log)


def _log(sandbox: Sandbox, output: StandardErrorStream) -> RequestLog:
    from msgine_sandbox.request_log import RequestLog  # here, because a quiet sandbox has none

    coloured = takes_colours(output, os.environ)
    return RequestLog(
        sandbox.bus, sandbox.accounts, sandbox.real, output, sandbox.form, coloured=coloured
    )


def config_of(sandbox: Sandbox) -> uvicorn.Config:
    """Return uvicorn's configuration for a sandbox."""
    return uvicorn.Config(
        app_of(sandbox),
        http=protocol_for(sandbox),
        h11_max_incomplete_event_size=MAX_HEAD,
        lifespan="on",
        ws="none",
        backlog=_ACCEPTED_AT_ONCE,
        log_level="warning",
        access_log=False,
        use_colors=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACEFUL_STOP,
    )


def base_url(settings: Settings, port: int) -> str:
    """Return the base URL that a client on this machine uses."""
    scheme = "https" if settings.tls else "http"
    host = "localhost" if settings.host in ALL_ADDRESSES else settings.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{settings.root}{BASE_PATH}"


class Server(uvicorn.Server):
    """uvicorn's server, which starts the sandbox first, and ends with status 0 on a signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        sandbox: Sandbox,
        announce: Callable[[str], None],
        log: RequestLog | None = None,
    ) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.stops: SimpleQueue[object] = SimpleQueue()
        """Gets an element when the process is to stop: a signal, or the end of standard input."""
        # What uvicorn calls on a signal. Code in Python can itself be interrupted by the next
        # signal, and so by many, each one call deeper; this is one call in C, and takes no lock.
        # uvicorn's own would also raise the signal again after the server has stopped.
        self.handle_exit = self.stops.put  # type: ignore[method-assign,assignment]
        self._sandbox = sandbox
        self._announce = announce
        self._silent_until = 0.0
        """When to say again that there are no descriptors, in the event loop's time."""
        self._log = log

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is told to stop; the process is to end after that.

        From here to its end, further signals neither kill it nor interrupt it with an exception.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        super().run(sockets)
        # CPython reports a signal that comes while its handler is being removed as an error.
        report, sys.unraisablehook = sys.unraisablehook, lambda _: None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        sys.unraisablehook = report

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, once the sandbox has read its database and its scenario."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._on_loop_error)
        try:
            await self._sandbox.lifecycle.start()
            if self._sandbox.settings.scenario is not None:
                from msgine_sandbox.scenario import load  # here, because few starts need it

                await load(self._sandbox, self._sandbox.settings.scenario)
        except BaseException as error:
            await self._sandbox.lifecycle.close()
            cause = disk_failure(error)
            if cause is not None:
                path = self._sandbox.settings.database
                raise DatabaseUnusable(f"{path} cannot be used: {cause}.") from error
            raise
        await super().startup(sockets)
        for each in sockets or ():
            # asyncio takes its backlog as the number of connections to accept in one turn, too.
            each.listen(BACKLOG)
        if self._sandbox.settings.stop_with_stdin:
            # A daemon, because a thread that reads cannot be interrupted when the server stops.
            threading.Thread(target=self._stop_with_stdin, daemon=True).start()
        self._prepare(self._loop)
        url = base_url(self._sandbox.settings, self._sandbox.targets.own_port or 0)
        try:
            self._announce(url)
        except BaseException:
            await self.shutdown(sockets)
            raise
        if self._log is not None:
            self._log.welcome(url)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_DESCRIPTOR:
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until:
            # asyncio says so, with a traceback, for every connection that it may accept at once.
            self._silent_until = loop.time() + 60
            _errors.error("New connections wait until others are closed: %s", error.strerror)

    def _prepare(self, loop: asyncio.AbstractEventLoop) -> None:
        # After the start, which it would delay; by the first use, it would delay requests.
        def import_windows() -> None:
            threading.Thread(target=self._sandbox.rate_limit.prepare, daemon=True).start()

        if self._sandbox.settings.tier is not Tier.UNLIMITED:  # else few accounts have limits
            loop.call_later(_IMPORTS_AFTER, import_windows)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and give the requests in flight a second."""
        asyncio.get_running_loop().call_later(_SLOW_CLIENTS, self._cut_slow_clients)
        await super().shutdown(sockets)

    def _cut_slow_clients(self) -> None:
        # A request whose client does not read cannot be answered by cancelling it, as others are.
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport.is_closing() or transport.get_write_buffer_size():
                transport.abort()

    def stop(self) -> None:
        """Stop soon; may be called from any thread."""
        self.should_exit = True
        if self._loop is None:
            return  # it will stop once it has started
        # What waits, such as an event stream, ends now; uvicorn would wait for it.
        with suppress(RuntimeError):  # the loop is closed: the server has stopped meanwhile
            self._loop.call_soon_threadsafe(self._sandbox.lifecycle.stop)

    def _stop_with_stdin(self) -> None:
        # Not `sys.stdin`, whose lock a thread that still reads would hold when Python exits.
        with suppress(OSError):  # standard input is closed: that is its end, too
            while os.read(_STANDARD_INPUT, 4096):
                pass
        self.stops.put(None)


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
            _write(settings.tls_ca, authority.cert_pem.bytes())
        except OSError as error:
            why = str(error.strerror).lower()
            raise SettingsError(f"--tls-ca {settings.tls_ca} cannot be written: {why}.") from error
    return context


def _write(path: str, content: bytes) -> None:
    create_private(path)
    # A pipe that nobody reads is an error; otherwise it would have to be waited for.
    flags = os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "wb") as file:
        file.write(content)
