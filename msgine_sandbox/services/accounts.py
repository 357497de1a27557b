"""Accounts: any token opens one of its own on first use."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.account import TIERS, Account, masked
from msgine_sandbox.model.channel import SENDING, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import Clock, Instant, RealTime
from msgine_sandbox.model.errors import Unauthorized
from msgine_sandbox.storage.store import Store

REVOKED: Final = "test_revoked"
MAGIC_TOKENS: Final[Mapping[str, tuple[Tier | None, tuple[Scope, ...]]]] = {
    "": (None, (Scope.FULL_ACCESS,)),
    "test_free_": (Tier.FREE, (Scope.FULL_ACCESS,)),
    "test_professional_": (Tier.PROFESSIONAL, (Scope.FULL_ACCESS,)),
    "test_unlimited_": (Tier.UNLIMITED, (Scope.FULL_ACCESS,)),
    "test_readonly": (None, (Scope.READ_MESSAGES,)),
    "test_sendonly": (None, SENDING),
}
"""Tier and scopes of a new account, by how its token begins; None is the default tier."""


class Accounts:
    """The accounts that are open, and the time of each.

    All accounts are in memory, because every request needs one. A change is made there inside the
    write transaction, and undone if that fails.
    """

    def __init__(
        self, store: Store, real: RealTime, tier: Tier, accepted_tokens: Collection[str] = ()
    ) -> None:
        self._store = store
        self._real = real
        self._tier = tier
        self._accepted_tokens = frozenset(accepted_tokens)
        self._default_clock = Clock()
        self._accounts: dict[int, Account] = {}
        self._id_by_token: dict[str, int] = {}
        self._pinned: dict[int, Instant] = {}
        """The time of accounts whose clock is being moved."""

    async def load(self) -> None:
        """Read all accounts from the store."""
        self._default_clock = await self._store.accounts.default_clock()
        # Not those of a file that has been closed, and replaced by another one meanwhile.
        self._accounts.clear()
        self._id_by_token.clear()
        for account in await self._store.accounts.all():
            self._accounts[account.id] = account

    async def with_token(self, token: str) -> Account:
        """Return the account that a token names, opening it on first use.

        Raises:
            Unauthorized: only certain tokens are accepted, and this is none of them.
        """
        self.check_token(token)
        account_id = self._id_by_token.get(token)
        if account_id is None:
            # The store has only the digests of tokens.
            digest = sha256(token.encode()).digest()
            known = await self._store.accounts.with_token(digest)
            account_id = known.id if known else await self._open(token, digest)
            self._id_by_token[token] = account_id
        return self._accounts[account_id]

    def check_token(self, token: str) -> None:
        """Raise Unauthorized unless a token is accepted."""
        if self._accepted_tokens and token not in self._accepted_tokens:
            raise Unauthorized

    async def _open(self, token: str, digest: bytes) -> int:
        try:
            async with self._store.write():
                account_id = await self._store.accounts.next_id()
                account = self._new_account(account_id, masked(token), _magic_prefix(token))
                await self._store.accounts.add(account, digest)
                # Before the commit, so that a second request in the same batch finds it.
                self._accounts[account_id] = account
                self._id_by_token[token] = account_id
        except Exception:  # not CancelledError: the batch is committed nevertheless
            self._accounts.pop(self._id_by_token.pop(token, 0), None)
            raise
        return account_id

    def _new_account(self, account_id: int, hint: str, magic: str) -> Account:
        tier, scopes = MAGIC_TOKENS[magic]
        tier = tier or self._tier
        return Account(
            id=account_id,
            token_hint=hint,
            magic=magic,
            tier=tier,
            limits=TIERS[tier],
            scopes=scopes,
            clock=self._default_clock,
        )

    async def renew(self, account: int) -> None:
        """Set an account back to what it was when it was opened; inside a write transaction.

        The caller undoes it in memory if that fails, with `undone_on_failure`.
        """
        old = self._accounts[account]
        fresh = self._new_account(account, old.token_hint, old.magic)
        await self._store.accounts.save(fresh)
        self._accounts[account] = fresh
        self.unpin_time(account)

    def all(self) -> list[Account]:
        """Return every open account, the oldest first."""
        return list(self._accounts.values())

    def ids(self, account: int | None) -> list[int]:
        """Return one account's id in a list, or for None those of all accounts."""
        return list(self._accounts) if account is None else [account]

    def get(self, account: int) -> Account:
        """Return an account that is open."""
        return self._accounts[account]

    def find(self, account: int | None) -> Account | None:
        """Return an account, or None where there is none with that id."""
        return None if account is None else self._accounts.get(account)

    async def save(self, account: Account) -> None:
        """Store a changed account instead of the old one."""
        with self.undone_on_failure([account.id]):
            async with self._store.write():
                await self._store.accounts.save(account)
                # Before the commit, so that what follows in the same batch sees the change.
                self._accounts[account.id] = account

    @contextmanager
    def undone_on_failure(self, accounts: Iterable[int]) -> Iterator[None]:
        """Undo what a block changes in memory, of accounts and the default clock, if it fails.

        The block contains the write transaction, because a commit can fail, too.
        """
        old, default_clock = {each: self._accounts[each] for each in accounts}, self._default_clock
        try:
            yield
        except Exception:  # not CancelledError: the batch is committed nevertheless
            self._accounts.update(old)
            self._default_clock = default_clock
            raise

    def clock_of(self, account: int) -> Clock:
        """Return an account's clock."""
        return self._accounts[account].clock

    def now(self, account: int) -> Instant:
        """Return an account's time."""
        return self.at(account, self._real.now())

    def at(self, account: int, real: Instant) -> Instant:
        """Return an account's time at a real time."""
        pinned = self._pinned.get(account)
        return self.clock_of(account).at(real) if pinned is None else pinned

    def pin_time(self, account: int, instant: Instant) -> None:
        """Pin the account's time during a clock move, to the due time of the present step."""
        self._pinned[account] = instant

    def unpin_time(self, account: int) -> None:
        """Let the account's time follow its clock again."""
        self._pinned.pop(account, None)

    async def set_clock(self, account: int, clock: Clock) -> None:
        """Store a changed clock of an account."""
        await self.save(replace(self._accounts[account], clock=clock))

    @property
    def default_clock(self) -> Clock:
        """The clock that new accounts start with."""
        return self._default_clock

    async def set_default_clock(self, clock: Clock) -> None:
        """Store the clock that new accounts start with; inside a write transaction, as `renew`."""
        await self._store.accounts.save_default_clock(clock)
        self._default_clock = clock


def is_revoked(token: str) -> bool:
    """Return whether a token is a magic one that is refused."""
    return token.startswith(REVOKED)


def _magic_prefix(token: str) -> str:
    return max((start for start in MAGIC_TOKENS if token.startswith(start)), key=len)
