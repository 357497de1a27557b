"""The feed: what the bus announces as numbered events, which a subscriber can resume.

Events are references: what they are about is read when they are sent, so that they take the same
memory whatever the size of a message or of a request.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import msgspec

from msgine_sandbox.model.bound import MEGABYTE
from msgine_sandbox.model.delivery import StatusChange
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.services.bus import (
    Bus,
    ControlCalled,
    InboxEmptied,
    MessageAccepted,
    MessagesDeleted,
    RequestAnswered,
    RequestWarned,
    StatusesChanged,
    Stopping,
    WebhookAttempted,
)
from msgine_sandbox.services.carrier import Carrier

MAX_EVENTS: Final = 10_000
"""Events that are kept, as references of a few hundred bytes; a subscriber that is farther behind
is dropped.
"""
MAX_BYTES: Final = MEGABYTE
"""Bytes of the latest events in the form in which several subscribers get them."""
_OVERHEAD: Final = 200
"""Bytes that an encoded event takes besides its content."""
_BATCH: Final = 100
_HEARTBEAT: Final = 15
"""Seconds of real time without an event, after which `next_events` returns none."""


class AcceptedRef(msgspec.Struct, frozen=True):
    """A message that was accepted."""

    message: int


class RequestRef(msgspec.Struct, frozen=True):
    """A request that was answered."""

    request_id: str
    warnings: int
    """How many it had by then."""


class WarningRef(RequestRef, frozen=True):
    """An earlier request that got another warning."""


class AttemptRef(msgspec.Struct, frozen=True):
    """An attempt to send a webhook."""

    attempt: int


What = (
    AcceptedRef
    | StatusChange
    | InboxEmptied
    | MessagesDeleted
    | ControlCalled
    | RequestRef
    | WarningRef
    | AttemptRef
)


class FeedEvent(msgspec.Struct, frozen=True):
    """One event."""

    id: int
    """Greater than that of every earlier event."""
    account: int | None
    what: What


class Feed:
    """Keeps the latest events, from the first subscriber on: before it, none could be missed.

    A position is a number of events: that of a subscriber says how many it has passed.
    """

    def __init__(
        self,
        bus: Bus,
        carrier: Carrier,
        ids: Ids,
        *,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._bus = bus
        self._carrier = carrier
        self._ids = ids
        self._max_events = max_events
        self._latest: deque[FeedEvent] = deque(maxlen=max_events)
        self._count = 0
        """Events in all, those included that are not kept any more."""
        self._started_at: int | None = None
        """An id smaller than that of every event, once there has been a subscriber."""
        self._subscribers: list[Subscriber] = []
        self.encodings = Encodings(max_bytes)
        bus.listen(Stopping, lambda _: self._end())

    async def start(self) -> None:
        """Begin to keep events, where that has not begun, and have steps for what is under way."""
        if self._started_at is None:
            self._started_at = self._ids.next()
            self._listen()
        # Each time, because a second subscriber must not begin while this is done for the first.
        await self._carrier.follow(None)

    @contextmanager
    def subscribe(self, account: int | None, after: int | None) -> Iterator[Subscriber]:
        """Subscribe to an account's events, or all: from now on, or to those after an id.

        Called after `start`.
        """
        subscriber = Subscriber(self, account, self._count - self._missed(after))
        subscriber.has_gap = after is not None and not self._has_all_after(after)
        self._subscribers.append(subscriber)
        self.encodings.share_among(len(self._subscribers))
        if self._bus.stopping:  # `Stopping` has been announced before it subscribed
            subscriber.end()
        try:
            yield subscriber
        finally:
            self._subscribers.remove(subscriber)
            self.encodings.share_among(len(self._subscribers))

    def after(self, position: int) -> Sequence[FeedEvent]:
        """Return the next events from a position on, a hundred at most."""
        start = max(position - (self._count - len(self._latest)), 0)
        return list(islice(self._latest, start, start + _BATCH))

    def _listen(self) -> None:
        bus = self._bus
        bus.listen(MessageAccepted, self._accepted)
        bus.listen(StatusesChanged, self._changed)
        bus.listen(InboxEmptied, lambda event: self._add(event.account, event))
        bus.listen(MessagesDeleted, lambda event: self._add(event.account, event))
        bus.listen(ControlCalled, lambda event: self._add(event.account, event))
        bus.listen(RequestAnswered, lambda event: self._add_entry(event.entry, RequestRef))
        bus.listen(RequestWarned, lambda event: self._add_entry(event.entry, WarningRef))
        bus.listen(WebhookAttempted, self._attempted)

    def _accepted(self, event: MessageAccepted) -> None:
        self._add(event.account, AcceptedRef(event.message.id))

    def _add_entry(self, entry: JournalEntry, kind: type[RequestRef]) -> None:
        self._add(entry.account, kind(entry.request_id, len(entry.warnings)))

    def _attempted(self, event: WebhookAttempted) -> None:
        self._add(event.attempt.account, AttemptRef(event.attempt.id))

    def _changed(self, event: StatusesChanged) -> None:
        for change in event.changes:
            self._add(event.account, change)

    def _add(self, account: int | None, what: What) -> None:
        self._latest.append(FeedEvent(self._ids.next(), account, what))
        self._count += 1
        oldest = self._count - len(self._latest)
        for subscriber in self._subscribers:
            subscriber.wake()
            if subscriber.position < oldest:
                subscriber.drop()

    def _end(self) -> None:
        for subscriber in self._subscribers:
            subscriber.end()

    def _missed(self, after: int | None) -> int:
        """Return how many of the events that are kept came after an id."""
        return 0 if after is None else sum(each.id > after for each in self._latest)

    def _has_all_after(self, after: int) -> bool:
        if after < (self._started_at or 0):
            return False
        return len(self._latest) < self._max_events or self._latest[0].id <= after


class Encodings:
    """The latest events as bytes, for the subscribers that get them after the first one."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._encoded: OrderedDict[int, bytes] = OrderedDict()
        self._size = 0
        self._are_shared = False

    def get(self, event_id: int) -> bytes | None:
        """Return an event, or None if it is not kept."""
        return self._encoded.get(event_id)

    def put(self, event_id: int, encoded: bytes) -> None:
        """Keep an event, in place of those that were put first where there is too much."""
        if not self._are_shared:
            return
        self._encoded[event_id] = encoded
        self._size += len(encoded) + _OVERHEAD
        while self._size > self._max_bytes:
            _, oldest = self._encoded.popitem(last=False)
            self._size -= len(oldest) + _OVERHEAD

    def share_among(self, subscribers: int) -> None:
        """Keep events for so many subscribers; for a single one, none are kept."""
        self._are_shared = subscribers > 1
        if not self._are_shared:
            self._encoded.clear()
            self._size = 0


