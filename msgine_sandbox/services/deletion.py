"""Deleting messages in slices, so that no request has to wait for a large deletion.

Each slice is a write transaction of its own, and takes about five milliseconds. Between two of them
other requests are answered, which see a part of the messages gone.
"""

from collections.abc import Iterable
from typing import Final

from msgine_sandbox.model.slices import SLICE, Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.storage.removal import StoredMessage
from msgine_sandbox.storage.store import Store

MESSAGES: Final = 100
"""Messages of a slice, at most."""
_BYTES: Final = 4_000_000
"""After so many a slice ends, too: large texts are deleted after the time was looked at."""
_STEPS: Final = 1000
_STOPPED: Final = 200
"""Messages that are under way, from which what is to come is taken in one slice."""
_PARTS: Final = 100
"""Attempts, and as many webhook events, that are deleted before the time is looked at."""


async def delete_slice(store: Store, chosen: Iterable[StoredMessage]) -> list[StoredMessage]:
    """Delete the first of some messages, inside a write transaction; return those deleted.

    Where there is no time for all, it also deletes a part of what belongs to the next one; the
    caller goes on in another transaction.
    """
    slices = Slices(SLICE)  # one of them: it ends with the message that it is at
    done, size = [], 0
    for each in chosen:
        while not (is_alone := await store.removal.delete_parts(each.id, limit=_PARTS)):
            if slices.is_over:
                break
        if is_alone:
            done.append(each)
            size += each.size
        if slices.is_over or size > _BYTES:
            break
    await store.removal.delete(done)
    return done


class Emptying:
    """The deletion of all messages of an account, or of all accounts, with their sums.

    First goes what is still to come, and the steps. In the transaction in which none is left, it is
    decided which messages are deleted: those that are stored by then. From there on nothing changes
    their statuses, so the sums of analytics go in the same transaction, and have only later
    messages afterwards.
    """

    def __init__(
        self, store: Store, accounts: Accounts, deliveries: Deliveries, account: int | None
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._deliveries = deliveries
        self._account = account
        self._is_decided = False
        self.until = 0
        """The id of the newest message that is deleted; 0 without any."""
        self.deleted = 0

    async def slice(self) -> bool:
        """Delete a slice, inside a write transaction; return whether nothing is left to delete."""
        store, account = self._store, self._account
        if not self._is_decided:
            self.until = await store.removal.newest(account)
            if await self._stop() == _STOPPED:
                return False
            if await store.removal.delete_steps(account, self.until, limit=_STEPS) == _STEPS:
                return False
            await store.tallies.clear(account)
            self._is_decided = True
        chosen = await store.removal.oldest(account, until=self.until, limit=MESSAGES)
        done = await delete_slice(store, chosen)
        self.deleted += len(done)
        return len(done) == len(chosen) < MESSAGES

    async def _stop(self) -> int:
        """Take what is to come from messages, at most so many; return how many they were."""
        count = 0
        for account in await self._store.messages.accounts_under_way(self._account):
            now = self._accounts.seen(account)
            async for message in self._store.messages.under_way(account, now):
                await self._deliveries.stop(message.id)
                count += 1
                if count == _STOPPED:
                    return count
        return count
