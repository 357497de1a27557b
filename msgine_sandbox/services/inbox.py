"""The inbox: search messages, wait for one, delete them."""

import asyncio
import re
from collections.abc import AsyncIterator

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.message import Message, Status
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import (
    Bus,
    InboxEmptied,
    MessageAccepted,
    StatusesChanged,
    Stopping,
)
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.store import Store


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to look for: all given fields must match."""

    filter: Filter
    """What the store can decide, in SQL."""
    matches: re.Pattern[str] | None = None
    status: Status | None = None

    def accepts(self, message: Message) -> bool:
        """Return whether a message that the filter found also matches the rest."""
        text = message.text if message.title is None else f"{message.title} {message.text}"
        if self.matches is not None and not self.matches.search(text):
            return False
        return self.status is None or self.status in self._statuses(message)

    def for_message(self, message: int) -> "MessageQuery":
        """Return the same query for one message only."""
        return replace(self, filter=replace(self.filter, id=message))

    def _statuses(self, message: Message) -> set[Status]:
        """Return the status of the recipient asked for, else that of the message as a whole."""
        to = self.filter.to
        if to is None:
            return {message.status}
        return {each.status for each in message.deliveries if each.recipient == to}


class Inbox:
    """The messages of an account, or of all, as the developer sees them."""

    def __init__(self, store: Store, accounts: Accounts, bus: Bus) -> None:
        self._store = store
        self._accounts = accounts
        self._bus = bus

    async def empty(self, account: int | None) -> int:
        """Delete an account's messages, or all; return how many there were."""
        async with self._store.write():
            deleted = await self._store.clear_messages(account)
        self.announce_emptied(account)
        return deleted

    def announce_emptied(self, account: int | None) -> None:
        """Announce that an account, or every account, has no messages any more."""
        for each in self._accounts.ids(account):
            self._bus.announce(InboxEmptied(each))

    async def search(self, query: MessageQuery, limit: int) -> tuple[list[Message], int]:
        """Return the newest messages that match, and how many match in all."""
        found, total = [], 0
        # Beyond the limit only their number is needed, which the store knows where its filter is
        # the whole query.
        store_counts = query.matches is None and query.status is None
        async for message in self._matching(query):
            total += 1
            if total <= limit:
                found.append(message)
            elif store_counts:
                return found, await self._store.messages.count(query.filter)
        return found, total

    async def newest(self, query: MessageQuery) -> Message | None:
        """Return the newest message that matches, or None where there is none yet."""
        async for message in self._matching(query):
            return message
        return None

    async def wait(self, query: MessageQuery, timeout: float) -> Message | None:
        """Return the newest message that matches, once there is one; None after the timeout.

        The timeout is in seconds of real time. It also returns None when the sandbox stops.
        """
        # Ids of messages that are new or have changed; None when the sandbox stops.
        changed: asyncio.Queue[int | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def on_event(event: MessageAccepted | StatusesChanged | Stopping) -> None:
            if loop.is_closed():
                return  # it ended in the middle of the wait, and another one uses the sandbox
            if isinstance(event, Stopping):
                changed.put_nowait(None)
            elif query.filter.account in {None, event.account}:
                for message in event.messages:
                    changed.put_nowait(message)

        # Listening before looking: a message that is accepted in between is found twice, not never.
        with self._bus.listening(on_event, MessageAccepted, StatusesChanged, Stopping):
            try:
                # Once the sandbox has been told to stop, no announcement would end the wait.
                async with asyncio.timeout(0 if self._bus.stopping else timeout):
                    found = await self.newest(query)
                    while found is None and (message := await changed.get()) is not None:
                        found = await self.newest(query.for_message(message))
                    return found
            except TimeoutError:
                return None

    async def _matching(self, query: MessageQuery) -> AsyncIterator[Message]:
        async for message in self._store.messages.search(query.filter):
            if query.accepts(message):
                yield message
