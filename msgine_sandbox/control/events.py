"""`/_sandbox/events`: what happens, as server-sent events."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from msgine_sandbox.asgi.connections import Connections
from msgine_sandbox.asgi.context import RequestContext, context_of
from msgine_sandbox.asgi.fields import invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.journal import WarningView, entry_view, warning_views
from msgine_sandbox.control.message_views import message_view
from msgine_sandbox.control.views import View, attempt_view, owner_of
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.message import PREFIX, Status, StatusChange
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import (
    InboxEmptied,
    MessageAccepted,
    RequestAnswered,
    RequestWarned,
)
from msgine_sandbox.services.feed import Feed, FeedEvent, Subscriber
from msgine_sandbox.services.lifecycle import Lifecycle
from msgine_sandbox.storage.messages import MessageRows

_HEADERS: Final = {"Cache-Control": "no-store"}
_RETRY: Final = b"retry: 1000\n\n"  # milliseconds, for a client that lost the connection
_HEARTBEAT: Final = b": nothing new\n\n"
_GAP: Final = b"event: gap\ndata: {}\n\n"
"""Some events that the client missed are no longer kept, so it has to read everything again."""
_EVENT_ID: Final = re.compile(r"[0-9a-f]{16}")
_encode = msgspec.json.Encoder(decimal_format="number").encode


class EmptiedEvent(View, frozen=True, kw_only=True):
    """An inbox was emptied."""

    account: str | None
    account_id: str | None


class StatusEvent(View, frozen=True, kw_only=True):
    """The status of one recipient changed."""

    account: str | None
    account_id: str | None
    message_id: str
    to: str | None
    """Null where the message has been deleted meanwhile, as `message_status` is."""
    status: Status
    reason: str | None
    at: str
    message_status: Status | None


class WarningEvent(View, frozen=True, kw_only=True):
    """An earlier request got another warning."""

    account: str | None
    account_id: str | None
    request_id: str
    warnings: Sequence[WarningView]


class EventsControl:
    """Lets clients subscribe to the events of an account, or of the whole sandbox."""

    def __init__(
        self,
        feed: Feed,
        accounts: Accounts,
        rows: MessageRows,
        connections: Connections,
        lifecycle: Lifecycle,
    ) -> None:
        self._feed = feed
        self._accounts = accounts
        self._rows = rows
        self._connections = connections
        self._lifecycle = lifecycle

    @property
    def resources(self) -> list[Resource]:
        """The path, below the root."""
        return [resource("/_sandbox/events", GET=self.subscribe)]

    async def subscribe(self, request: Request) -> Response:
        """Send events until the client disconnects; those after `Last-Event-ID` first."""
        context, after = context_of(request), _last_event_id(request)
        media_type = "text/event-stream; charset=utf-8"
        if context.method == "HEAD":
            return Response(headers={**_HEADERS, "Content-Type": media_type})
        # The event loop goes on for as long as this streams, so what falls due can be performed.
        await self._lifecycle.start()
        stream = self._stream(context, after)
        return StreamingResponse(stream, headers=_HEADERS, media_type=media_type)

    async def _stream(self, context: RequestContext, after: int | None) -> AsyncIterator[bytes]:
        with self._feed.subscribe(context.account_id, after) as subscriber:
            cutting = asyncio.create_task(self._cut_when_dropped(subscriber, context))
            try:
                yield _RETRY + (_GAP if subscriber.has_gap else b"")
                while not subscriber.ended:
                    events = await subscriber.next_events()
                    if events or not subscriber.ended:
                        yield await self._formatted(events) or _HEARTBEAT
            finally:
                cutting.cancel()

    async def _cut_when_dropped(self, subscriber: Subscriber, context: RequestContext) -> None:
        # A client that is too slow blocks the stream, which therefore cannot end by itself.
        await subscriber.dropped.wait()
        self._connections.abort(context)

    async def _formatted(self, events: Sequence[FeedEvent]) -> bytes:
        return b"".join([await self._event(each) for each in events])

    async def _event(self, event: FeedEvent) -> bytes:
        name, view = await self._view(event)
        return b"id: %016x\nevent: %s\ndata: %s\n\n" % (event.id, name, _encode(view))

    async def _view(self, event: FeedEvent) -> tuple[bytes, View]:
        what = event.what
        if isinstance(what, MessageAccepted):
            return b"message", message_view(what.message, self._accounts.get(what.account))
        if isinstance(what, RequestAnswered):
            return b"request", entry_view(what.entry, self._accounts)
        account, account_id = owner_of(event.account, self._accounts)
        if isinstance(what, StatusChange):
            return b"status", await self._status_event(what, account, account_id)
        if isinstance(what, InboxEmptied):
            return b"emptied", EmptiedEvent(account=account, account_id=account_id)
        if isinstance(what, RequestWarned):
            return b"warning", WarningEvent(
                account=account,
                account_id=account_id,
                request_id=what.entry.request_id,
                warnings=warning_views(what.entry),
            )
        attempt = attempt_view(what.attempt)
        return b"webhook", replace(attempt, account=account, account_id=account_id)

    async def _status_event(
        self, change: StatusChange, account: str | None, account_id: str | None
    ) -> StatusEvent:
        message = await self._rows.get(change.message)
        return StatusEvent(
            account=account,
            account_id=account_id,
            message_id=format_id(PREFIX, change.message),
            to=None if message is None else message.deliveries[change.position].recipient,
            status=change.status,
            reason=change.reason,
            at=iso_micros(change.at),
            message_status=None if message is None else message.status,
        )


def _last_event_id(request: Request) -> int | None:
    text = request.headers.get("last-event-id")
    if not text:
        return None
    if _EVENT_ID.fullmatch(text):
        return int(text, 16)
    raise invalid_field("Last-Event-ID", text, "the id of an event, 16 hexadecimal digits")
