"""An HTTP server on a free port, which asks a function for the answer to each POST."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_OK: Final = 200
_NOT_FOUND: Final = 404
_POLL: Final = 0.02  # seconds between two looks whether to stop


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told."""

    status: int = _OK
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    drop: bool = False
    delay: float = 0
    """Seconds."""


Take = Callable[[Mapping[str, str], bytes], Answer]
"""Gives the answer to headers, by their names in small letters, and a body."""


class Listener(ThreadingHTTPServer):
    """Listens from the moment it is built, until `close`, on one path."""

    daemon_threads = False  # so that closing waits for them, and leaves none behind

    def __init__(self, address: str, path: str, take: Take) -> None:
        self.path = path
        self.take = take
        self.closing = threading.Event()
        self._connections: set[Any] = set()
        super().__init__((address, 0), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=[_POLL], name="msgine-webhooks", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop, whoever is connected."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):  # it may be closed by now
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection, and note it."""
        connection, client = super().get_request()
        self._connections.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and forget it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a sender may hang up when it likes."""


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        known = self.path == self.server.path
        answer = self.server.take(headers, body) if known else Answer(_NOT_FOUND)
        self.server.closing.wait(answer.delay)
        self.close_connection = True
        if not answer.drop:
            self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        pass
