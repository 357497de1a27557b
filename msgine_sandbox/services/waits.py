"""Calls that wait for a message: what happens is compared with all of them by one task."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import SLICE, Slices
from msgine_sandbox.services.bus import Bus, MessageAccepted, StatusesChanged, Stopping
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.inbox import Inbox, MessageQuery
from msgine_sandbox.storage.store import Store

News = Message | Sequence[int] | Exception | None
"""What a wait is told: its end, or the ids of messages that it is to compare itself."""


class Wait:
    """A call that waits for a message."""

    def __init__(self, store: Store, inbox: Inbox, carrier: Carrier, query: MessageQuery) -> None:
        self._store = store
        self._inbox = inbox
        self._carrier = carrier
        self.query = query
        self.is_about_status = query.filter.status is not None
        # Not a queue of asyncio, which would use the event loop again if it ends inside a wait.
        self._news: deque[News] = deque()
        self._arrived: asyncio.Future[None] | None = None

    def put(self, news: News) -> None:
        """End it with a message or an error, or with neither where the sandbox stops.

        Ids are those of messages that it is still to compare with its regular expression.
        """
        self._news.append(news)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def existing(self) -> Message | None:
        """Return the newest message that matches, or None where there is none yet.

        Raises:
            InvalidRequest: the regular expression takes too much time.
        """
        message = await self._newest()
        if message is None and self.is_about_status:
            await self._carrier.follow(self.query.filter.account)
            message = await self._newest()  # a status may have begun that nobody was told of
        return message

    async def _newest(self) -> Message | None:
        message = await self._inbox.newest(self.query)
        if message is not None:
            try:
                await self._store.settled()
            except Exception:  # the transaction that it was read from is rolled back
                message = await self._inbox.newest(self.query)
        return message

    async def next(self, timeout: float) -> Message | None:
        """Return the first message that matches from now on; None after the timeout.

        The timeout is in seconds of real time. It also returns None when the sandbox stops.

        Raises:
            InvalidRequest: the regular expression takes too much time.
            Exception: what else the wait was ended with.
        """
        try:
            async with asyncio.timeout(timeout):
                while (news := await self._next_news()) is not None:
                    if isinstance(news, Message):
                        return news
                    found = await self._inbox.first_of(self.query, news)
                    if found is not None:
                        return found
        except TimeoutError:
            pass
        return None

    async def _next_news(self) -> Message | Sequence[int] | None:
        while not self._news:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        news = self._news.popleft()
        if isinstance(news, Exception):
            try:
                raise news
            finally:
                del news  # its traceback refers to this call: both would stay for long
        return news


class Waits:
    """The calls that wait, and the messages that are still to be compared with them."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        carrier: Carrier,
        bus: Bus,
        *,
        slice_seconds: float = SLICE,
    ) -> None:
        self._slice_seconds = slice_seconds
        self._store = store
        self._inbox = inbox
        self._carrier = carrier
        self._bus = bus
        self._waits: defaultdict[int | None, dict[Wait, None]] = defaultdict(dict)
        """By the account whose messages they wait for; None is any account."""
        self._about_status: set[Wait] = set()
        """Those that a status can end, for which messages need steps."""
        self._changed: defaultdict[int, dict[int, None]] = defaultdict(dict)
        """By account, the messages that are new or have changed."""
        self._comparing: asyncio.Task[None] | None = None

    @contextmanager
    def waiting(self, query: MessageQuery) -> Iterator[Wait]:
        """Wait for a message inside the block.

        What happens from its beginning on is not missed, also if the caller first looks for what
        exists.
        """
        wait = Wait(self._store, self._inbox, self._carrier, query)
        if not self._waits:
            # One listener for all waits, and none without any: each message would call it.
            self._bus.listen(MessageAccepted, self._hear)
            self._bus.listen(Stopping, self._hear)
        if wait.is_about_status:
            if not self._about_status:
                self._bus.listen(StatusesChanged, self._hear)
            self._about_status.add(wait)
        self._waits[query.filter.account][wait] = None
        if self._bus.stopping:  # no announcement would end it
            wait.put(None)
        try:
            yield wait
        finally:
            self._remove(wait)

    def leave_loop(self) -> None:
        """Forget the calls that wait in an event loop that has ended."""
        self._waits.clear()
        self._about_status.clear()
        self._changed.clear()
        self._comparing = None
        self._bus.ignore(self._hear, MessageAccepted, StatusesChanged, Stopping)

    def _remove(self, wait: Wait) -> None:
        account = wait.query.filter.account
        waits = self._waits.get(account, {})
        if wait not in waits:
            return  # its event loop has been left
        del waits[wait]
        if not waits:
            del self._waits[account]
        self._about_status.discard(wait)
        if not self._about_status:
            self._bus.ignore(self._hear, StatusesChanged)
        if not self._waits:
            self._bus.ignore(self._hear, MessageAccepted, Stopping)

    def _hear(self, event: MessageAccepted | StatusesChanged | Stopping) -> None:
        if isinstance(event, Stopping):
            for wait in [each for waits in self._waits.values() for each in waits]:
                wait.put(None)
            return
        self._changed[event.account].update(dict.fromkeys(event.messages))
        if self._comparing is None:
            self._comparing = asyncio.create_task(self._compare())

    async def _compare(self) -> None:
        slices = Slices(self._slice_seconds)
        try:
            while self._changed:
                account = next(iter(self._changed))
                messages = self._changed.pop(account)
                for wait in [*self._waits.get(account, ()), *self._waits.get(None, ())]:
                    is_told = await self._tell(wait, messages, slices)
                    # What is told has work to do, before the next one is.
                    await (slices.give_way() if is_told else slices.pause())
        finally:
            self._comparing = None

    async def _tell(self, wait: Wait, messages: Collection[int], slices: Slices) -> bool:
        """Let a wait go on if one of the messages matches; return whether one does."""
        try:
            try:
                news = await self._news_for(wait, messages)
            except Exception:
                # Transactions of others failed and are rolled back, which was not about these.
                await slices.give_way()
                news = await self._news_for(wait, messages)
        except Exception as error:  # the database cannot be read: the call is answered with it
            news = error
        if news is not None:
            wait.put(news)
        return news is not None

    async def _news_for(self, wait: Wait, messages: Collection[int]) -> News:
        found = self._store.searches.matching(wait.query.filter, messages)
        if not found:
            return None
        if wait.query.pattern is not None:
            # It compares them itself, so that nobody waits for its regular expression.
            return [message for message, _ in found]
        message = await self._store.messages.get(found[0][0])
        await self._store.settled()  # queries see what may still be rolled back
        return message
