"""Connections whose requests httptools parses: bounds, trailers, and declined upgrades."""

from __future__ import annotations

import sys
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import CLOSE_HEADER, HIGH_WATER_LIMIT

from msgine_sandbox.asgi.body import MAX_HEAD
from msgine_sandbox.model.errors import (
    ApiError,
    HeaderFieldsTooLarge,
    MalformedRequest,
    UriTooLong,
)
from msgine_sandbox.protocol.connection import Headers, Part, path_of_url
from msgine_sandbox.protocol.responses import RespondingConnection

_MAX_QUEUED = 8
"""Requests of a connection that may wait for the answers to those before them."""

# Every request needs both, and Python 3.11 is slow to find the members of an enum.
_HEAD, _BODY = Part.HEAD, Part.BODY

_OFFER = frozenset({b"upgrade", b"http2-settings"})
"""Headers that offer another protocol, and the options of `Connection` that name them."""


class HttptoolsConnection(RespondingConnection):
    """Bounds the parts of a request that httptools would collect without end; declines upgrades.

    httptools takes whatever follows the head of a request that offers another protocol for that
    protocol, so that its body would be lost. Here the head is read once more without the offer, by
    a fresh parser that also gets all that follows, and the request is answered as if it had none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incomplete_part = Part.FIRST
        self._head_at_most = 0
        """Bytes in which the head is; exact sizes are computed only where this is over a bound."""
        self._overhead = 0
        """Bytes since the part began, or since the last byte of the body."""
        self._has_progressed = False
        """Whether a part has begun, or some of the body has come, in the latest packet."""
        self._bound_exceeded: ApiError | None = None
        self._offered: Headers = []
        self.parser = self._fresh_parser()

    def may_read_ahead(self) -> bool:
        return 0 < len(self.pipeline) < _MAX_QUEUED and len(self.cycle.body) <= HIGH_WATER_LIMIT

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        self._answering = self._bound_exceeded = None
        self.pipeline.clear()

    def parser_error(self) -> ApiError:
        error = sys.exception()
        if self._bound_exceeded is not None:
            return self._bound_exceeded
        # What else can fail in a callback is the target, here and in uvicorn's.
        is_target = isinstance(error, httptools.HttpParserCallbackError)
        return MalformedRequest(reason="Invalid target" if is_target else str(error))

    def data_received(self, data: bytes) -> None:
        size = len(data)
        self._head_at_most = size if self.incomplete_part is None else self._head_at_most + size
        self._has_progressed = False
        super().data_received(data)
        if self.incomplete_part is not None and not self._has_refused:
            self._overhead = 0 if self._has_progressed else self._overhead + size
            if self.incomplete_part is Part.HEAD and len(self.url) > MAX_HEAD:
                self.refuse(UriTooLong(limit=MAX_HEAD))
            elif self._overhead > MAX_HEAD:
                self.refuse(HeaderFieldsTooLarge(limit=MAX_HEAD))

    def on_response_complete(self) -> None:
        if self.pipeline:
            self._answering, _ = self.pipeline[-1]
            super().on_response_complete()  # begins the next request
        elif self.flow.read_paused and not self.transport.is_closing():
            # Without uvicorn's timer, which would close the connection for being idle.
            self.flow.resume_reading()
        self.answered()

    def on_message_begin(self) -> None:
        self.incomplete_part = _HEAD
        self._has_progressed = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # As uvicorn's, except that llhttp leaves the white space after a value, which is no part of
        # it (RFC 9110, 5.5).
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        # `should_upgrade` twice: in most requests it is false, and saves the call of a method.
        if self.parser.should_upgrade() and self.offers_upgrade():
            return  # the request begins when its head has been read without the offer
        if self._offered:
            # The journal shows the request as it was sent.
            self.headers[:], self._offered = self._offered, []
        if self._head_at_most > MAX_HEAD:
            self._check_size(self.url)
        if self.url[:1] != b"/":
            self.url = path_of_url(self.url, self.headers)
        super().on_headers_complete()
        if not self.pipeline:
            self._answering = self.cycle
        # Older versions of uvicorn decide it in their `send`, and those of httptools do not know a
        # `close` that white space follows.
        if not self.parser.should_keep_alive() or CLOSE_HEADER in self.headers:
            self.cycle.keep_alive = False
        self.cycle.send = self.respond  # type: ignore[method-assign,assignment]
        self.incomplete_part = _BODY
        self._has_progressed = True
        # The list in the scope stays as it is: trailers are no headers (RFC 9110, 6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self.offers_upgrade():
            return
        if self.headers:
            self._check_size()
        super().on_message_complete()
        self.incomplete_part = None

    def _check_size(self, target: bytes = b"") -> None:
        """Raise unless a target and the fields that have been read are of bounded size.

        Raises:
            ApiError: it makes the parser stop and ask for `parser_error`.
        """
        size = len(target) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD:
            kind = UriTooLong if len(target) > MAX_HEAD else HeaderFieldsTooLarge
            self._bound_exceeded = kind(limit=MAX_HEAD)
            raise self._bound_exceeded

    def offers_upgrade(self) -> bool:
        # For CONNECT the parser says so, too, but that is not an offer.
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def decline_upgrade(self, rest: bytes) -> None:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        self._offered = self.headers
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % header for header in _without_offer(self.headers)]
        self.parser = self._fresh_parser()
        self.parser.feed_data(b"\r\n".join([*lines, b"", rest]))

    def _fresh_parser(self) -> Any:
        parser = _Parser(self)
        # As uvicorn does: what a client sends after `Connection: close` is ignored.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser


class _Parser(httptools.HttpRequestParser):
    def __init__(self, protocol: HttptoolsConnection) -> None:
        super().__init__(protocol)
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if not self._protocol.offers_upgrade():
                raise
            self._protocol.decline_upgrade(data[offer.args[0] :])


def _without_offer(headers: Headers) -> Headers:
    kept = []
    for name, value in headers:
        if name == b"connection":
            options = [option.strip() for option in value.split(b",")]
            value = b", ".join(each for each in options if each.lower() not in _OFFER)
        if name not in _OFFER:
            kept.append((name, value))
    return kept
