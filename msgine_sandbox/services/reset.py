"""Reset: an account, or the whole sandbox, becomes what it was when it was new."""

from collections.abc import Sequence

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
        # First, because a clock move that waits for a receiver would go on with the old clock.
        for each in chosen:
            self._scheduler.cancel_move(each)
        with self._accounts.undone_on_failure(chosen):
            await self._clear(account, chosen)
        for each in chosen:
            await self._scheduler.reschedule(each)

    async def _clear(self, account: int | None, chosen: Sequence[int]) -> None:
        async with self._store.write():
            if account is None:
                await self._accounts.set_default_clock(Clock())
            await self._store.clear(account)
            for each in chosen:
                await self._accounts.renew(each)
            # What is only in memory is cleared before the commit, so that no request in between
            # meets one of the two without the other.
            self._rate_limit.forget(account)
            self._journal.forget(account)
            self._retries.forget(account)
            self._coverage.forget(account)
            self._inbox.announce_emptied(account)
