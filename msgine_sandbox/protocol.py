"""HTTP/1.1: uvicorn's protocol class, with connections that can be closed and upgrades declined."""

from __future__ import annotations

import asyncio
import importlib.util
from functools import cache
from typing import TYPE_CHECKING, Any

from msgine_sandbox.asgi.connections import Connections

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
else:
    _Protocol = object

Headers = list[tuple[bytes, bytes]]

_OFFER = frozenset({b"upgrade", b"http2-settings"})
"""Headers that offer another protocol, and the options of `Connection` that name them."""


def protocol_for(connections: Connections) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol class, extended: it registers connections, which faults can cut.

    Built on httptools where that is installed, else on h11, as uvicorn itself chooses.
    """
    bases: tuple[type, ...]
    if importlib.util.find_spec("httptools") is not None:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        bases = (_UpgradesDeclined, _KnownConnection, HttpToolsProtocol)
    else:
        # h11 reads on until an upgrade is accepted, so nothing is lost there.
        from uvicorn.protocols.http.h11_impl import H11Protocol

        bases = (_KnownConnection, H11Protocol)
    return type("Protocol", bases, {"known_connections": connections})


class _KnownConnection(_Protocol):
    """Registers its connection while it is open."""

    known_connections: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._registered_as = self.known_connections.opened(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.known_connections.closed(self._registered_as)
        super().connection_lost(exc)

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: HTTP/1.1 is the right answer to an offer (RFC 9110, 7.8)."""


class _UpgradesDeclined(_Protocol):
    """Answers a request that offers another protocol as if it had not.

    httptools takes whatever follows the head of such a request for the other protocol, so that its
    body would be lost. Here the head is read once more without the offer, by a fresh parser that
    also gets all that follows.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offered: Headers = []
        self.parser = self._fresh_parser()

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

    def on_headers_complete(self) -> None:
        # `should_upgrade` twice: in most requests it is false, and saves the call of a method.
        if self.parser.should_upgrade() and self.offers_upgrade():
            return  # the request begins when its head has been read without the offer
        if self._offered:
            # The journal shows the request as it was sent.
            self.headers[:], self._offered = self._offered, []
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not (self.parser.should_upgrade() and self.offers_upgrade()):
            super().on_message_complete()

    def _fresh_parser(self) -> Any:
        parser = _parser_class()(self)
        # As uvicorn does: what a client sends after `Connection: close` is ignored.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser


@cache
def _parser_class() -> Any:
    import httptools  # here, because it is not installed everywhere

    class Parser(httptools.HttpRequestParser):
        def __init__(self, protocol: _UpgradesDeclined) -> None:
            super().__init__(protocol)
            self._protocol = protocol

        def feed_data(self, data: Any) -> None:
            try:
                super().feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if not self._protocol.offers_upgrade():
                    raise
                self._protocol.decline_upgrade(data[offer.args[0] :])

    return Parser


def _without_offer(headers: Headers) -> Headers:
    kept = []
    for name, value in headers:
        if name == b"connection":
            options = [option.strip() for option in value.split(b",")]
            value = b", ".join(each for each in options if each.lower() not in _OFFER)
        if name not in _OFFER:
            kept.append((name, value))
    return kept
