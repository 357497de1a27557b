"""What happens, live and in order, and the latest of it again for those who come back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import msgspec

from msgine_sandbox.bus import Bus
from msgine_sandbox.model.events import (
    InboxEmptied,
    MessageAccepted,
    RequestAnswered,
    RequestWarned,
    StatusesChanged,
    Stopping,
    WebhookTried,
)
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Move

KEPT: Final = 10_000
"""Happenings that can be caught up with; a follower that is farther behind is dropped."""
_TOGETHER: Final = 100
_QUIET: Final = 15
"""Seconds of real time without anything, after which a follower is told that all is well."""

What = MessageAccepted | Move | InboxEmptied | RequestAnswered | RequestWarned | WebhookTried


class Happening(msgspec.Struct, frozen=True):
    """One thing that happened, numbered."""

    id: int
    account: int | None
    what: What


class Feed:
    """Keeps what happens from the first follower on: before that, nobody can have missed it."""

    def __init__(self, bus: Bus, ids: Ids) -> None:
        self._bus = bus
        self._ids = ids
        self._latest: deque[Happening] = deque(maxlen=KEPT)
        self._count = 0
        self._since: int | None = None
        self._followers: list[Follower] = []
        self._ended = False
        bus.listen(Stopping, lambda _: self._end())

    @contextmanager
    def follow(
        self, account: int | None, after: int | None, drop: Callable[[], object]
    ) -> Iterator[Follower]:
        """Let somebody follow an account, or all, inside the block: from now on, or after a number.

        `drop` is called when it is so far behind that something was lost.
        """
        self._begin()
        follower = Follower(self, account, self._count - self._missed(after), drop)
        follower.has_gap = after is not None and not self._kept_since(after)
        self._followers.append(follower)
        if self._ended:
            follower.end()
        try:
            yield follower
        finally:
            self._followers.remove(follower)

    def after(self, position: int) -> Sequence[Happening]:
        """Give some of what happened from a position on."""
        start = max(position - (self._count - len(self._latest)), 0)
        return list(islice(self._latest, start, start + _TOGETHER))

    def _begin(self) -> None:
        if self._since is not None:
            return
        self._since = self._ids.next()
        bus = self._bus
        bus.listen(MessageAccepted, lambda event: self._add(event.account, event))
        bus.listen(InboxEmptied, lambda event: self._add(event.account, event))
        bus.listen(RequestAnswered, lambda event: self._add(event.entry.account, event))
        bus.listen(RequestWarned, lambda event: self._add(event.entry.account, event))
        bus.listen(WebhookTried, lambda event: self._add(event.attempt.account, event))
        bus.listen(StatusesChanged, self._moved)

    def _moved(self, event: StatusesChanged) -> None:
        for move in event.moves:
            self._add(event.account, move)

    def _add(self, account: int | None, what: What) -> None:
        self._latest.append(Happening(self._ids.next(), account, what))
        self._count += 1
        oldest = self._count - len(self._latest)
        for follower in self._followers:
            follower.wake()
            if follower.position < oldest:
                follower.lose()

    def _end(self) -> None:
        self._ended = True
        for follower in self._followers:
            follower.end()

    def _missed(self, after: int | None) -> int:
        return 0 if after is None else sum(each.id > after for each in self._latest)

    def _kept_since(self, after: int) -> bool:
        if after < (self._since or 0):
            return False
        return len(self._latest) < KEPT or self._latest[0].id <= after


class Follower:
    """One who follows, at its own pace."""

    def __init__(
        self, feed: Feed, account: int | None, position: int, drop: Callable[[], object]
    ) -> None:
        self._feed = feed
        self._account = account
        self._drop = drop
        self._news = asyncio.Event()
        self.position = position
        self.has_gap = False
        """Whether something happened since it was here last that is not kept any more."""
        self.ended = False

    async def more(self) -> Sequence[Happening]:
        """Give what happened next; nothing after a quiet while, or at the end."""
        while True:
            self._news.clear()
            happened = self._feed.after(self.position)
            self.position += len(happened)
            mine = [each for each in happened if self._account in {None, each.account}]
            if mine:
                return mine
            if self.ended or not (happened or await self._something()):
                return ()

    async def _something(self) -> bool:
        try:
            async with asyncio.timeout(_QUIET):
                return await self._news.wait()
        except TimeoutError:
            return False

    def wake(self) -> None:
        """Let it look again."""
        self._news.set()

    def end(self) -> None:
        """Let it go after what it has."""
        self.ended = True
        self.wake()

    def lose(self) -> None:
        """Give it up: it is too slow, and nobody waits for it."""
        if not self.ended:
            self.end()
            self._drop()
