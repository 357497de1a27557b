"""The inbox: search messages, delete them.

A search looks at each message of an account, and may be about very many. It works in slices, one at
a time over all calls, and between two of them the event loop does what else there is to do.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import Final

import msgspec

from msgine_sandbox.model.clock import FOREVER
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import SLICE, Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus, InboxEmptied, MessagesDeleted
from msgine_sandbox.services.deletion import Emptying, delete_slice
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.patterns import Pattern
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.searches import MOST_COUNTED, Matches, Subset
from msgine_sandbox.storage.store import Store

_READ_TOGETHER: Final = 5
"""Messages that are read at a time: with a hundred recipients each, it takes some milliseconds."""
_COMPARED_TOGETHER: Final = 500
"""Texts that are compared with a regular expression at a time, on its thread."""
_MAX_SIZE: Final = 1024 * 1024
"""Characters of these texts, because one of them can be half a megabyte."""
_ACCOUNTS_TOGETHER: Final = 200
"""Accounts whose messages are counted at a time, in about 2 ms."""
LOOKED_AT: Final = 50_000
"""Messages, about, after which a search stops counting; it fills the page in any case."""
LOOKED_AT_TOGETHER: Final = 32
"""Messages, about, after which a search looks at the time."""


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to look for: all given fields must match."""

    filter: Filter
    """What SQL decides."""
    pattern: Pattern | None = None


class Found(msgspec.Struct, frozen=True):
    """What a search has found."""

    messages: Sequence[int]
    """The ids of the newest messages that match."""
    total: int
    """How many match."""
    is_minimum: bool
    """Whether more than these may match: they were not counted to the end."""


class _Walk:
    """How far a search has come in a subset."""

    def __init__(self, query: MessageQuery, subset: Subset) -> None:
        self.query = query
        self.subset = subset
        self.below = FOREVER
        """Where it goes on."""
        self.looked_at = 0
        self.look_at = FOREVER
        """After so many messages it pauses."""
        self.is_over = False


