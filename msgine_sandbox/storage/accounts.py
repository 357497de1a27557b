"""Accounts as rows."""

from typing import Any

import msgspec

from msgine_sandbox.model.account import Account, DeveloperPrices, Limits, Scope, Tier
from msgine_sandbox.model.clock import Clock
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.webhook import Endpoint
from msgine_sandbox.storage.database import Database

_COLUMNS = (
    "id, token_hint, magic, tier, per_minute, per_second, scopes, sender_id, price_micros,"
    " currency, clock_ahead, clock_frozen, endpoints, developer_prices"
)
_endpoints = msgspec.json.Decoder(tuple[Endpoint, ...])
_prices = msgspec.json.Decoder(DeveloperPrices)


class AccountRows:
    """Keeps accounts under the digests of their tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Account]:
        """Give every account, the oldest first."""
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM accounts ORDER BY id")
        return [_account(row) for row in rows]

    async def with_token(self, digest: bytes) -> Account | None:
        """Give the account that a token opened, if it has."""
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM accounts WHERE token_digest = ?", (digest,)
        ).fetchone()
        return None if row is None else _account(row)

    async def next_id(self) -> int:
        """Give the number for the next account."""
        row = self._database.execute("SELECT coalesce(max(id), 0) + 1 FROM accounts").fetchone()
        return int(row[0])

    async def add(self, account: Account, digest: bytes) -> None:
        """Store a new account."""
        self._database.execute(
            f"INSERT INTO accounts ({_COLUMNS}, token_digest) VALUES ({'?, ' * 14}?)",
            (*_row(account), digest),
        )

    async def save(self, account: Account) -> None:
        """Store what has changed of an account."""
        columns = _COLUMNS.removeprefix("id, ")
        self._database.execute(
            f"UPDATE accounts SET ({columns}) = ({', '.join('?' * 13)}) WHERE id = ?",
            (*_row(account)[1:], account.id),
        )

    async def default_clock(self) -> Clock:
        """Give the clock that new accounts start with."""
        text = self._database.fact("clock")
        return msgspec.json.decode(text, type=Clock) if text else Clock()

    async def save_default_clock(self, clock: Clock) -> None:
        """Keep the clock that new accounts start with."""
        self._database.state_fact("clock", msgspec.json.encode(clock).decode())


def _row(account: Account) -> tuple[Any, ...]:
    return (
        account.id,
        account.token_hint,
        account.magic,
        account.tier,
        account.limits.per_minute,
        account.limits.per_second,
        " ".join(account.scopes),
        account.sender_id,
        account.price.micros,
        account.price.currency,
        account.clock.ahead,
        account.clock.frozen_at,
        msgspec.json.encode(account.endpoints).decode(),
        msgspec.json.encode(account.developer_prices).decode(),
    )


def _account(row: tuple[Any, ...]) -> Account:
    return Account(
        id=row[0],
        token_hint=row[1],
        magic=row[2],
        tier=Tier(row[3]),
        limits=Limits(row[4], row[5]),
        scopes=tuple(map(Scope, row[6].split())),
        sender_id=row[7],
        price=Money(row[8], row[9]),
        clock=Clock(row[10], row[11]),
        endpoints=_endpoints.decode(row[12]),
        developer_prices=_prices.decode(row[13]),
    )
