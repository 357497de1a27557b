"""The future as rows."""

from collections.abc import Collection, Iterable

from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.database import Database

_COLUMNS = "id, account, lane, due, message, subject, detail"
_DUE = (
    "SELECT id, due, message, subject, detail FROM steps"
    " WHERE account = ? AND lane = ? AND due <= ? ORDER BY due, id"
)


class StepRows:
    """Keeps steps in the order in which they are due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, steps: Iterable[Step]) -> None:
        """Store steps that will happen."""
        self._database.gather(
            f"INSERT INTO steps ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(s.id, s.account, int(s.lane), s.due, s.message, s.subject, s.detail) for s in steps],
        )

    async def due(
        self, account: int, lane: Lane, until: Instant = FOREVER, *, limit: int
    ) -> list[Step]:
        """Give the first steps of a lane that are due by an instant, in order."""
        rows = self._database.execute(_DUE + " LIMIT ?", (account, int(lane), until, limit))
        return [Step(row[0], account, lane, *row[1:]) for row in rows]

    async def first_of_messages(
        self, account: int, but: Collection[int], until: Instant = FOREVER, *, limit: int
    ) -> list[Step]:
        """Give the first webhooks that are due by an instant, one for each of so many messages.

        The messages in `but` have theirs already.
        """
        taken = set(but)
        found: list[Step] = []
        for row in self._database.execute(_DUE, (account, int(Lane.WEBHOOK), until)):
            step = Step(row[0], account, Lane.WEBHOOK, *row[1:])
            if len(found) == limit:
                break
            if step.message not in taken:
                taken.add(step.message)
                found.append(step)
        return found

    async def remove(self, steps: Collection[Step]) -> int:
        """Forget steps, which have happened; tell how many were still there."""
        done = self._database.executemany(
            "DELETE FROM steps WHERE account = ? AND lane = ? AND due = ? AND id = ?",
            [(step.account, int(step.lane), *step.order) for step in steps],
        )
        return done.rowcount

    async def accounts(self) -> list[int]:
        """Give the accounts that have something before them."""
        return [row[0] for row in self._database.execute("SELECT DISTINCT account FROM steps")]

    async def clear(self, account: int | None) -> None:
        """Forget all that was to happen to an account, or to all."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM steps{where}")
