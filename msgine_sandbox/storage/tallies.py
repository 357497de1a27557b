"""Tallies as rows: one for each account, day and channel."""

from typing import NamedTuple

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.tally import Tally
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database, of_account

Day = int
"""Days since 1970-01-01 in UTC."""


class TallyKey(NamedTuple):
    """The key of a tally: messages are counted by account, day and channel."""

    account: int
    day: Day
    channel: Channel


_KEY = ", ".join(TallyKey._fields)
_TALLY = Columns(Tally)
_SELECT = f"SELECT {_KEY}, {_TALLY.names} FROM tallies"
_ADD = (
    f"INSERT INTO tallies ({_KEY}, {_TALLY.names}) VALUES (?, ?, ?, {_TALLY.marks})"
    " ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in Tally.__struct_fields__)
)


class TallyRows:
    """Stores sums, so that analytics never counts messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: tuple[int, Day, Channel], tally: Tally, cost: int = 0) -> None:
        """Add a tally, and a cost besides, to the sums of a key."""
        counts = (tally.sent, tally.delivered, tally.failed, tally.partial, tally.cost + cost)
        self._database.defer_sum(_ADD, key, counts)

    async def between(self, account: int, first: Day, last: Day) -> dict[TallyKey, Tally]:
        """Return the tallies of an account from one day to another, both included."""
        rows = self._database.execute(
            f"{_SELECT} WHERE account = ? AND day BETWEEN ? AND ? ORDER BY day",
            (account, first, last),
        )
        count = len(TallyKey._fields)
        return {
            msgspec.convert(row[:count], TallyKey): _TALLY.from_row(row[count:]) for row in rows
        }

    async def channels(self, account: int) -> set[Channel]:
        """Return the channels of which an account has tallies, of any day."""
        rows = self._database.execute(
            "SELECT DISTINCT channel FROM tallies WHERE account = ?", (account,)
        )
        return {Channel(name) for (name,) in rows}

    async def clear(self, account: int | None) -> None:
        """Delete the sums of an account, or of all."""
        where, values = of_account(account)
        self._database.execute(f"DELETE FROM tallies{where}", values)