class Inbox:
    """The messages of an account, or of all, as the developer sees them."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        deliveries: Deliveries,
        bus: Bus,
        *,
        slice_seconds: float = SLICE,
        looked_at: int = LOOKED_AT,
        looked_at_together: int = LOOKED_AT_TOGETHER,
    ) -> None:
        self._slice_seconds = slice_seconds
        self._looked_at = looked_at
        self._looked_at_together = looked_at_together
        self._store = store
        self._accounts = accounts
        self._deliveries = deliveries
        self._bus = bus
        self._turn = asyncio.Lock()
        self._slices: Slices | None = None
        """The slice of this iteration of the event loop, which all searches share."""

    async def empty(self, account: int | None) -> int:
        """Delete an account's messages, or all; return how many there were.

        Those that are accepted meanwhile stay, where it takes more than one transaction.
        """
        emptying = Emptying(self._store, self._accounts, self._deliveries, account)
        is_done = False
        while not is_done:
            async with self._store.write():
                is_done = await emptying.slice()
                if is_done:
                    announce = partial(self.announce_emptied, account, emptying.until)
                    self._store.after_commit(announce)
        return emptying.deleted

    async def delete(self, message: Message) -> int:
        """Delete a message with all that belongs to it; return 0 if it is gone already."""
        while True:
            stored = await self._store.removal.find(message.id)
            if stored is None:
                return 0
            async with self._store.write():
                await self._deliveries.stop(message.id)
                deleted = await delete_slice(self._store, [stored])
                if deleted:
                    event = MessagesDeleted(message.account, [message.id])
                    self._store.after_commit(partial(self._bus.announce, event))
            if deleted:
                return 1

    def announce_emptied(self, account: int | None, until: int) -> None:
        """Announce that messages of an account, or of every account, are deleted up to an id."""
        for each in self._accounts.ids(account):
            self._bus.announce(InboxEmptied(each, until))

    def leave_loop(self) -> None:
        """Forget the searches of an event loop that has ended."""
        self._turn = asyncio.Lock()
        self._slices = None

    # Searching

    async def search(self, query: MessageQuery, limit: int) -> Found:
        """Find the newest messages that match, and count those that match in all.

        Messages that are accepted during the search are not among them. Once the page is full, it
        does not go on counting for long.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        found: set[int] = set()  # a status that is set by hand can move a message to another subset
        total, is_minimum = 0, False
        for subset in await self._subsets(query, with_count=query.pattern is None):
            some = await self._search_subset(query, subset, limit)
            found.update(some.messages)
            total += some.total
            is_minimum = is_minimum or some.is_minimum
        newest = sorted(found, reverse=True)[:limit]
        return Found(newest, min(total, MOST_COUNTED) if is_minimum else total, is_minimum)

    async def first(self, query: MessageQuery, most: int) -> Sequence[int]:
        """Return the ids of the newest messages that match, without counting the others.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        found: set[int] = set()
        for subset in await self._subsets(query, with_count=False):
            walk = _Walk(query, subset)
            some: list[int] = []
            while len(some) < most and not walk.is_over:
                together = most - len(some) if query.pattern is None else _COMPARED_TOGETHER
                some += await self._next_matching(walk, together)
            found.update(some)
        return sorted(found, reverse=True)[:most]

    def matching(self, wanted: Filter, messages: Collection[int]) -> set[int]:
        """Return the ids of those of some messages that match, as far as SQL decides it."""
        return {message for message, _ in self._store.searches.matching(wanted, messages)}

    async def newest(self, query: MessageQuery) -> Message | None:
        """Return the newest message that matches, or None where there is none yet.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        found = []
        for subset in await self._subsets(query, with_count=False):
            walk = _Walk(query, subset)
            most = 1 if query.pattern is None else _COMPARED_TOGETHER
            message = None
            while message is None and not walk.is_over:
                message = await self._first_left(await self._next_matching(walk, most))
            if message is not None:
                found.append(message)
        return max(found, key=lambda message: message.id, default=None)

    async def read(self, messages: Sequence[int]) -> AsyncIterator[Message]:
        """Return messages by their ids, newest first, without those that are deleted meanwhile."""
        for start in range(0, len(messages), _READ_TOGETHER):
            await self._settle()
            async with self._turn:
                slices = await self._slice()
                some = messages[start : start + _READ_TOGETHER]
                found = await self._store.messages.get_all(some)
            await self._store.settled()  # as for every read, but the response may be far away
            for message in found:
                yield message
                if slices.is_over:
                    await self._store.settled()
                    await slices.give_way()

    async def _subsets(self, query: MessageQuery, *, with_count: bool) -> list[Subset]:
        """Return where to look for messages, and how many match where that is known."""
        if with_count and query.filter.is_counted:
            return [Subset(count=Matches(await self._count(query.filter)))]
        await self._settle()
        async with self._turn:
            await self._slice()
            return self._store.searches.subsets(query.filter, with_count=with_count)

    async def _count(self, wanted: Filter) -> int:
        """Return how many messages an account or channel has, less those that `before` excludes."""
        total, newest = 0, self._store.searches.newest()
        accounts = self._accounts.ids(wanted.account)
        for start in range(0, len(accounts), _ACCOUNTS_TOGETHER):
            await self._settle()
            async with self._turn:
                await self._slice()
                some = accounts[start : start + _ACCOUNTS_TOGETHER]
                total += self._store.searches.count(some, wanted.channel)
        below: int | None = newest + 1
        while wanted.before is not None and below is not None:
            await self._settle()
            async with self._turn:
                await self._slice()
                found = self._store.searches.count_some(wanted.account, wanted.before, below)
            total, below = total - found[0], found[1]
        return total

    async def _search_subset(self, query: MessageQuery, subset: Subset, limit: int) -> Found:
        """Find the newest of a subset that match, and count them unless it is known."""
        found: list[int] = []
        total, walk, count = 0, _Walk(query, subset), subset.count
        shown = limit if count is None else min(limit, count.total)
        while not walk.is_over:
            if len(found) < shown:
                most = shown - len(found)
            elif count is None and total <= MOST_COUNTED and walk.looked_at < self._looked_at:
                most, walk.look_at = MOST_COUNTED + 1 - total, self._looked_at
            else:
                break
            if query.pattern is not None:  # most of them may not match
                most = _COMPARED_TOGETHER
            matching = await self._next_matching(walk, most)
            found += matching[: shown - len(found)]
            total += len(matching)
        if count is not None:
            return Found(found, count.total, count.is_minimum)
        return Found(found, total, is_minimum=not walk.is_over)

    async def _next_matching(self, walk: _Walk, most: int) -> Sequence[int]:
        """Return the ids of matches in the next slice of a walk."""
        await self._settle()
        async with self._turn:
            candidates = self._next_candidates(walk, most, await self._slice())
        return await self._compared(walk.query, candidates)

    async def _settle(self) -> None:
        """Wait until what the call has read so far is stored, if it now has to wait anyway.

        Queries see what is not committed yet, and a response waits only for the last transactions.

        Raises:
            Exception: those of the present iteration of the event loop are rolled back.
        """
        if self._turn.locked() or (self._slices is not None and self._slices.is_over):
            await self._store.settled()

    async def _slice(self) -> Slices:
        """Return the present slice, or the next one if it is over; called with the turn."""
        while self._slices is not None and self._slices.is_over:
            await self._slices.give_way()
        if self._slices is None:
            self._slices = Slices(self._slice_seconds)
            asyncio.get_running_loop().call_soon(self._end_slice)
        return self._slices

    def _end_slice(self) -> None:
        self._slices = None  # the next iteration has begun

    def _next_candidates(self, walk: _Walk, most: int, slices: Slices) -> Sequence[tuple[int, str]]:
        candidates, size, every = [], 0, self._looked_at_together
        rows = self._store.searches.scan(
            walk.query.filter,
            walk.subset,
            walk.below,
            every=every,
            with_content=walk.query.pattern is not None,
        )
        with closing(rows):
            for message, content in rows:
                walk.below = message
                if message % every == 0:
                    walk.looked_at += every  # about: ids end in random bits
                if content is not None:
                    candidates.append((message, content))
                    size += len(content)
                is_enough = len(candidates) == most or size > _MAX_SIZE
                if is_enough or walk.looked_at >= walk.look_at or slices.is_over:
                    return candidates
        walk.is_over = True
        return candidates

    async def first_of(self, query: MessageQuery, messages: Collection[int]) -> Message | None:
        """Return the newest of some messages that matches, or None.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        candidates = self._store.searches.matching(
            query.filter, messages, with_content=query.pattern is not None
        )
        return await self._first_left(await self._compared(query, candidates))

    async def _first_left(self, messages: Iterable[int]) -> Message | None:
        """Return the first of some messages that was not deleted while texts were compared."""
        for each in messages:
            message = await self._store.messages.get(each)
            if message is not None:
                return message
        return None

    async def _compared(
        self, query: MessageQuery, candidates: Sequence[tuple[int, str]]
    ) -> Sequence[int]:
        """Return the ids of those messages whose content the regular expression matches, if any."""
        ids = [message for message, _ in candidates]
        if query.pattern is None or not ids:
            return ids
        await self._store.settled()
        matches = await query.pattern.found_in([content for _, content in candidates])
        return [message for message, is_match in zip(ids, matches, strict=True) if is_match]
