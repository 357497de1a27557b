"""Idempotency keys and their first answers as rows."""

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.storage.database import Database


class IdempotencyRows:
    """Keeps one answer for each key of each account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account: int, key: str) -> Remembered | None:
        """Give what is remembered of a key, however old."""
        # Whoever remembers an answer holds its key until that is committed.
        row = self._database.peek(
            "SELECT account, key, first_used, fingerprint, status, body FROM idempotency"
            " WHERE account = ? AND key = ?",
            (account, key),
        ).fetchone()
        if row is None:
            return None
        return Remembered(
            account=row[0],
            key=row[1],
            first_used=row[2],
            fingerprint=row[3],
            status=row[4],
            body=row[5],
        )

    async def remember(self, answer: Remembered) -> None:
        """Keep an answer, in place of an older one to the same key."""
        row = (
            answer.account,
            answer.key,
            answer.first_used,
            answer.fingerprint,
            answer.status,
            answer.body,
        )
        self._database.gather("INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?)", [row])

    async def clear_before(self, account: int, instant: Instant) -> None:
        """Forget an account's keys that were first used by an instant."""
        self._database.execute(
            "DELETE FROM idempotency WHERE account = ? AND first_used <= ?", (account, instant)
        )

    async def clear(self, account: int | None) -> None:
        """Forget an account's, or all, keys."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM idempotency{where}")
