"""Connections whose requests h11 parses, where httptools is not installed."""

from __future__ import annotations

import sys
from typing import Any

import h11

from msgine_sandbox.asgi.body import MAX_HEAD
from msgine_sandbox.model.errors import (
    ApiError,
    HeaderFieldsTooLarge,
    MalformedRequest,
    TransferCodingUnknown,
    UriTooLong,
)
from msgine_sandbox.protocol.connection import ConnectionProtocol, Part, path_of_url


class H11Connection(ConnectionProtocol):
    """Knows from the state of h11 which part of a request is incomplete.

    h11 bounds the parts itself, never takes trailers for headers, and reads on until an upgrade is
    accepted.
    """

    conn: h11.Connection

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = _UrlParser(h11.SERVER, MAX_HEAD)

    @property
    def incomplete_part(self) -> Part | None:  # type: ignore[override]
        state, buffered = self.conn.their_state, self.conn.trailing_data[0]
        is_first = self.cycle is None
        if is_first:
            return Part.HEAD if buffered else Part.FIRST
        if state is h11.SEND_BODY or (state is h11.ERROR and self.cycle.more_body):
            return Part.BODY
        return Part.HEAD if state is h11.IDLE and buffered else None

    def may_read_ahead(self) -> bool:
        # Not where it is the body that is too much for now. h11 keeps what follows unparsed.
        return not self.cycle.more_body and len(self.conn.trailing_data[0]) <= MAX_HEAD

    def parser_error(self) -> ApiError:
        error = sys.exception()
        hint = getattr(error, "error_status_hint", MalformedRequest.status)
        if hint == TransferCodingUnknown.status:
            return TransferCodingUnknown(field="Transfer-Encoding", expected="chunked")
        if hint != HeaderFieldsTooLarge.status:
            return MalformedRequest(reason=str(error))
        has_target = b"\n" in self.conn.trailing_data[0] or self.incomplete_part is Part.BODY
        return (HeaderFieldsTooLarge if has_target else UriTooLong)(limit=MAX_HEAD)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # uvicorn's timer would close the connection for being idle.
        self._unset_keepalive_if_required()
        self.answered()


class _UrlParser(h11.Connection):
    """Reads targets that are URLs as paths, before uvicorn takes them for one."""

    def next_event(self) -> Any:
        event = super().next_event()
        if not isinstance(event, h11.Request) or event.target.startswith(b"/"):
            return event
        headers = list(event.headers)
        try:
            target = path_of_url(event.target, headers)
        except ValueError as error:
            raise h11.RemoteProtocolError(str(error)) from error
        return h11.Request(
            method=event.method, target=target, headers=headers, http_version=event.http_version
        )
