"""Accounts: any token opens one of its own on first use."""

from collections.abc import Collection, Mapping
from functools import partial
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.account import TIERS, Account
from msgine_sandbox.model.channel import SENDING, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import LATEST, Clock, Clocks, ClockState, Instant
from msgine_sandbox.model.errors import Unauthorized
from msgine_sandbox.model.masking import masked
from msgine_sandbox.storage.store import Store

REVOKED: Final = "test_revoked"
_TELLING: Final = 10  # characters of a masked token that tell it apart from most others
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
    write transaction, so that what follows in the same batch sees it, and undone if that is rolled
    back.
    """

    def __init__(
        self, store: Store, clocks: Clocks, tier: Tier, accepted_tokens: Collection[str] = ()
    ) -> None:
        self._store = store
        self._clocks = clocks
        self.now, self.at, self.seen = clocks.now, clocks.at, clocks.seen  # of an account
        self._tier = tier
        self._accepted_tokens = frozenset(accepted_tokens)
        self._default_clock = Clock()
        self._accounts: dict[int, Account] = {}
        self._id_by_token: dict[str, int] = {}
        self._hints: set[str] = set()
        """The masked tokens of all accounts."""

    async def load(self) -> None:
        """Read all accounts from the store."""
        self._default_clock = await self._store.accounts.default_clock()
        # Not those of a file that has been closed, and replaced by another one meanwhile.
        self._accounts.clear()
        self._clocks.of.clear()
        self._id_by_token.clear()
        self._hints.clear()
        for account in await self._store.accounts.all():
            self._put(account)
            self._hints.add(account.token_hint)

    async def with_token(self, token: str) -> Account:
        """Return the account that a token names, opening it on first use.

        Raises:
            Unauthorized: only certain tokens are accepted, and this is none of them.
        """
        account_id = self._id_by_token.get(token)  # at once, because every request comes here
        if account_id is None:
            account_id = await self._id_of(token, opens=True)
            assert account_id is not None  # noqa: S101  (it has been opened)
        return self._accounts[account_id]

    async def known(self, token: str) -> Account | None:
        """Return the account that a token has opened before, or None; it opens none.

        Raises:
            Unauthorized: only certain tokens are accepted, and this is none of them.
        """
        return self.find(await self._id_of(token, opens=False))

    def check_token(self, token: str) -> None:
        """Raise Unauthorized unless a token is accepted."""
        if self._accepted_tokens and token not in self._accepted_tokens:
            raise Unauthorized

    async def _id_of(self, token: str, *, opens: bool) -> int | None:
        account_id = self._id_by_token.get(token)
        if account_id is not None:
            return account_id
        self.check_token(token)
        digest = sha256(token.encode()).digest()  # the store has no tokens
        # Also for an account that is known: the request that opens it may be in the same batch, and
        # nobody may use an account whose opening is rolled back, because its id is given again.
        async with self._store.write():
            known = await self._store.accounts.with_token(digest)
            if known is None and not opens:
                return None
            account_id = known.id if known else await self._add(token, digest)
            self._store.after_commit(partial(self._id_by_token.setdefault, token, account_id))
        return account_id

    async def _add(self, token: str, digest: bytes) -> int:
        account_id = await self._store.accounts.next_id()
        hint = self._hint(account_id, token)
        account = self._new_account(account_id, hint, _magic_prefix(token))
        await self._store.accounts.add(account, digest)
        self._put(account)
        self._store.on_rollback(partial(self._remove, account_id))
        return account_id

    def _put(self, account: Account) -> None:
        self._accounts[account.id] = account
        self._clocks.of[account.id] = account.clock

    def _remove(self, account: int) -> None:
        self._hints.discard(self._accounts.pop(account).token_hint)
        del self._clocks.of[account]

    def _hint(self, account_id: int, token: str) -> str:
        """Return a token masked, with the account's number where that is needed to tell it apart.

        Not a digest, from which a short token could be guessed.
        """
        hint = masked(token)
        if hint != token and (hint in self._hints or len(hint) < _TELLING):
            hint += f"#{account_id}"
        self._hints.add(hint)
        return hint

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

    def unopened(self) -> Account:
        """Return what an account would be whose token is new, and not a magic one."""
        return self._new_account(0, "", "")

    def as_opened(self, account: int) -> Account:
        """Return an account as it was when it was opened, with the time of new accounts."""
        old = self._accounts[account]
        return self._new_account(account, old.token_hint, old.magic)

    async def renew(self, account: int) -> None:
        """Set an account back to what it was when it was opened; inside a write transaction."""
        await self.put(self.as_opened(account))
        if account in self._clocks.pinned:
            pinned, self._clocks.pinned[account] = self._clocks.pinned[account], None
            self._store.on_rollback(partial(self._pin_again, account, pinned))

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
        async with self._store.write():
            await self.put(account)

    async def put(self, account: Account) -> None:
        """Do the same inside a write transaction."""
        old = self._accounts[account.id]
        await self._store.accounts.save(account)
        self._put(account)
        self._store.on_rollback(partial(self._put, old))

    def clock_of(self, account: int) -> Clock:
        """Return an account's clock."""
        return self._clocks.of[account]

    def clock_state(self, account: int) -> ClockState:
        """Return whether an account's time goes on by itself."""
        if self._clocks.pinned.get(account) is not None:
            return ClockState.MOVING
        if self.clock_of(account).frozen_at is not None:
            return ClockState.FROZEN
        return ClockState.ENDED if self.now(account) >= LATEST else ClockState.RUNNING

    def pin_time(self, account: int, instant: Instant) -> None:
        """Pin the account's time during a clock move, to the due time of the present step."""
        self._clocks.pinned[account] = instant

    def move_pin(self, account: int, instant: Instant) -> None:
        """Let the time of an account that is being moved go on to an instant."""
        pinned = self._clocks.pinned.get(account)
        if pinned is not None and instant > pinned:
            self._clocks.pinned[account] = instant

    def unpin_time(self, account: int) -> None:
        """Let the account's time follow its clock again."""
        self._clocks.pinned.pop(account, None)

    def has_moved(self, account: int, to: Instant) -> None:
        """Note that an account's clock has been moved, and all that fell due is performed."""
        self._clocks.has_moved(account, to)

    def let_statuses_begin(self, *, by_themselves: bool) -> None:
        """Decide whether statuses begin as time passes, or only when clocks are moved."""
        if by_themselves:
            self._clocks.run()
        else:
            self._clocks.stand()

    def _pin_again(self, account: int, instant: Instant | None) -> None:
        if account in self._clocks.pinned:  # the move has not ended meanwhile
            self._clocks.pinned[account] = instant

    async def set_clock(self, account: int, clock: Clock) -> None:
        """Store a changed clock of an account."""
        await self.save(replace(self._accounts[account], clock=clock))

    @property
    def default_clock(self) -> Clock:
        """The clock that new accounts start with."""
        return self._default_clock

    async def set_default_clock(self, clock: Clock) -> None:
        """Store the clock that new accounts start with; inside a write transaction."""
        old = self._default_clock
        await self._store.accounts.save_default_clock(clock)
        self._default_clock = clock
        self._store.on_rollback(partial(setattr, self, "_default_clock", old))


def is_revoked(token: str) -> bool:
    """Return whether a token is a magic one that is refused."""
    return token.startswith(REVOKED)


def _magic_prefix(token: str) -> str:
    return max((start for start in MAGIC_TOKENS if token.startswith(start)), key=len)
