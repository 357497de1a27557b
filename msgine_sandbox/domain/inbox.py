"""Looking into the inbox: search it, wait for a message, empty it."""

import asyncio
import re
from collections.abc import AsyncIterator

import msgspec
from msgspec.structs import replace

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.events import InboxEmptied, MessageAccepted, StatusesChanged, Stopping
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.store import Store


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a message must be like; None leaves a question out."""

    filter: Filter
    matches: re.Pattern[str] | None = None
    status: Status | None = None

    def fits(self, message: Message) -> bool:
        """Tell whether a message that the store found is also like this."""
        said = message.text if message.title is None else f"{message.title} {message.text}"
        if self.matches is not None and not self.matches.search(said):
            return False
        return self.status is None or self.status in self._statuses(message)

    def only(self, number: int) -> "Wanted":
        """Give the same for one message."""
        return replace(self, filter=replace(self.filter, number=number))

    def _statuses(self, message: Message) -> set[Status]:
        """Of the recipient asked for, else of the message as a whole."""
        to = self.filter.to
        if to is None:
            return {message.status}
        return {each.status for each in message.deliveries if each.recipient == to}


class Inbox:
    """The messages as the developer looks at them."""

    def __init__(self, store: Store, accounts: Accounts, bus: Bus) -> None:
        self._store = store
        self._accounts = accounts
        self._bus = bus
        self._stopping = False
        bus.listen(Stopping, self._stop)

    async def empty(self, account: int | None) -> int:
        """Delete an account's messages, or all; tell how many there were."""
        async with self._store.unit:
            deleted = await self._store.clear_messages(account)
        self.emptied(account)
        return deleted

    def emptied(self, account: int | None) -> None:
        """Tell that an account, or every account, has no messages any more."""
        everybody = [each.id for each in self._accounts.all()]
        for number in everybody if account is None else [account]:
            self._bus.announce(InboxEmptied(number))

    async def search(self, wanted: Wanted) -> AsyncIterator[Message]:
        """Give the messages that fit, newest first."""
        async for message in self._store.messages.search(wanted.filter):
            if wanted.fits(message):
                yield message

    async def newest(self, wanted: Wanted) -> Message | None:
        """Give the newest message that fits, or None."""
        async for message in self.search(wanted):
            return message
        return None

    async def first(self, wanted: Wanted, limit: int) -> tuple[list[Message], int]:
        """Give the newest messages that fit, and how many fit in all."""
        found, total = [], 0
        by_store = wanted.matches is None and wanted.status is None
        async for message in self.search(wanted):
            total += 1
            if total <= limit:
                found.append(message)
            elif by_store:
                return found, await self._store.messages.count(wanted.filter)
        return found, total

    async def wait(self, wanted: Wanted, timeout: float) -> Message | None:
        """Give the newest message that fits as soon as there is one; None after so many seconds."""
        changed: asyncio.Queue[int | None] = asyncio.Queue()

        def hear(event: MessageAccepted | StatusesChanged | Stopping) -> None:
            if isinstance(event, Stopping):
                changed.put_nowait(None)
            elif wanted.filter.account in {None, event.account}:
                for number in event.messages:
                    changed.put_nowait(number)

        with self._bus.listening(hear, MessageAccepted, StatusesChanged, Stopping):
            try:
                # Who comes once it is told to stop would hear of nothing more.
                async with asyncio.timeout(0 if self._stopping else timeout):
                    message = await self.newest(wanted)
                    while message is None and (number := await changed.get()) is not None:
                        message = await self.newest(wanted.only(number))
                    return message
            except TimeoutError:
                return None

    def _stop(self, _: Stopping) -> None:
        self._stopping = True
