"""`/_sandbox/events`: what happens, as server-sent events."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from msgine_sandbox.asgi.connections import Connections
from msgine_sandbox.asgi.context import RequestContext, context_of
from msgine_sandbox.asgi.fields import invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.event_views import EventEncoder
from msgine_sandbox.services.feed import Feed, Subscriber
from msgine_sandbox.services.lifecycle import Lifecycle

HEADERS: Final = {"Cache-Control": "no-store"}
_RETRY: Final = b"retry: 1000\n\n"  # milliseconds, for a client that lost the connection
_HEARTBEAT: Final = b": nothing new\n\n"
_GAP: Final = b"event: gap\ndata: {}\n\n"
"""Some events that the client missed are no longer kept, so it has to read everything again."""
_EVENT_ID: Final = re.compile(r"[0-9a-f]{16}")


class EventsControl:
    """Lets clients subscribe to the events of an account, or of the whole sandbox."""

    def __init__(
        self,
        feed: Feed,
        encoder: EventEncoder,
        connections: Connections,
        lifecycle: Lifecycle,
    ) -> None:
        self._feed = feed
        self._encoder = encoder
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
            return Response(headers={**HEADERS, "Content-Type": media_type})
        await self._feed.start()
        # The event loop goes on for as long as this streams, so what falls due can be performed.
        await self._lifecycle.start()
        stream = self._stream(context, after)
        return StreamingResponse(stream, headers=HEADERS, media_type=media_type)

    async def _stream(self, context: RequestContext, after: int | None) -> AsyncIterator[bytes]:
        with self._feed.subscribe(context.account_id, after) as subscriber:
            cutting = asyncio.create_task(self._cut_when_dropped(subscriber, context))
            try:
                yield _RETRY + (_GAP if subscriber.has_gap else b"")
                while not subscriber.ended:
                    events = await subscriber.next_events()
                    if not events and not subscriber.ended:
                        yield _HEARTBEAT
                    async for chunk in self._encoder.chunks(events):
                        yield chunk
            except sqlite3.Error:
                # The disk fails, which is the affair of those who write. The client reconnects, and
                # goes on after the last event that it got.
                return
            finally:
                cutting.cancel()

    async def _cut_when_dropped(self, subscriber: Subscriber, context: RequestContext) -> None:
        # A client that is too slow blocks the stream, which therefore cannot end by itself.
        await subscriber.dropped.wait()
        self._connections.abort(context)


def _last_event_id(request: Request) -> int | None:
    text = context_of(request).header(b"last-event-id")
    if not text:
        return None
    if _EVENT_ID.fullmatch(text):
        return int(text, 16)
    raise invalid_field("Last-Event-ID", text, "the id of an event, 16 hexadecimal digits")
