"""One key, one effect: for 24 hours the first answer stands for every later one."""

import asyncio

import msgspec

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.clock import DAY, Instant
from msgine_sandbox.model.errors import IdempotencyKeyReused
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.storage.store import Store

HEADER = "Idempotency-Key"
KEPT = DAY


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a request holds until it is answered."""

    account: int
    key: str
    first_used: Instant
    fingerprint: bytes

    def settled(self, status: int, body: bytes) -> Remembered:
        """Give what to remember of the answer; store it together with what the request did."""
        return Remembered(
            account=self.account,
            key=self.key,
            first_used=self.first_used,
            fingerprint=self.fingerprint,
            status=status,
            body=body,
        )


class Idempotency:
    """Hands out claims on keys, one at a time for each key."""

    def __init__(self, store: Store, accounts: Accounts, *, strict: bool = False) -> None:
        self._store = store
        self._accounts = accounts
        self._strict = strict
        self._waiting: dict[tuple[int, str], list[asyncio.Future[None]]] = {}

    async def claim(self, account: int, key: str, fingerprint: bytes) -> Claim | Remembered:
        """Give the answer that a key already has, or a claim to give it its first one.

        A request whose key is in flight waits for the one before it; whoever gets a claim lets go
        of it. Source of the 24 hours and of the replay: documented; of the waiting and of the
        strict setting: our choice.

        Raises:
            IdempotencyKeyReused: under the strict setting, the key came with another request.
        """
        place = (account, key)
        while (waiting := self._waiting.get(place)) is not None:
            turn = asyncio.get_running_loop().create_future()
            waiting.append(turn)
            await turn
        known = await self._store.keys.get(account, key)
        now = self._accounts.now(account)
        if known is not None and now - known.first_used < KEPT:
            return self._allowed(known, fingerprint)
        self._waiting[place] = []
        return Claim(account=account, key=key, first_used=now, fingerprint=fingerprint)

    def let_go(self, claim: Claim) -> None:
        """Let those who wait for a key have their turn."""
        for turn in self._waiting.pop((claim.account, claim.key)):
            if not turn.done():  # who waited may have been cancelled
                turn.set_result(None)

    def _allowed(self, known: Remembered, fingerprint: bytes) -> Remembered:
        if self._strict and known.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        return known
