"""The stored answers of idempotency keys as rows."""

import msgspec
from msgspec.structs import astuple

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.idempotency import StoredAnswer
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database, of_account

_ANSWER = Columns(StoredAnswer)
_GET = f"SELECT {_ANSWER.names} FROM idempotency WHERE account = ? AND key = ?"
_REMEMBER = _ANSWER.insert("idempotency", "INSERT OR REPLACE")


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
        self._database.defer(_REMEMBER, [astuple(answer)])

    async def clear_until(self, account: int, instant: Instant) -> None:
        """Delete an account's keys that were first used at an instant or before it."""
        self._database.execute(
            "DELETE FROM idempotency WHERE account = ? AND first_used <= ?", (account, instant)
        )

    async def clear(self, account: int | None) -> None:
        """Delete the keys of an account, or of all."""
        self._database.execute(f"DELETE FROM idempotency{of_account(account)}")
