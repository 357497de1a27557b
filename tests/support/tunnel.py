"""A proxy through which every host name leads to one server, as an entry in a hosts file would.

Clients take it from `https_proxy`, need no privileges for it, and encrypt from end to end.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def tunnelling(port: int) -> Iterator[str]:
    """Return the URL of a proxy that connects all clients to a port of this machine."""

    class Tunnel(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_copy, args=(server, self.connection))
                back.start()
                _copy(self.connection, server)
                back.join()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Tunnel) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Pass on what one side sends, until it ends or the other is gone."""
    with suppress(OSError):
        while content := one.recv(65536):
            other.sendall(content)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
