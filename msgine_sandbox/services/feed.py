"""The feed: what the bus announces as numbered events, which a subscriber can resume."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import msgspec

from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import StatusChange
from msgine_sandbox.services.bus import (
    Bus,
    InboxEmptied,
    MessageAccepted,
    RequestAnswered,
    RequestWarned,
    StatusesChanged,
    Stopping,
    WebhookAttempted,
)

MAX_EVENTS: Final = 10_000
"""Events that are kept; a subscriber that is farther behind is dropped."""
_BATCH: Final = 100
_HEARTBEAT: Final = 15
"""Seconds of real time without an event, after which `next_events` returns none."""

What = (
    MessageAccepted
    | StatusChange
    | InboxEmptied
    | RequestAnswered
    | RequestWarned
    | WebhookAttempted
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

    def __init__(self, bus: Bus, ids: Ids, *, max_events: int = MAX_EVENTS) -> None:
        self._bus = bus
        self._ids = ids
        self._max_events = max_events
        self._latest: deque[FeedEvent] = deque(maxlen=max_events)
        self._count = 0
        """Events in all, those included that are not kept any more."""
        self._started_at: int | None = None
        """An id smaller than that of every event, once there has been a subscriber."""
        self._subscribers: list[Subscriber] = []
        bus.listen(Stopping, lambda _: self._end())

    @contextmanager
    def subscribe(self, account: int | None, after: int | None) -> Iterator[Subscriber]:
        """Subscribe to an account's events, or all: from now on, or to those after an id."""
        self._start()
        subscriber = Subscriber(self, account, self._count - self._missed(after))
        subscriber.has_gap = after is not None and not self._has_all_after(after)
        self._subscribers.append(subscriber)
        if self._bus.stopping:  # `Stopping` has been announced before it subscribed
            subscriber.end()
        try:
            yield subscriber
        finally:
            self._subscribers.remove(subscriber)

    def after(self, position: int) -> Sequence[FeedEvent]:
        """Return the next events from a position on, a hundred at most."""
        start = max(position - (self._count - len(self._latest)), 0)
        return list(islice(self._latest, start, start + _BATCH))

    def _start(self) -> None:
        if self._started_at is not None:
            return
        self._started_at = self._ids.next()
        bus = self._bus
        bus.listen(MessageAccepted, lambda event: self._add(event.account, event))
        bus.listen(InboxEmptied, lambda event: self._add(event.account, event))
        bus.listen(RequestAnswered, lambda event: self._add(event.entry.account, event))
        bus.listen(RequestWarned, lambda event: self._add(event.entry.account, event))
        bus.listen(WebhookAttempted, lambda event: self._add(event.attempt.account, event))
        bus.listen(StatusesChanged, self._changed)

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
            chosen = [each for each in events if self._account in {None, each.account}]
            if chosen:
                return chosen
            if self.ended:
                return ()
            # Where there were only other accounts' events, there may be more of them.
            if not events and not await self._wait():
                return ()

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
