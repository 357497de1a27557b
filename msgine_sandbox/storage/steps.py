"""The future as rows."""

from collections.abc import Iterable

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.database import Database

_COLUMNS = "id, account, lane, due, message, subject, detail"


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

    async def due(self, account: int, lane: Lane, until: Instant, limit: int) -> list[Step]:
        """Give the first steps of a lane that are due by an instant, in order."""
        rows = self._database.execute(
            "SELECT id, due, message, subject, detail FROM steps"
            " WHERE account = ? AND lane = ? AND due <= ? ORDER BY due, id LIMIT ?",
            (account, int(lane), until, limit),
        )
        return [Step(row[0], account, lane, *row[1:]) for row in rows]

    async def remove_through(self, last: Step) -> None:
        """Forget a step and all before it in its lane: they have happened."""
        self._database.execute(
            "DELETE FROM steps WHERE account = ? AND lane = ? AND due <= ? AND (due, id) <= (?, ?)",
            (last.account, last.lane, last.due, *last.order),
        )

    async def remove(self, step: Step) -> bool:
        """Forget one step; tell whether it was still there."""
        done = self._database.execute(
            "DELETE FROM steps WHERE account = ? AND lane = ? AND due = ? AND id = ?",
            (step.account, step.lane, *step.order),
        )
        return done.rowcount > 0

    async def accounts(self) -> list[int]:
        """Give the accounts that have something before them."""
        return [row[0] for row in self._database.execute("SELECT DISTINCT account FROM steps")]

    async def clear(self, account: int | None) -> None:
        """Forget all that was to happen to an account, or to all."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM steps{where}")
