"""The token is the account: any token opens one of its own on first use."""

from collections.abc import Collection, Mapping
from hashlib import sha256

from msgspec.structs import replace

from msgine_sandbox.model.account import (
    SENDING,
    TIERS,
    Account,
    Scope,
    Tier,
    masked,
)
from msgine_sandbox.model.clock import Clock, Instant, RealTime
from msgine_sandbox.model.errors import Unauthorized
from msgine_sandbox.storage.store import Store

REVOKED = "test_revoked"
MAGIC: Mapping[str, tuple[Tier | None, tuple[Scope, ...]]] = {
    "": (None, (Scope.FULL_ACCESS,)),
    "test_free_": (Tier.FREE, (Scope.FULL_ACCESS,)),
    "test_professional_": (Tier.PROFESSIONAL, (Scope.FULL_ACCESS,)),
    "test_unlimited_": (Tier.UNLIMITED, (Scope.FULL_ACCESS,)),
    "test_readonly": (None, (Scope.READ_MESSAGES,)),
    "test_sendonly": (None, SENDING),
}
"""What the beginning of a token makes of its account: a tier, or the default one; and scopes."""


class Accounts:
    """Knows every account, and what time it is for each."""

    def __init__(
        self, store: Store, real: RealTime, tier: Tier, only: Collection[str] = ()
    ) -> None:
        self._store = store
        self._real = real
        self._tier = tier
        self._only = frozenset(only)
        self._default_clock = Clock()
        self._accounts: dict[int, Account] = {}
        self._by_token: dict[str, int] = {}
        self._held: dict[int, Instant] = {}

    async def load(self) -> None:
        """Read what the store knows."""
        self._default_clock = await self._store.accounts.default_clock()
        for account in await self._store.accounts.all():
            self._accounts[account.id] = account

    async def with_token(self, token: str) -> Account:
        """Give the account that a token names, opening it on first use.

        Raises:
            Unauthorized: only certain tokens are accepted, and this is none of them.
        """
        self.check(token)
        number = self._by_token.get(token)
        if number is None:
            digest = sha256(token.encode()).digest()
            known = await self._store.accounts.with_token(digest)
            number = known.id if known else await self._open(token, digest)
            self._by_token[token] = number
        return self._accounts[number]

    def check(self, token: str) -> None:
        """See to it that a token is accepted.

        Raises:
            Unauthorized: only certain tokens are, and this is none of them.
        """
        if self._only and token not in self._only:
            raise Unauthorized

    async def _open(self, token: str, digest: bytes) -> int:
        try:
            async with self._store.unit:
                number = await self._store.accounts.next_id()
                account = self._fresh(number, masked(token), _magic(token))
                await self._store.accounts.add(account, digest)
                # Known before the commit, so that a second request in the same turn finds it.
                self._accounts[number] = account
                self._by_token[token] = number
        except Exception:
            self._accounts.pop(self._by_token.pop(token, 0), None)
            raise
        return number

    def _fresh(self, number: int, hint: str, magic: str) -> Account:
        tier, scopes = MAGIC[magic]
        tier = tier or self._tier
        return Account(
            id=number,
            token_hint=hint,
            magic=magic,
            tier=tier,
            limits=TIERS[tier],
            scopes=scopes,
            clock=self._default_clock,
        )

    async def renew(self, account: int) -> None:
        """Make an account what it was when it was opened; inside a unit."""
        old = self._accounts[account]
        fresh = self._fresh(account, old.token_hint, old.magic)
        await self._store.accounts.save(fresh)
        self._accounts[account] = fresh
        self.let_go(account)

    def all(self) -> list[Account]:
        """Give every account that is open, the oldest first."""
        return list(self._accounts.values())

    def get(self, number: int) -> Account:
        """Give an account by its number."""
        return self._accounts[number]

    def find(self, number: int | None) -> Account | None:
        """Give an account by its number, if it is one."""
        return None if number is None else self._accounts.get(number)

    async def save(self, account: Account) -> None:
        """Put a changed account in place of the old one."""
        old = self._accounts[account.id]
        try:
            async with self._store.unit:
                await self._store.accounts.save(account)
                self._accounts[account.id] = account
        except Exception:
            self._accounts[account.id] = old
            raise

    def clock_of(self, account: int) -> Clock:
        """Give an account's clock."""
        return self._accounts[account].clock

    def now(self, account: int) -> Instant:
        """Give an account's time."""
        return self.at(account, self._real.now())

    def at(self, account: int, real: Instant) -> Instant:
        """Give an account's time at a real one."""
        held = self._held.get(account)
        return self.clock_of(account).at(real) if held is None else held

    def hold(self, account: int, instant: Instant) -> None:
        """Let an account's time stand at an instant of its journey."""
        self._held[account] = instant

    def let_go(self, account: int) -> None:
        """Let an account's time follow its clock again."""
        self._held.pop(account, None)

    async def set_clock(self, account: int, clock: Clock) -> None:
        """Give an account another clock."""
        await self.save(replace(self._accounts[account], clock=clock))

    @property
    def default_clock(self) -> Clock:
        """The clock that new accounts start with."""
        return self._default_clock

    async def set_default_clock(self, clock: Clock) -> None:
        """Let new accounts start with another clock; inside a unit."""
        await self._store.accounts.save_default_clock(clock)
        self._default_clock = clock


def is_revoked(token: str) -> bool:
    """Tell whether a client's token is one that is refused."""
    return token.startswith(REVOKED)


def _magic(token: str) -> str:
    return max((start for start in MAGIC if token.startswith(start)), key=len)
