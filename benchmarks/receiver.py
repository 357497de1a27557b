"""A receiver of webhooks that costs as little as possible, and says when each came.

`GET /health` answers, `GET /arrivals` returns a list of `[seconds since the epoch, body]`, `POST`
to any path is a webhook.
"""

import asyncio
import json
import sys
import time

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n"

arrivals: list[tuple[float, str]] = []


class Receiver(asyncio.Protocol):
    """Answers each request of a connection at once."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        _, has_length, after = head.lower().partition(b"content-length: ")
        length = int(after.split(b"\r\n")[0]) if has_length else 0
        if not found or len(rest) < length:
            return
        self._buffer = rest[length:]
        if head.startswith(b"POST "):
            arrivals.append((time.time(), rest[:length].decode()))
            self._transport.write(_ANSWER + b"{}")
        elif head.startswith(b"GET /arrivals "):
            body = json.dumps(arrivals).encode()
            self._transport.write(_ANSWER.replace(b": 2", b": %d" % len(body)) + body)
        else:
            self._transport.write(_ANSWER + b"{}")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    new_event_loop().run_until_complete(_serve(int(sys.argv[1])))
