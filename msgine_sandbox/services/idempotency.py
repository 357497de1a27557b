"""One key, one effect: for 24 hours the first answer is the answer to every later request."""

import asyncio

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import IdempotencyKeyReused
from msgine_sandbox.model.idempotency import KEY_TTL, StoredAnswer
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.storage.store import Store


class KeyLock(msgspec.Struct, kw_only=True):
    """The lock on a key, which its first request holds until it has a response."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    waiting: list[asyncio.Future[None]] = msgspec.field(default_factory=list)
    """Done once the key is unlocked; one for each request that waits for it."""
    stored: bool = False
    """Whether the handler has asked for the answer, in order to store it."""

    def to_store(self, status: int, body: bytes) -> StoredAnswer:
        """Return what to store of the answer, in the transaction that stores the effect."""
        self.stored = True
        return StoredAnswer(
            account=self.account,
            key=self.key,
            first_used=self.first_used,
            fingerprint=self.fingerprint,
            status=status,
            body=body,
        )


class Idempotency:
    """Locks keys, each for one request at a time."""

    def __init__(self, store: Store, accounts: Accounts, *, strict: bool = False) -> None:
        self._store = store
        self._accounts = accounts
        self._strict = strict
        self._locks: dict[tuple[int, str], KeyLock] = {}

    async def stored_or_lock(
        self, account: int, key: str, fingerprint: bytes
    ) -> StoredAnswer | KeyLock:
        """Return the stored answer of a key, or else a lock on it, for its first request.

        A request whose key is locked waits for the one before it. Source of the 24 hours and of the
        replay: documented; of the waiting and of the strict setting: our choice.

        Raises:
            IdempotencyKeyReused: under the strict setting, the key came with another request.
        """
        # A loop, because all that wait go on together: where the request before them has failed,
        # the first of them takes the lock, and the others wait for that one.
        while (held := self._locks.get((account, key))) is not None:
            unlocked = asyncio.get_running_loop().create_future()
            held.waiting.append(unlocked)
            await unlocked
        # Nothing suspends from here on, so no other request can take the lock in between.
        stored = await self._store.idempotency.get(account, key)
        now = self._accounts.now(account)
        # Half-open: a key is free again after exactly 24 hours.
        if stored is not None and now - stored.first_used < KEY_TTL:
            if self._strict and stored.fingerprint != fingerprint:
                raise IdempotencyKeyReused
            return stored
        lock = KeyLock(account=account, key=key, first_used=now, fingerprint=fingerprint)
        self._locks[account, key] = lock
        return lock

    def unlock(self, lock: KeyLock) -> None:
        """Let the requests that wait for a key go on."""
        if self._locks.get((lock.account, lock.key)) is not lock:
            return  # of an event loop that has ended; another request may have the key by now
        del self._locks[lock.account, lock.key]
        for unlocked in lock.waiting:
            # A waiting request may have been cancelled, or its event loop closed.
            if not unlocked.done() and not unlocked.get_loop().is_closed():
                unlocked.set_result(None)

    def leave_loop(self) -> None:
        """Forget all locks, because the event loop whose requests hold them has ended."""
        self._locks.clear()
