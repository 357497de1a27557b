"""`/_sandbox/events`: what happens, as server-sent events."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.control.entries import account_of, entry_shape, warnings_shape
from msgine_sandbox.control.scope import chosen
from msgine_sandbox.control.shapes import Json, attempt_shape, message_shape
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.feed import Feed, Happening, What
from msgine_sandbox.edge.connections import Connections, gone
from msgine_sandbox.edge.fields import wrong
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.events import (
    InboxEmptied,
    MessageAccepted,
    RequestAnswered,
    RequestWarned,
)
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.message import PREFIX, Move
from msgine_sandbox.storage.messages import MessageRows

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
]
_COME_AGAIN: Final = b"retry: 1000\n\n"  # milliseconds, for a client that lost the connection
_ALL_IS_WELL: Final = b": nothing new\n\n"
_NUMBER = re.compile(r"[0-9a-f]{16}")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class EventsControl:
    """Lets clients follow an account, or the whole sandbox."""

    def __init__(
        self, feed: Feed, accounts: Accounts, rows: MessageRows, connections: Connections
    ) -> None:
        self._feed = feed
        self._accounts = accounts
        self._rows = rows
        self._connections = connections

    @property
    def routes(self) -> list[Route]:
        """The path, below `/_sandbox`."""
        return [resource("/events", GET=self.follow)]

    async def follow(self, request: Request) -> ASGIApp:
        """Answer with events until the client goes; from `Last-Event-ID` on, where it says one."""
        account, after = chosen(request), _last_seen(request)

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if scope["method"] != "HEAD":
                await self._stream(account, after, scope, receive, send)
            await send({"type": "http.response.body", "body": b""})

        return stream

    async def _stream(
        self, account: int | None, after: int | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        def drop() -> None:
            self._connections.abort(scope)

        with self._feed.follow(account, after, drop) as follower:
            leaving = asyncio.create_task(gone(receive))
            leaving.add_done_callback(lambda _: follower.end())
            try:
                await send(_part(_COME_AGAIN + (_GAP if follower.has_gap else b"")))
                while not follower.ended:
                    happened = await follower.more()
                    if happened or not follower.ended:
                        await send(_part(await self._written(happened) or _ALL_IS_WELL))
            finally:
                leaving.cancel()

    async def _written(self, happened: Sequence[Happening]) -> bytes:
        return b"".join([await self._event(each) for each in happened])

    async def _event(self, happening: Happening) -> bytes:
        kind, content = await self._shape(happening.what)
        data = _encode({**account_of(happening.account, self._accounts), **content})
        return b"id: %016x\nevent: %s\ndata: %s\n\n" % (happening.id, kind, data)

    async def _shape(self, what: What) -> tuple[bytes, Json]:
        if isinstance(what, MessageAccepted):
            return b"message", message_shape(what.message, self._accounts.get(what.account))
        if isinstance(what, Move):
            return b"status", await self._status(what)
        if isinstance(what, InboxEmptied):
            return b"emptied", {}
        if isinstance(what, RequestAnswered):
            return b"request", entry_shape(what.entry, self._accounts)
        if isinstance(what, RequestWarned):
            entry = what.entry
            return b"warning", {"requestId": entry.request_id, "warnings": warnings_shape(entry)}
        return b"webhook", attempt_shape(what.attempt)

    async def _status(self, move: Move) -> Json:
        message = await self._rows.get(move.message)
        return {
            "messageId": written(PREFIX, move.message),
            "to": None if message is None else message.deliveries[move.position].recipient,
            "status": move.status,
            "reason": move.reason,
            "at": iso_micros(move.at),
            "messageStatus": None if message is None else message.status,
        }


_GAP: Final = b"event: gap\ndata: {}\n\n"
"""Some of what happened meanwhile is not kept any more: read everything anew."""


def _last_seen(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return int(text, 16)
    raise wrong("Last-Event-ID", text, "the id of an event, 16 hexadecimal digits")


def _part(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}
