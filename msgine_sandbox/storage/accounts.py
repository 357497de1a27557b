"""Accounts as rows."""

from collections.abc import Mapping

import msgspec

from msgine_sandbox.model.account import Account, Limits
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import Clock, Instant
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.webhook import Endpoint
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database


class AccountRow(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An account with its limits, price and clock in columns of their own."""

    id: int
    token_hint: str
    magic: str
    tier: Tier
    per_minute: int | None
    per_second: int | None
    scopes: str
    """Separated by spaces."""
    sender_id: str
    price_micros: int
    currency: str
    clock_ahead: int
    clock_frozen: Instant | None
    endpoints: tuple[Endpoint, ...]
    developer_prices: Mapping[Channel, int]
    name: str | None


_ACCOUNT = Columns(AccountRow, json=("endpoints", "developer_prices"))


class AccountRows:
    """Stores accounts under the digests of their tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Account]:
        """Return every account, the oldest first."""
        rows = self._database.execute(f"SELECT {_ACCOUNT.names} FROM accounts ORDER BY id")
        return [_account(row) for row in _ACCOUNT.from_rows(rows)]

    async def with_token(self, digest: bytes) -> Account | None:
        """Return the account that the token with this digest has opened, if it has."""
        row = self._database.execute(
            f"SELECT {_ACCOUNT.names} FROM accounts WHERE token_digest = ?", (digest,)
        ).fetchone()
        return None if row is None else _account(_ACCOUNT.from_row(row))

    async def next_id(self) -> int:
        """Return the identifier of the next account."""
        row = self._database.execute("SELECT coalesce(max(id), 0) + 1 FROM accounts").fetchone()
        return int(row[0])

    async def add(self, account: Account, digest: bytes) -> None:
        """Store a new account."""
        self._database.execute(
            f"INSERT INTO accounts ({_ACCOUNT.names}, token_digest) VALUES ({_ACCOUNT.marks}, ?)",
            (*_ACCOUNT.to_row(_row(account)), digest),
        )

    async def save(self, account: Account) -> None:
        """Store an account that has changed."""
        self._database.execute(
            f"UPDATE accounts SET ({_ACCOUNT.names}) = ({_ACCOUNT.marks}) WHERE id = ?",
            (*_ACCOUNT.to_row(_row(account)), account.id),
        )

    async def default_clock(self) -> Clock:
        """Return the clock that new accounts start with."""
        text = self._database.metadata("clock")
        return msgspec.json.decode(text, type=Clock) if text else Clock()

    async def save_default_clock(self, clock: Clock) -> None:
        """Store the clock that new accounts start with."""
        self._database.store_metadata("clock", msgspec.json.encode(clock).decode())


def _row(account: Account) -> AccountRow:
    return AccountRow(
        id=account.id,
        token_hint=account.token_hint,
        magic=account.magic,
        tier=account.tier,
        per_minute=account.limits.per_minute,
        per_second=account.limits.per_second,
        scopes=" ".join(account.scopes),
        sender_id=account.sender_id,
        price_micros=account.price.micros,
        currency=account.price.currency,
        clock_ahead=account.clock.ahead,
        clock_frozen=account.clock.frozen_at,
        endpoints=account.endpoints,
        developer_prices=account.developer_prices,
        name=account.name,
    )


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        token_hint=row.token_hint,
        magic=row.magic,
        tier=row.tier,
        limits=Limits(row.per_minute, row.per_second),
        scopes=tuple(map(Scope, row.scopes.split())),
        sender_id=row.sender_id,
        price=Money(row.price_micros, row.currency),
        clock=Clock(row.clock_ahead, row.clock_frozen),
        endpoints=row.endpoints,
        developer_prices=row.developer_prices,
        name=row.name,
    )
