"""Faults as rows."""

from collections.abc import Iterable
from typing import Any

import msgspec

from msgine_sandbox.model.fault import Effect, Fault, Match
from msgine_sandbox.storage.database import Database

_COLUMNS = "id, account, match, effect, times, probability, seed, hits, seen, magic"
_ACTIVE = "(times IS NULL OR hits < times)"
_match = msgspec.json.Decoder(Match)
_effect = msgspec.json.Decoder(Effect)


class FaultRows:
    """Keeps faults in the order in which they were added."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, fault: Fault) -> None:
        """Store a fault."""
        self._database.execute(
            f"INSERT INTO faults ({_COLUMNS}) VALUES ({', '.join('?' * 10)})",
            (
                fault.id,
                fault.account,
                _written(fault.match),
                msgspec.json.encode(fault.effect).decode(),
                fault.times,
                fault.probability,
                fault.seed,
                fault.hits,
                fault.seen,
                fault.magic,
            ),
        )

    async def all(self, account: int | None) -> list[Fault]:
        """Give an account's own faults, or everybody's."""
        where = "" if account is None else f" WHERE account = {account}"
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM faults{where} ORDER BY id")
        return [_fault(row) for row in rows]

    async def added(self, account: int | None) -> list[Fault]:
        """Give those that were added by hand for an account, or for everybody alone."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM faults WHERE account IS ? AND NOT magic ORDER BY id",
            (account,),
        )
        return [_fault(row) for row in rows]

    async def known(self, account: int, matches: Iterable[Match]) -> list[Match]:
        """Give those of some matches that magic faults of an account have."""
        rows = self._database.execute(
            "SELECT match FROM faults WHERE account = ? AND magic"
            " AND match IN (SELECT value FROM json_each(?))",
            (account, msgspec.json.encode(list(map(_written, matches))).decode()),
        )
        return [_match.decode(row[0]) for row in rows]

    async def keep_magic(self, account: int, most: int) -> None:
        """Forget an account's oldest magic faults beyond so many, those that are spent first."""
        self._database.execute(
            "DELETE FROM faults WHERE id IN (SELECT id FROM faults WHERE account = ? AND magic"
            f" ORDER BY {_ACTIVE} DESC, id DESC LIMIT -1 OFFSET ?)",
            (account, most),
        )

    async def active(self, account: int) -> list[Fault]:
        """Give those that may still act on an account: added by hand first, then magic ones."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM faults WHERE coalesce(account, ?) = ? AND {_ACTIVE}"
            " ORDER BY magic, id",
            (account, account),
        )
        return [_fault(row) for row in rows]

    async def accounts(self) -> set[int | None]:
        """Give the accounts that have faults which may still act; None among them is everybody."""
        rows = self._database.execute(f"SELECT DISTINCT account FROM faults WHERE {_ACTIVE}")
        return {row[0] for row in rows}

    async def count(self, fault: Fault) -> None:
        """Store how often a fault has acted."""
        self._database.execute(
            "UPDATE faults SET hits = ?, seen = ? WHERE id = ?", (fault.hits, fault.seen, fault.id)
        )

    async def remove(self, account: int | None, number: int | None = None) -> int:
        """Remove an account's, or everybody's, faults, or that one of them; tell how many."""
        asked = {"account": account, "id": number}
        where = " AND ".join(
            f"{name} = {value}" for name, value in asked.items() if value is not None
        )
        done = self._database.execute(f"DELETE FROM faults WHERE {where or 'true'}")
        return done.rowcount


def _written(match: Match) -> str:
    return msgspec.json.encode(match).decode()


def _fault(row: tuple[Any, ...]) -> Fault:
    return Fault(
        id=row[0],
        account=row[1],
        match=_match.decode(row[2]),
        effect=_effect.decode(row[3]),
        times=row[4],
        probability=row[5],
        seed=row[6],
        hits=row[7],
        seen=row[8],
        magic=bool(row[9]),
    )
