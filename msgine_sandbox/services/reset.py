"""Reset: an account, or the whole sandbox, becomes what it was when it was new."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgine_sandbox.model.clock import Clock
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.client_warnings import RetryDetector
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.deletion import Emptying
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.inbox import Inbox
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.storage.store import Store

_KEYS: Final = 1000
"""Idempotency keys that are deleted in one transaction."""


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

    async def reset(self, account: int | None) -> None:
        """Reset an account, or for None every account and the clock of those opened later."""
        chosen = self._accounts.ids(account)
        is_done = False
        while not is_done:
            is_done = await self._clear(account, chosen)
        for each in chosen:
            await self._scheduler.reschedule(each)

    async def _clear(self, account: int | None, chosen: Sequence[int]) -> bool:
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
            self._store.after_commit(partial(self._forget, account, chosen, emptying.until))
        return True

    def _forget(self, account: int | None, chosen: Sequence[int], until: int) -> None:
        for each in chosen:
            # One that waits for a receiver would go on with the old clock.
            self._scheduler.cancel_move(each)
        self._journal.forget(account)
        self._retries.forget(account)
        self._coverage.forget(account)
        self._inbox.announce_emptied(account, until)
