"""Retention: the oldest messages go once there are too many, and expired idempotency keys go."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from msgine_sandbox.model.clock import FOREVER, SECOND, Instant, RealTime
from msgine_sandbox.model.errors import LoopChanged
from msgine_sandbox.model.idempotency import KEY_TTL
from msgine_sandbox.model.ids import id_at
from msgine_sandbox.model.slices import SLICE, Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus, MessagesDeleted
from msgine_sandbox.services.deletion import MESSAGES, delete_slice
from msgine_sandbox.storage.removal import StoredMessage, Totals
from msgine_sandbox.storage.store import Store

_log = logging.getLogger(__name__)

IN_MEMORY: Final = (100_000, 256)
"""Messages and megabytes that are kept where nothing is set and the database is in memory."""
_MEGABYTE: Final = 1_000_000
_TICK: Final = 0.25
"""Seconds between two looks for messages beyond the bounds."""
PERIOD: Final = 600.0
"""Seconds between two looks for expired keys."""
_KEYS: Final = 1000
_REST: Final = 9
"""Retention pauses this many times as long as it has spent on messages that it passed over."""
_RETRY_AFTER_FAILURE: Final = 1.0


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept; 0 is without a bound."""

    messages: int
    bytes: int
    age: int
    """Microseconds of real time."""

    @property
    def has_bound(self) -> bool:
        """Whether messages are ever deleted."""
        return bool(self.messages or self.bytes or self.age)

    @classmethod
    def of(
        cls, messages: int | None, megabytes: int | None, seconds: float, *, in_memory: bool
    ) -> "Keep":
        """Return what settings say; None is the default of a database in memory or in a file."""
        default_messages, default_megabytes = IN_MEMORY if in_memory else (0, 0)
        return cls(
            messages=default_messages if messages is None else messages,
            bytes=_MEGABYTE * (default_megabytes if megabytes is None else megabytes),
            age=round(seconds * SECOND),
        )


class Retention:
    """Deletes in the background what is beyond the bounds, oldest first over all accounts.

    A message to which something is still to happen is passed over until nothing is. Analytics keep
    their sums.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        bus: Bus,
        real: RealTime,
        keep: Keep,
        *,
        period: float = PERIOD,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._bus = bus
        self._real = real
        self._keep = keep
        self._period = period
        self._task: asyncio.Task[None] | None = None
        self._keys_due: Instant = 0
        """In real time."""

    async def start(self) -> None:
        """Begin to delete in the background; once in an event loop."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def catch_up(self) -> None:
        """Delete a slice of messages now: the event loop may end with the present request."""
        with suppress(Exception):  # the request does not need it, and the next one tries again
            if self._keep.has_bound:
                await self._count(most=1)
                await self._delete_messages(most=1)

    async def close(self) -> None:
        """Stop; the next process goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.leave_loop()

    def leave_loop(self) -> None:
        """Forget what belongs to an event loop that has ended."""
        if self._task is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)
        self._task = None

    async def _run(self) -> None:
        # A look costs a query. It is cheaper to look four times a second than at each message.
        pause = min(_TICK, self._period) if self._keep.has_bound else self._period
        while True:
            in_vain = 0.0
            try:
                if self._keep.has_bound:
                    await self._count()
                    in_vain = await self._delete_messages()
                await self._delete_expired_keys()
            except LoopChanged:
                return  # this loop has paused, and another one uses the sandbox
            except Exception as error:
                if self._store.unavailable(error) is None:  # else it is logged there
                    _log.exception("What is too old could not be deleted; it will be tried again")
                await asyncio.sleep(_RETRY_AFTER_FAILURE)  # noqa: TID251
            # In real time, because memory is real. No client can wait for it.
            await asyncio.sleep(max(pause, _REST * in_vain))  # noqa: TID251

    async def _delete_messages(self, most: int | None = None) -> float:
        """Delete the messages beyond the bounds, or only as many as some slices take.

        Return about how many seconds it has spent on messages that it passed over.
        """
        slices, passed_over, in_vain = Slices(), 0, 0.0
        while most != 0:
            surplus = self._surplus(await self._store.removal.totals())
            window = await self._window(surplus, after=passed_over)
            if not window:
                break
            # Nothing has suspended since the messages were read, so none can have got steps.
            chosen = surplus.of(window)
            if chosen:
                async with self._store.write():
                    self._announce(await delete_slice(self._store, chosen))
                most = None if most is None else most - 1
            else:
                passed_over = window[-1].id
                in_vain += SLICE if slices.is_over else 0
                await slices.pause()
        return in_vain

    async def _count(self, most: int | None = None) -> None:
        """Count the messages that are not counted yet, or only as many as some slices take."""
        while most != 0 and await self._store.removal.must_count():
            async with self._store.write():
                await self._store.removal.count()
            most = None if most is None else most - 1

    def _surplus(self, totals: Totals) -> "Surplus":
        keep = self._keep
        return Surplus(
            messages=totals.messages - keep.messages if keep.messages else 0,
            bytes=totals.bytes - keep.bytes if keep.bytes else 0,
            # Their ids have the real time at which they were accepted.
            until=id_at(self._real.now() - keep.age) if keep.age else 0,
        )

    async def _window(self, surplus: "Surplus", *, after: int) -> Sequence[StoredMessage]:
        """Return the oldest messages after an id, of which some may be surplus."""
        until = FOREVER if surplus.messages > 0 or surplus.bytes > 0 else surplus.until
        return await self._store.removal.oldest(None, after=after, until=until, limit=MESSAGES)

    def _announce(self, deleted: Sequence[StoredMessage]) -> None:
        by_account: defaultdict[int, list[int]] = defaultdict(list)
        for each in deleted:
            by_account[each.account].append(each.id)
        for account, messages in by_account.items():
            event = MessagesDeleted(account, messages)
            self._store.after_commit(partial(self._bus.announce, event))

    async def _delete_expired_keys(self) -> None:
        # They have no effect any more. Whether a key is expired depends on the clock of its
        # account, so all are looked at, which takes a second for a million.
        real = self._real.now()
        if real < self._keys_due:
            return
        slices, last = Slices(), 0
        while keys := await self._store.idempotency.first_uses(after=last, limit=_KEYS):
            expired = [
                each.id
                for each in keys
                if self._accounts.at(each.account, real) - each.first_used >= KEY_TTL
            ]
            if expired:
                async with self._store.write():
                    await self._store.idempotency.remove(expired)
            last = keys[-1].id
            await slices.pause()
        self._keys_due = real + round(self._period * SECOND)


class Surplus(msgspec.Struct, frozen=True):
    """What is to be deleted: so many messages, so many bytes, and all messages up to an id."""

    messages: int
    bytes: int
    until: int

    def of(self, oldest: Sequence[StoredMessage]) -> list[StoredMessage]:
        """Return which of the oldest messages, in order, are to be deleted."""
        messages, size = self.messages, self.bytes
        chosen = []
        for each in oldest:
            if messages <= 0 and size <= 0 and each.id > self.until:
                break
            if not each.is_under_way:
                chosen.append(each)
                messages, size = messages - 1, size - each.size
        return chosen
