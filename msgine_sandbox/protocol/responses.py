"""Responses on httptools: the head is written together with the first part of the body."""

from __future__ import annotations

from typing import Any

from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from msgine_sandbox.protocol.connection import ConnectionProtocol

_BODILESS = frozenset({204, 304})


class RespondingConnection(ConnectionProtocol):
    """Writes the responses to its requests itself.

    uvicorn writes the head of a response and its body one after the other, and searches each name
    and value with a regular expression, which took a tenth of the CPU of a GET. That the head waits
    for the body is what ASGI asks for ("Response Start").
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: RequestResponseCycle | None = None
        """The request that is being answered; `cycle` is the latest one, which may be queued."""
        self._head = b""
        """The head that waits for its body."""
        self._is_chunked = False

    async def respond(self, message: Message) -> None:
        """Take a part of the present response from the application: the `send` of ASGI."""
        cycle = self._answering
        if self.flow.write_paused:
            await self.flow.drain()
        if cycle is None or cycle.disconnected:
            return
        if message["type"] == "http.response.start":
            cycle.waiting_for_100_continue = False
            self._head = self._head_of(cycle, message)
            return
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if cycle.scope["method"] == "HEAD":
            body = b""
        elif self._is_chunked:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = chunk + b"0\r\n\r\n" if is_last else chunk
        head, self._head = self._head, b""
        cycle.response_started = True  # not before: else uvicorn sends no 500 for a failure
        self.transport.write(head + body)
        if is_last:
            cycle.response_complete = True
            cycle.message_event.set()
            if not cycle.keep_alive:
                self.transport.close()
            cycle.on_response()

    def _head_of(self, cycle: RequestResponseCycle, start: Message) -> bytes:
        headers = [*cycle.default_headers, *start["headers"]]
        values = dict(headers)
        self._is_chunked = not (
            b"content-length" in values
            or start["status"] in _BODILESS
            or cycle.scope["method"] == "HEAD"
        )
        if self._is_chunked:
            headers.append((b"transfer-encoding", b"chunked"))
        connection = values.get(b"connection")
        if connection is not None and b"close" in connection.lower():
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers.append((b"connection", b"close"))
        # `map` with two methods of bytes, because a format for each header takes twice as long.
        lines = b"\r\n".join(map(b": ".join, headers))
        if lines.count(b"\n") != len(headers) - 1 or lines.count(b"\r") != len(headers) - 1:
            raise RuntimeError("A header of the response contains a line break")
        return b"%b%b\r\n\r\n" % (STATUS_LINE[start["status"]], lines)
