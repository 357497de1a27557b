"""Serving a sandbox from a thread of this process, for tests and notebooks."""

from __future__ import annotations

import socket
import threading

from msgine_sandbox.server import Server, listen, server_on
from msgine_sandbox.settings import Settings

_FAREWELL = 0.2  # seconds for requests in flight, once told to stop


class Background:
    """A sandbox that answers once this is built, and until `stop`.

    It has an event loop of its own, and leaves the process its signals, loggers and collector.
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
        self._decided = threading.Event()
        listener = listen(settings)
        # A daemon, so that a forgotten `stop` does not keep the process from ending.
        self._thread = threading.Thread(
            target=self._run, args=[listener], name="msgine-sandbox", daemon=True
        )
        self._thread.start()
        self._decided.wait()
        self._raise_what_failed()

    def stop(self) -> None:
        """Stop serving; does nothing the second time."""
        if self._server is not None and self._thread.is_alive():
            self._server.stop(within=_FAREWELL)
        self._thread.join()

    def __enter__(self) -> Background:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        try:
            with listener:
                # SQLite wants its connection used by the thread that opened it: this one.
                self._server = server_on(listener, self.settings, self._announce, logging=False)
                self._server.run([listener])
        except BaseException as failure:
            self._failure = failure
        finally:
            self._decided.set()

    def _raise_what_failed(self) -> None:
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def _announce(self, base_url: str) -> None:
        self.base_url = base_url
        self._decided.set()
