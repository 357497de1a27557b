"""Making an account, or the whole sandbox, as new."""

from collections.abc import Callable, Sequence

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.clock import Clock
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline

Forget = Callable[[int | None], object]
"""Empties what is only in memory: an account's, or all of it."""


class Reset:
    """Empties everything, and gives accounts back what they had when they were opened."""

    def __init__(
        self, store: Store, accounts: Accounts, timeline: Timeline, memories: Sequence[Forget]
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._memories = memories

    async def reset(self, account: int | None) -> None:
        """Begin anew; None is every account, and the clock of those still to be opened."""
        chosen = [each.id for each in self._accounts.all()] if account is None else [account]
        for number in chosen:
            self._timeline.end_journey(number)
        async with self._store.unit:
            if account is None:
                await self._accounts.set_default_clock(Clock())
            await self._store.clear(account)
            for number in chosen:
                await self._accounts.renew(number)
            for forget in self._memories:
                forget(account)
        for number in chosen:
            await self._timeline.look_again(number)
