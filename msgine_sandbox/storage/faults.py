"""Faults as rows."""

from collections.abc import Iterable

import msgspec

from msgine_sandbox.model.fault import Effect, Fault, Match
from msgine_sandbox.storage.columns import Columns, to_json
from msgine_sandbox.storage.database import Database, of_account

_FAULT = Columns(Fault, json=("match", "effect"))
_SELECT = f"SELECT {_FAULT.names} FROM faults"
_ACTIVE = "(times IS NULL OR hits < times)"
_match = msgspec.json.Decoder(Match)


class FaultRows:
    """Stores faults in the order in which they were added."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, fault: Fault) -> None:
        """Store a fault."""
        self._database.execute(_FAULT.insert("faults"), _FAULT.to_row(fault))

    async def all(self, account: int | None) -> list[Fault]:
        """Return an account's faults, or for None all faults."""
        where, values = of_account(account)
        rows = self._database.execute(f"{_SELECT}{where} ORDER BY id", values)
        return _FAULT.from_rows(rows)

    async def added(self, account: int | None) -> list[Fault]:
        """Return the faults that calls have added: an account's, or for None those for all."""
        rows = self._database.execute(
            f"{_SELECT} WHERE account IS ? AND NOT magic ORDER BY id", (account,)
        )
        return _FAULT.from_rows(rows)

    async def known(self, account: int, matches: Iterable[Match]) -> list[Match]:
        """Return those of some matches that an account has magic faults for."""
        rows = self._database.execute(
            "SELECT match FROM faults WHERE account = ? AND magic"
            " AND match IN (SELECT value FROM json_each(?))",
            (account, to_json(list(map(to_json, matches)))),
        )
        return [_match.decode(match) for (match,) in rows]

    async def keep_magic(self, account: int, most: int) -> None:
        """Delete an account's magic faults beyond `most`: used up ones first, then the oldest."""
        self._database.execute(
            "DELETE FROM faults WHERE id IN (SELECT id FROM faults WHERE account = ? AND magic"
            f" ORDER BY {_ACTIVE} DESC, id DESC LIMIT -1 OFFSET ?)",
            (account, most),
        )

    async def active(self, account: int) -> list[Fault]:
        """Return the faults that may still act on an account, those of magic recipients last."""
        rows = self._database.execute(
            f"{_SELECT} WHERE coalesce(account, ?) = ? AND {_ACTIVE} ORDER BY magic, id",
            (account, account),
        )
        return _FAULT.from_rows(rows)

    async def accounts(self, kind: type[Effect] | None = None) -> set[int | None]:
        """Return the accounts with faults that may still act, or with those of a kind of effect.

        None stands for all accounts.
        """
        tag = None if kind is None else kind.__struct_config__.tag
        rows = self._database.execute(
            f"SELECT DISTINCT account FROM faults WHERE {_ACTIVE}"
            " AND coalesce(? = json_extract(effect, '$.type'), TRUE)",
            (tag,),
        )
        return {account for (account,) in rows}

    async def count(self, fault: Fault) -> None:
        """Store how often a fault has acted and how often it could have."""
        self._database.execute(
            "UPDATE faults SET hits = ?, seen = ? WHERE id = ?", (fault.hits, fault.seen, fault.id)
        )

    async def remove(self, account: int | None, fault_id: int | None = None) -> int:
        """Delete an account's faults, or for None all faults, or one of them; return how many."""
        deleted = self._database.execute(
            "DELETE FROM faults WHERE account IS coalesce(?, account) AND id = coalesce(?, id)",
            (account, fault_id),
        )
        return deleted.rowcount
