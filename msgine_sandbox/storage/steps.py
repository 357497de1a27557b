"""Planned steps as rows: what is still to happen to each account, and when."""

import json
from collections.abc import AsyncIterator, Collection, Iterable

import msgspec

from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database

_STEP = Columns(Step)
_MESSAGE = Step.__struct_fields__.index("message")
_INSERT = _STEP.insert("steps")
_DUE = (
    f"SELECT {_STEP.names} FROM steps WHERE account = ? AND lane = ? AND due <= ? ORDER BY due, id"
)


class _Steps(msgspec.Struct, array_like=True):
    # Converts many rows at once, in half of the time that it takes one by one. `list[Step]` would
    # be slower than that for few rows, because msgspec analyses a list's type at every call.
    steps: list[Step]


class StepRows:
    """Stores steps in the order in which they are due."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, steps: Iterable[Step]) -> None:
        """Store planned steps."""
        # Its lane becomes a plain number, in half of the time that `Columns` takes for that.
        self._database.defer(_INSERT, map(msgspec.to_builtins, steps))

    async def due(
        self, account: int, lane: Lane, until: Instant = FOREVER, *, limit: int
    ) -> list[Step]:
        """Return the first steps of a lane that are due by an instant, in order."""
        rows = self._database.execute(_DUE + " LIMIT ?", (account, int(lane), until, limit))
        return msgspec.convert([rows.fetchall()], _Steps).steps

    async def first_of_messages(
        self, account: int, excluded: Collection[int], until: Instant = FOREVER, *, limit: int
    ) -> list[Step]:
        """Return the first webhook steps that are due by an instant, one for each message.

        Messages in `excluded` are left out; at most `limit` steps are returned.
        """
        # Filtered here, because SQL would have to group all of the account's steps by message; this
        # query ends with the last row that is needed.
        taken = set(excluded)
        found: list[Step] = []
        for row in self._database.execute(_DUE, (account, int(Lane.WEBHOOK), until)):
            if len(found) == limit:
                break
            # Before the conversion, because there may be thousands for one message.
            if row[_MESSAGE] not in taken:
                taken.add(row[_MESSAGE])
                found.append(msgspec.convert(row, Step))
        return found

    async def remove(self, steps: Collection[Step]) -> int:
        """Delete steps that were performed, and return how many of them were still there."""
        deleted = self._database.executemany(
            "DELETE FROM steps WHERE account = ? AND lane = ? AND due = ? AND id = ?",
            [(step.account, int(step.lane), *step.order) for step in steps],
        )
        return deleted.rowcount

    async def webhooks(self, message: int) -> dict[int, Instant]:
        """Return when the webhooks of a message are sent next, by the ids of their events."""
        rows = self._database.execute(
            "SELECT subject, min(due) FROM steps WHERE message = ? AND lane = ? GROUP BY subject",
            (message, int(Lane.WEBHOOK)),
        )
        return dict(rows.fetchall())

    async def have_statuses(self, messages: Collection[int]) -> set[int]:
        """Return those of some messages that have steps about their statuses."""
        rows = self._database.execute(
            "SELECT DISTINCT message FROM steps"
            " WHERE message IN (SELECT value FROM json_each(?)) AND lane = ?",
            (json.dumps(list(messages)), int(Lane.STATUS)),
        )
        return {message for (message,) in rows}

    async def count_due(self, account: int, until: Instant, *, limit: int) -> int:
        """Return how many steps of an account are due by an instant, counted up to a limit."""
        count = 0
        for lane in Lane:
            rows = self._database.execute(
                "SELECT count(*) FROM (SELECT 1 FROM steps"
                " WHERE account = ? AND lane = ? AND due <= ? LIMIT ?)",
                (account, int(lane), until, limit - count),
            )
            count += rows.fetchone()[0]
        return count

    async def next_accounts(self, limit: int) -> AsyncIterator[int]:
        """Return the first accounts that have steps, without reading the others' steps.

        The caller lets others have their turn in between.
        """
        account = -1
        for _ in range(limit):
            rows = self._database.execute(
                "SELECT min(account) FROM steps WHERE account > ?", (account,)
            )
            (found,) = rows.fetchone()
            if found is None:
                return
            yield found
            account = found

    async def accounts(self) -> list[int]:
        """Return the accounts that have steps."""
        rows = self._database.execute("SELECT DISTINCT account FROM steps")
        return [account for (account,) in rows]
