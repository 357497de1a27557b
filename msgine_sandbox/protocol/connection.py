"""What connections do with either parser: deadlines, idleness, refusals, URLs as targets."""

from __future__ import annotations

import asyncio
import re
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgine_sandbox.asgi.answers import refusal
from msgine_sandbox.asgi.connections import Connections
from msgine_sandbox.asgi.context import REFUSAL
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import ApiError, RequestTimedOut
from msgine_sandbox.model.ids import Ids, format_id
from msgine_sandbox.model.journal import PREFIX
from msgine_sandbox.protocol.writes import CollectingTransport, Writes

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Base
else:
    _Base = object

Headers = list[tuple[bytes, bytes]]

_HTTP_URL: Final = re.compile(rb"https?://([^/?#]+)(/[^?#]*)?(\?[^#]*)?", re.IGNORECASE)


class Part(Enum):
    """A part of a request."""

    FIRST = auto()
    """The beginning of a connection's first request."""
    HEAD = auto()
    BODY = auto()
    """With its trailers."""


class ConnectionProtocol(_Base):
    """Registers its connection, keeps it while it is idle, and ends it in the envelope."""

    known_connections: Connections
    ids: Ids
    real: RealTime
    writes: Writes
    incomplete_part: Part | None
    """Which part of a request is yet to be completed; None between requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline_of: Part | None = Part.FIRST
        self._has_refused = False
        """Whether nothing more is read."""
        self._pending: ApiError | None = None
        """What to refuse with once the requests before are answered."""

    def may_read_ahead(self) -> bool:
        """Return whether more may be read, though an earlier request is still being answered."""
        raise NotImplementedError

    def parser_error(self) -> ApiError:
        """Return the error to answer with, while an exception of the parser is handled."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(
            CollectingTransport(transport, self.writes, self.loop, answering=self.tasks)
        )
        self.known_connections.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.known_connections.closed(self)
        super().connection_lost(exc)
        # The two refer to each other. The garbage collector would free them, but it runs seldom.
        self.cycle = None  # type: ignore[assignment]

    def eof_received(self) -> None:
        self.writes.flush()  # the transport closes itself after this

    def data_received(self, data: bytes) -> None:
        if self._has_refused:
            return
        self.known_connections.busy(self)
        super().data_received(data)
        if self.flow.read_paused and self.may_read_ahead():
            # uvicorn stops at a request that comes before the answer to another one, and would not
            # notice that the client disconnects, for whom that other one may go on waiting.
            self.flow.resume_reading()
        self._wait()

    def answered(self) -> None:
        """Go on after an answer, where no request has come that is still to be answered."""
        if self.transport.is_closing() or self._is_answering():
            return
        if self._pending is not None:
            self._send_refusal(self._pending)
        elif self._has_refused:
            self.transport.close()
        else:
            self._deadline_of = None  # or that of a request before would go on
            self._wait()

    def shutdown(self) -> None:
        if self._has_refused and not self._is_answering():
            self.transport.close()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what the parser cannot read; uvicorn calls this when it handles the exception."""
        self.refuse(self.parser_error())

    def refuse(self, error: ApiError) -> None:
        """Answer what was received of a request with an error, and read no more."""
        error.headers = {**error.headers, "Connection": "close"}
        part, self._has_refused = self.incomplete_part, True
        self.known_connections.clear_deadline(self)
        if part is Part.BODY:
            # The application is about to read the body, and answers.
            self.cycle.scope[REFUSAL] = error  # type: ignore[typeddict-unknown-key]
            self.cycle.message_event.set()
            if self.cycle.response_complete:
                self.transport.close()
        elif self._is_answering():
            self._pending = error
        else:
            self._send_refusal(error)

    def time_out(self) -> None:
        part = self.incomplete_part
        if self._has_refused or part is None or part is Part.FIRST:
            self.transport.close()
        elif self.flow.read_paused:
            self.known_connections.set_deadline(self)  # the client waits for us
        else:
            seconds = f"{self.known_connections.max_seconds:g} s"
            self.refuse(RequestTimedOut(f"The {part.name.lower()} did not arrive within {seconds}"))

    def _wait(self) -> None:
        """Set a deadline where a request is incomplete; without any, the connection is idle."""
        if self._has_refused:
            return
        part = self.incomplete_part
        if part is not self._deadline_of:
            self._deadline_of = part
            if part is None:
                self.known_connections.clear_deadline(self)
            else:
                self.known_connections.set_deadline(self)
        if part is None and (self.cycle is None or self.cycle.response_complete):
            self.known_connections.idle(self)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _send_refusal(self, error: ApiError) -> None:
        self._pending = None
        request_id = format_id(PREFIX, self.ids.next())
        answer = refusal(error, request_id, self.real.now())
        headers = dict(self.server_state.default_headers + answer.raw_headers)
        headers[b"x-request-id"] = request_id.encode()
        lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}".encode()]
        lines += [b"%s: %s" % header for header in headers.items()]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(answer.body)]))
        # If it was closed at once, the client could get a reset instead of the answer, because it
        # may still send (RFC 9112, 9.6). Until it closes, what it sends is discarded.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.known_connections.set_deadline(self)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: HTTP/1.1 is the right answer to an offer (RFC 9110, 7.8)."""


def path_of_url(target: bytes, headers: Headers) -> bytes:
    """Return the path and query of a target that does not begin with a slash, and set `Host`.

    A client sends a URL as it would to a proxy. Whatever its `Host` says, the request is for the
    authority in the URL (RFC 9112, 3.2.2), so that this is what every later check has to see. How
    many `Host` headers there are stays as it is, because that is checked as well.

    Raises:
        ValueError: it is neither a URL of HTTP nor the `*` of OPTIONS.
    """
    if target == b"*":
        return target
    found = _HTTP_URL.fullmatch(target)
    if found is None:
        raise ValueError("Invalid target")
    authority, path, query = found.groups(b"")
    headers[:] = [(name, authority if name == b"host" else value) for name, value in headers]
    return (path or b"/") + query
