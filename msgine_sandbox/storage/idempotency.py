"""The stored answers of idempotency keys as rows."""

from collections.abc import Iterable

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.idempotency import StoredAnswer
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database, of_account

_ANSWER = Columns(StoredAnswer)
_GET = f"SELECT {_ANSWER.names} FROM idempotency WHERE account = ? AND key = ?"
_REMEMBER = _ANSWER.insert("idempotency", "INSERT OR REPLACE")


class FirstUse(msgspec.Struct, frozen=True):
    """When a key was first used, on its account's clock."""

    id: int
    account: int
    first_used: Instant


class IdempotencyRows:
    """Stores one answer for each key of each account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account: int, key: str) -> StoredAnswer | None:
        """Return the stored answer of a key, however old."""
        # No flush is needed: a request locks its key until its answer is committed, so the
        # deferred writes of this batch are of other keys.
        row = self._database.query_without_flush(_GET, (account, key)).fetchone()
        # Without `Columns` here and below, because this is a part of every send with a key.
        return None if row is None else msgspec.convert(row, StoredAnswer)

    async def remember(self, answer: StoredAnswer) -> None:
        """Store an answer, in place of an older one to the same key."""
        # Byte arrays, because sqlite3 looks for an adapter for each bytes object.
        fingerprint, body = bytearray(answer.fingerprint), bytearray(answer.body)
        row = (answer.account, answer.key, answer.first_used, fingerprint, answer.status, body)
        self._database.defer(_REMEMBER, [row])

    async def first_uses(self, *, after: int, limit: int) -> list[FirstUse]:
        """Return when keys of all accounts were first used, of those whose ids come after one."""
        rows = self._database.execute(
            "SELECT rowid, account, first_used FROM idempotency WHERE rowid > ?"
            " ORDER BY rowid LIMIT ?",
            (after, limit),
        )
        return [FirstUse(*row) for row in rows]

    async def remove(self, ids: Iterable[int]) -> None:
        """Delete keys by their ids."""
        self._database.executemany("DELETE FROM idempotency WHERE rowid = ?", [(i,) for i in ids])

    async def clear(self, account: int | None, *, limit: int) -> int:
        """Delete keys of an account, or of all, at most so many; return how many they were."""
        where, values = of_account(account)
        deleted = self._database.execute(
            "DELETE FROM idempotency WHERE rowid IN"
            f" (SELECT rowid FROM idempotency{where} LIMIT ?)",
            (*values, limit),
        )
        return deleted.rowcount
