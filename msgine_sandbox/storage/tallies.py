"""Tallies as rows: one for each account, day and channel."""

from typing import NamedTuple

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.tally import Tally
from msgine_sandbox.storage.database import Database

Day = int
"""Days since 1970-01-01 in UTC."""

_COLUMNS = ("sent", "delivered", "failed", "partial", "cost")
_ADD = "INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET " + ", ".join(
    f"{name} = {name} + excluded.{name}" for name in _COLUMNS
)


class Place(NamedTuple):
    """What is counted together."""

    account: int
    day: Day
    channel: Channel


class TallyRows:
    """Keeps sums, so that nobody ever counts messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, place: Place, tally: Tally) -> None:
        """Add to what is counted already."""
        amounts = (tally.sent, tally.delivered, tally.failed, tally.partial, tally.cost)
        self._database.gather_sums(_ADD, place, amounts)

    async def between(self, account: int, first: Day, last: Day) -> dict[Place, Tally]:
        """Give an account's days that have any, both ends included."""
        rows = self._database.execute(
            "SELECT * FROM tallies WHERE account = ? AND day BETWEEN ? AND ? ORDER BY day",
            (account, first, last),
        )
        return {
            Place(row[0], row[1], Channel(row[2])): Tally(
                sent=row[3], delivered=row[4], failed=row[5], partial=row[6], cost=row[7]
            )
            for row in rows
        }

    async def clear(self, account: int | None) -> None:
        """Forget an account's, or all, sums."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM tallies{where}")
