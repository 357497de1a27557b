"""A webhook receiver that records requests and sends the responses that a test chooses."""

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LIMIT = 60  # seconds; only webhooks that never come take so long


@dataclass(frozen=True)
class ReceivedWebhook:
    """One webhook as it was received."""

    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return self.content["event"]


Answer = int | tuple[int, dict[str, str]] | Callable[[BaseHTTPRequestHandler], None]


class Receiver:
    """Sends the responses in `answers`, then 200; `received` has all requests in order."""

    def __init__(self) -> None:
        self.received: list[ReceivedWebhook] = []
        self._arrived = threading.Condition()
        self.answers: list[Answer] = []
        self.url = ""

    @property
    def events(self) -> list[str]:
        return [webhook.event for webhook in self.received]

    async def until(self, count: int) -> None:
        """Wait until so many webhooks have been received."""

        def wait() -> bool:
            with self._arrived:
                return self._arrived.wait_for(lambda: len(self.received) >= count, timeout=LIMIT)

        assert await asyncio.to_thread(wait), f"{len(self.received)} received instead of {count}"

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._arrived:
            self.received.append(ReceivedWebhook(headers, body))
            self._arrived.notify_all()
        answer = self.answers.pop(0) if self.answers else 200
        if callable(answer):
            answer(handler)
            return
        status, extra = answer if isinstance(answer, tuple) else (answer, {})
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        with contextlib.suppress(ConnectionError):  # a sandbox that was killed reads no response
            handler.wfile.write(b"ok")


@dataclass
class Hanging:
    """An answer that a receiver only gives once it is let go."""

    reached: asyncio.Event
    let_go: asyncio.Event

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self._loop.call_soon_threadsafe(self.reached.set)
        asyncio.run_coroutine_threadsafe(self.let_go.wait(), self._loop).result()
        handler.close_connection = True


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver inside the block; with `tls`, as `https://localhost`."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet an answer

        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # connections that are still to be accepted

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    origin = "http://127.0.0.1" if tls is None else "https://localhost"
    receiver.url = f"{origin}:{server.server_port}/hooks"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
