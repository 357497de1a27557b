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
from msgine_sandbox.storage.store import Store

_NEWEST: int | None = FOREVER
"""Below which id a search begins."""
_READ_TOGETHER: Final = 5
"""Messages that are read at a time: with a hundred recipients each, it takes some milliseconds."""
_COMPARED_TOGETHER: Final = 500
"""Texts that are compared with a regular expression at a time, on its thread."""
_MAX_SIZE: Final = 1024 * 1024
"""Characters of these texts, because one of them can be half a megabyte."""


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to look for: all given fields must match."""

    filter: Filter
    """What SQL decides."""
    pattern: Pattern | None = None


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
    ) -> None:
        self._slice_seconds = slice_seconds
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

    async def search(self, query: MessageQuery, limit: int) -> tuple[list[int], int]:
        """Return the ids of the newest messages that match, and how many match in all.

        Messages that are accepted during the search are not among them.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        counted = await self._counted(query)
        found: list[int] = []
        total, below = 0, _NEWEST
        while below is not None and (counted is None or len(found) < limit):
            most = _COMPARED_TOGETHER if counted is None else limit
            matching, below = await self._next_matching(query, below, most)
            found += matching[: limit - len(found)]
            total += len(matching)
        return found, total if counted is None else counted

    async def newest(self, query: MessageQuery) -> Message | None:
        """Return the newest message that matches, or None where there is none yet.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        below = _NEWEST
        while below is not None:
            most = 1 if query.pattern is None else _COMPARED_TOGETHER
            matching, below = await self._next_matching(query, below, most)
            message = await self._first_left(matching)
            if message is not None:
                return message
        return None

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

    async def _counted(self, query: MessageQuery) -> int | None:
        """Return how many messages match, where an index is enough to count them; else None."""
        if query.pattern is not None or not query.filter.is_range:
            return None
        total, below = 0, _NEWEST
        while below is not None:
            await self._settle()
            async with self._turn:
                await self._slice()
                count, below = self._store.messages.count_some(query.filter, below)
            total += count
        return total

    async def _next_matching(
        self, query: MessageQuery, below: int, most: int
    ) -> tuple[Sequence[int], int | None]:
        """Return the ids of matches in the next slice below an id, and below which to go on."""
        await self._settle()
        async with self._turn:
            slices = await self._slice()
            candidates, last = self._next_candidates(query, below, most, slices)
        return await self._compared(query, candidates), last

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

    def _next_candidates(
        self, query: MessageQuery, below: int, most: int, slices: Slices
    ) -> tuple[Sequence[tuple[int, str]], int | None]:
        candidates, size = [], 0
        rows = self._store.messages.scan(
            query.filter, below, with_content=query.pattern is not None
        )
        with closing(rows):
            for message, content in rows:
                if content is not None:
                    candidates.append((message, content))
                    size += len(content)
                if len(candidates) == most or size > _MAX_SIZE or slices.is_over:
                    return candidates, message
        return candidates, None

    async def first_of(self, query: MessageQuery, messages: Collection[int]) -> Message | None:
        """Return the newest of some messages that matches, or None.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        candidates = await self._store.messages.matching(
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
