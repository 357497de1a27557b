"""One SQLite connection on the event loop's thread, and one commit for all that a turn wrote."""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import add
from types import TracebackType
from typing import Any

from msgine_sandbox.storage.file import opened

Row = tuple[Any, ...]

MEMORY = ":memory:"
_WAITED = "A unit of the store waited for something other than the store."


class Database:
    """Runs statements; `async with` makes those inside one unit, and leaves once it is committed.

    A unit may wait for nothing but the store, so units never overlap. All units of one turn of
    the event loop share a commit, which is what makes the store fast; if one of them fails, which
    a full disk can bring about, none of the turn is kept and nobody in it is told otherwise.
    """

    def __init__(self, path: str = MEMORY) -> None:
        self._connection = opened(path)
        self._gathered: defaultdict[str, list[Row]] = defaultdict(list)
        self._sums: defaultdict[tuple[str, Row], list[int]] = defaultdict(list)
        self._inside = False
        self._loop: asyncio.AbstractEventLoop
        self._turn_is_open = False
        self._leaving: list[asyncio.Future[None]] = []
        self._failure: BaseException | None = None

    async def __aenter__(self) -> None:
        if self._inside:
            raise RuntimeError(_WAITED)
        if self._failure is not None:
            raise self._failure  # nothing of this turn will be kept
        if not self._turn_is_open:
            self._loop = asyncio.get_running_loop()  # once a turn: asking costs a system call
            self._loop.call_soon(self._end_turn)
            self._connection.execute("BEGIN")
            self._turn_is_open = True
        self._inside = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inside = False
        if not self._turn_is_open:  # it ended while this unit waited
            self._failure = None
            raise RuntimeError(_WAITED) from error
        if error is not None:
            self._failure = error
            return
        left = self._loop.create_future()
        self._leaving.append(left)
        await left

    def _end_turn(self) -> None:
        leaving, self._leaving = self._leaving, []
        failure = RuntimeError(_WAITED) if self._inside else self._failure or self._commit()
        # A unit that is still inside may run nothing more: there is no turn to run it in.
        self._failure = failure if self._inside else None
        self._turn_is_open = False
        self._gathered.clear()
        self._sums.clear()
        if failure is not None and self._connection.in_transaction:
            self._connection.rollback()
        for left in leaving:
            if left.done():  # whoever waited was cancelled
                continue
            if failure is None:
                left.set_result(None)
            else:
                left.set_exception(failure)

    def _commit(self) -> sqlite3.Error | None:
        try:
            self._run_gathered()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return error
        return None

    def execute(self, sql: str, row: Row = ()) -> sqlite3.Cursor:
        """Run a statement."""
        self._settle()
        return self._connection.execute(sql, row)

    def peek(self, sql: str, row: Row) -> sqlite3.Cursor:
        """Run a query that what this turn has gathered so far cannot matter to."""
        return self._connection.execute(sql, row)

    def executemany(self, sql: str, rows: Iterable[Row]) -> sqlite3.Cursor:
        """Run a statement for each of many rows."""
        self._settle()
        return self._connection.executemany(sql, rows)

    def attempt(self) -> "Attempt":
        """Let what is run inside the block be undone, without the rest of the turn."""
        self._settle()
        return Attempt(self._connection)

    def gather(self, sql: str, rows: Iterable[Row]) -> None:
        """Run a statement for each row before the next of another kind, or at the turn's end.

        What a turn's units insert alike goes in together, which costs a third less.
        """
        self._gathered[sql].extend(rows)

    def gather_sums(self, sql: str, key: Row, amounts: Sequence[int]) -> None:
        """Run a statement once for each key, with the sums of what the turn gathers for it."""
        sums = self._sums[sql, key]
        sums[:] = map(add, sums, amounts) if sums else amounts

    def _settle(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._gathered or self._sums:
            self._run_gathered()

    def _run_gathered(self) -> None:
        gathered, self._gathered = self._gathered, defaultdict(list)
        sums, self._sums = self._sums, defaultdict(list)
        try:
            for sql, rows in gathered.items():
                self._connection.executemany(sql, rows)
            for (sql, key), amounts in sums.items():
                self._connection.execute(sql, (*key, *amounts))
        except sqlite3.Error as error:
            # Whoever happened to run them is told, and so is everybody whose rows they are.
            self._failure = error
            raise

    def fact(self, name: str) -> str | None:
        """Give a fact about the whole sandbox, or None."""
        row = self.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def state_fact(self, name: str, value: str) -> None:
        """Keep a fact about the whole sandbox."""
        self.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Commit what is open and let go of the file."""
        if self._turn_is_open:
            self._end_turn()
        self._connection.close()


class Attempt:
    """Some statements of a turn, which can be undone as if they had not been run."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> "Attempt":
        self._connection.execute("SAVEPOINT attempt")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.execute("RELEASE attempt")

    def undo(self) -> None:
        """Take back what was run."""
        self._connection.execute("ROLLBACK TO attempt")
