"""Reset: an account, or the whole sandbox, becomes what it was when it was new."""

from collections.abc import Sequence
from functools import partial

from msgine_sandbox.model.clock import Clock
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.client_warnings import RetryDetector
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.inbox import Inbox
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.storage.store import Store


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
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._scheduler = scheduler
        self._rate_limit = rate_limit
        self._journal = journal
        self._retries = retries
        self._coverage = coverage
        self._inbox = inbox

    async def reset(self, account: int | None) -> None:
        """Reset an account, or for None every account and the clock of those opened later."""
        chosen = self._accounts.ids(account)
        async with self._store.write():
            if account is None:
                await self._accounts.set_default_clock(Clock())
            await self._store.clear(account)
            for each in chosen:
                await self._accounts.renew(each)
            # At once, because the windows of a clock that was ahead would refuse a request of the
            # same batch for as long as that.
            windows = self._rate_limit.forget(account)
            self._store.on_rollback(partial(self._rate_limit.restore, windows))
            self._store.after_commit(partial(self._forget, account, chosen))
        for each in chosen:
            await self._scheduler.reschedule(each)

    def _forget(self, account: int | None, chosen: Sequence[int]) -> None:
        for each in chosen:
            # One that waits for a receiver would go on with the old clock.
            self._scheduler.cancel_move(each)
        self._journal.forget(account)
        self._retries.forget(account)
        self._coverage.forget(account)
        self._inbox.announce_emptied(account)
