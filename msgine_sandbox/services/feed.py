"""What is announced, live and in order, and the latest of it again after a lost connection."""

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
"""Events that are kept for subscribers; one that is farther behind is dropped."""
_BATCH: Final = 100
_HEARTBEAT: Final = 15
"""Seconds of real time without an event, after which a subscriber is told that it is connected."""

What = (
    MessageAccepted
    | StatusChange
    | InboxEmptied
    | RequestAnswered
    | RequestWarned
    | WebhookAttempted
)


class FeedEvent(msgspec.Struct, frozen=True):
    """One thing that happened, numbered."""

    id: int
    account: int | None
    what: What


class Feed:
    """Keeps events from the first subscriber on: before that, nobody can have missed one."""

    def __init__(self, bus: Bus, ids: Ids, *, max_events: int = MAX_EVENTS) -> None:
        self._bus = bus
        self._ids = ids
        self._max_events = max_events
        self._latest: deque[FeedEvent] = deque(maxlen=max_events)
        self._count = 0
        self._started_at: int | None = None
        self._subscribers: list[Subscriber] = []
        bus.listen(Stopping, lambda _: self._end())

    @contextmanager
    def subscribe(self, account: int | None, after: int | None) -> Iterator[Subscriber]:
        """Subscribe to an account's events, or all: from now on, or to those after an id."""
        self._start()
        subscriber = Subscriber(self, account, self._count - self._missed(after))
        subscriber.has_gap = after is not None and not self._has_all_after(after)
        self._subscribers.append(subscriber)
        if self._bus.stopping:
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
        return 0 if after is None else sum(each.id > after for each in self._latest)

    def _has_all_after(self, after: int) -> bool:
        if after < (self._started_at or 0):
            return False
        return len(self._latest) < self._max_events or self._latest[0].id <= after


class Subscriber:
    """One who receives events, at its own pace."""

    def __init__(self, feed: Feed, account: int | None, position: int) -> None:
        self._feed = feed
        self._account = account
        self._changed = asyncio.Event()
        self.dropped = asyncio.Event()
        """Set when it is so far behind that an event was lost."""
        self.position = position
        self.has_gap = False
        """Whether an event after the one that it received last is not kept any more."""
        self.ended = False

    async def next_events(self) -> Sequence[FeedEvent]:
        """Return the next events; none after a heartbeat's time, or at the end."""
        while True:
            self._changed.clear()
            events = self._feed.after(self.position)
            self.position += len(events)
            mine = [each for each in events if self._account in {None, each.account}]
            if mine:
                return mine
            if self.ended or not (events or await self._wait()):
                return ()

    async def _wait(self) -> bool:
        try:
            async with asyncio.timeout(_HEARTBEAT):
                return await self._changed.wait()
        except TimeoutError:
            return False

    def wake(self) -> None:
        """Look again for events."""
        self._changed.set()

    def end(self) -> None:
        """Return what there is, and then nothing more."""
        self.ended = True
        self.wake()

    def drop(self) -> None:
        """End it at once: it is too slow, and the sandbox does not wait for it."""
        if not self.ended:
            self.end()
            self.dropped.set()
