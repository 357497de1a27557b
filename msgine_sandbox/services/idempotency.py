"""One key, one effect: for 24 hours the first answer is the answer to every later request."""

import asyncio

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import IdempotencyKeyReused
from msgine_sandbox.model.idempotency import KEY_TTL, StoredAnswer
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.storage.store import Store


class KeyLock(msgspec.Struct, kw_only=True):
    """A key that one request holds until it is answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes
    stored: bool = False
    """Whether the handler took the answer to store it together with the request's effect."""

    def to_store(self, status: int, body: bytes) -> StoredAnswer:
        """Return what to store of the answer, in the transaction that stores its effect."""
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
        self._waiting: dict[tuple[int, str], list[asyncio.Future[None]]] = {}

    async def lock(self, account: int, key: str, fingerprint: bytes) -> KeyLock | StoredAnswer:
        """Return the answer that a key has already, or a lock for the request that is its first.

        A request whose key is locked waits for the one before it. Source of the 24 hours and of the
        replay: documented; of the waiting and of the strict setting: our choice.

        Raises:
            IdempotencyKeyReused: under the strict setting, the key came with another request.
        """
        place = (account, key)
        while (waiting := self._waiting.get(place)) is not None:
            unlocked = asyncio.get_running_loop().create_future()
            waiting.append(unlocked)
            await unlocked
        known = await self._store.idempotency.get(account, key)
        now = self._accounts.now(account)
        if known is not None and now - known.first_used < KEY_TTL:
            if self._strict and known.fingerprint != fingerprint:
                raise IdempotencyKeyReused
            return known
        self._waiting[place] = []
        return KeyLock(account=account, key=key, first_used=now, fingerprint=fingerprint)

    def unlock(self, lock: KeyLock) -> None:
        """Let the requests that wait for a key go on."""
        for unlocked in self._waiting.pop((lock.account, lock.key)):
            if not unlocked.done():  # a waiting request may have been cancelled
                unlocked.set_result(None)