class Subscriber:
    """A client that receives events, at its own pace."""

    def __init__(self, feed: Feed, account: int | None, position: int) -> None:
        self._feed = feed
        self._account = account
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self.dropped = asyncio.Event()
        """Set when it is so far behind that it has missed an event."""
        self.position = position
        self.has_gap = False
        """Whether an event after the one where it resumes is not kept any more."""
        self.ended = False

    async def next_events(self) -> Sequence[FeedEvent]:
        """Return the next events; none after a heartbeat's time, or at the end."""
        while True:
            self._changed.clear()
            events = self._feed.after(self.position)
            self.position += len(events)
            chosen = [each for each in events if self._is_about_account(each)]
            if chosen:
                return chosen
            if self.ended:
                return ()
            # Where there were only other accounts' events, there may be more of them.
            if not events and not await self._wait():
                return ()

    def _is_about_account(self, event: FeedEvent) -> bool:
        if self._account in {None, event.account}:
            return True
        return event.account is None and isinstance(event.what, ControlCalled)

    async def _wait(self) -> bool:
        """Wait for an event or the end; return False when a heartbeat is due instead."""
        try:
            async with asyncio.timeout(_HEARTBEAT):
                return await self._changed.wait()
        except TimeoutError:
            return False

    def wake(self) -> None:
        """Look again for events."""
        if not self._loop.is_closed():  # it may have ended in the middle of the stream
            self._changed.set()

    def end(self) -> None:
        """Let `next_events` return without waiting from now on."""
        self.ended = True
        self.wake()

    def drop(self) -> None:
        """End it at once, because it is too slow: nothing waits for a client that does not read."""
        if not self.ended:
            self.end()
            if not self._loop.is_closed():
                self.dropped.set()
