"""Reset: an account becomes what it was when it was new, or what a scenario says; or all do."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import Clock, Instant
from msgine_sandbox.model.message import Message
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.client_warnings import RetryDetector
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.deletion import Emptying
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.faults import Faults, FaultSpec
from msgine_sandbox.services.inbox import Inbox
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.messages import Messages
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.storage.store import Store

_KEYS: Final = 1000
"""Idempotency keys that are deleted in one transaction."""


class RestoredMessage(msgspec.Struct, frozen=True):
    """A message of a scenario."""

    message: Message
    is_known: bool
    """Whether the scenario has its statuses, so that nobody is told of those until now."""


class AccountContents(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has at a time, as a scenario says."""

    account: Account
    """With its settings, endpoints and clock."""
    now: Instant
    faults: Sequence[FaultSpec] = ()
    messages: Sequence[RestoredMessage] = ()
    """The oldest first."""


class Reset:
    """Deletes all that accounts have, and sets them back to what they were when opened."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        scheduler: Scheduler,
        rate_limit: RateLimit,
        journal: Journal,
        retries: RetryDetector,
        coverage: Coverage,
        inbox: Inbox,
        deliveries: Deliveries,
        faults: Faults,
        messages: Messages,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._scheduler = scheduler
        self._rate_limit = rate_limit
        self._journal = journal
        self._retries = retries
        self._coverage = coverage
        self._inbox = inbox
        self._deliveries = deliveries
        self._faults = faults
        self._messages = messages

    async def reset(self, account: int | None) -> None:
        """Reset an account, or for None every account and the clock of those opened later."""
        await self._reset(account, None)

    async def replace(self, contents: AccountContents) -> None:
        """Reset an account, and store what it has from now on in the last transaction of that."""
        await self._reset(contents.account.id, contents)

    async def fill(self, contents: AccountContents) -> None:
        """Store what an account has that has no messages yet."""
        async with self._store.write():
            await self._restore(contents)

    async def _reset(self, account: int | None, contents: AccountContents | None) -> None:
        chosen = self._accounts.ids(account)
        is_done = False
        while not is_done:
            is_done = await self._clear(account, chosen, contents)
        for each in chosen:
            await self._scheduler.reschedule(each)

    async def _clear(
        self, account: int | None, chosen: Sequence[int], contents: AccountContents | None
    ) -> bool:
        """Delete a slice of what there is; with the last one, renew the accounts: return True."""
        async with self._store.write():
            # A new one in each slice: what is accepted meanwhile goes as well, because the account
            # is renewed in the transaction that finds nothing left.
            emptying = Emptying(self._store, self._accounts, self._deliveries, account)
            if not await emptying.slice():
                return False
            if await self._store.idempotency.clear(account, limit=_KEYS) == _KEYS:
                return False
            await self._store.faults.remove(account)
            await self._store.devices.clear(account)
            if account is None:
                await self._accounts.set_default_clock(Clock())
            for each in chosen:
                await self._accounts.renew(each)
            # At once, because the windows of a clock that was ahead would refuse a request of the
            # same batch for as long as that.
            windows = self._rate_limit.forget(account)
            self._store.on_rollback(partial(self._rate_limit.restore, windows))
            if contents is not None:
                await self._restore(contents)
            self._store.after_commit(partial(self._forget, account, chosen, emptying.until))
        return True

    async def _restore(self, contents: AccountContents) -> None:
        account = contents.account.id
        await self._accounts.put(contents.account)
        await self._faults.restore(account, contents.faults)
        for each in contents.messages:
            await self._messages.restore(each.message, contents.now if each.is_known else 0)
        # Where statuses begin only when the clock is moved, those until now have begun as well.
        self._store.after_commit(partial(self._accounts.has_moved, account, contents.now))

    def _forget(self, account: int | None, chosen: Sequence[int], until: int) -> None:
        for each in chosen:
            # One that waits for a receiver would go on with the old clock.
            self._scheduler.cancel_move(each)
        self._journal.forget(account)
        self._retries.forget(account)
        self._coverage.forget(account)
        self._inbox.announce_emptied(account, until)
