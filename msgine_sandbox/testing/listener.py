"""HTTP server of the webhook receiver: passes each POST to a function and sends its response."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_NOT_FOUND: Final = 404
_POLL_INTERVAL: Final = 0.02  # seconds between two checks whether to stop


@dataclass(frozen=True, slots=True)
class ReceiverResponse:
    """The response to one webhook."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    drop: bool = False
    """Whether to close the connection without a response."""
    delay: float = 0
    """Seconds to wait before the response."""


Handler = Callable[[Mapping[str, str], bytes], ReceiverResponse]
"""Returns the response to headers, whose names are in lower case, and a body."""


class WebhookListener(ThreadingHTTPServer):
    """Listens on a free port, for POST to one path, from its construction until `close`."""

    daemon_threads = False  # so that `close` waits for them and none is left behind
    # The library's 5 are fewer than the webhooks that an account may have in flight; the system
    # resets connections beyond this, which would be failed attempts.
    request_queue_size = 128

    def __init__(self, address: str, path: str, handle: Handler) -> None:
        self.path = path
        self.handle = handle
        self.closing = threading.Event()
        self._connections: set[Any] = set()
        super().__init__((address, 0), _RequestHandler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=[_POLL_INTERVAL], name="msgine-webhooks", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close every connection, even one in the middle of a request."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):  # its own thread may have closed it by now
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection and remember it for `close`."""
        connection, client = super().get_request()
        self._connections.add(connection)
        return connection, client

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a sender may close its connection at any time."""


class _RequestHandler(BaseHTTPRequestHandler):
    server: WebhookListener
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # buffered, so that a response is one packet

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.path == self.server.path:
            response = self.server.handle(headers, body)
        else:
            response = ReceiverResponse(_NOT_FOUND)
        self.server.closing.wait(response.delay)  # a delay ends early when the listener closes
        self.close_connection = True
        if not response.drop:
            self._write(response)

    def _write(self, response: ReceiverResponse) -> None:
        self.send_response_only(response.status)  # without Date, which would read the clock
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, *_: Any) -> None:
        pass
