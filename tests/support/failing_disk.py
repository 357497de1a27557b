"""A disk that fails: every commit, or a certain one, with an error of SQLite."""

import asyncio
import sqlite3
from typing import Any

from msgine_sandbox.storage.database import Database

CAUSES = {
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_IOERR_WRITE: "disk I/O error",
    sqlite3.SQLITE_CANTOPEN: "unable to open database file",
    sqlite3.SQLITE_READONLY: "attempt to write a readonly database",
    sqlite3.SQLITE_BUSY: "database is locked",
}
FULL = CAUSES[sqlite3.SQLITE_FULL]


def error_of(code: int) -> sqlite3.OperationalError:
    """Return the error that Python raises for a result code of SQLite."""
    error = sqlite3.OperationalError(CAUSES[code])
    error.sqlite_errorcode = code
    return error


class FailingDisk:
    """Stands between a database and its SQLite connection."""

    def __init__(self, database: Database, code: int = sqlite3.SQLITE_FULL) -> None:
        self._connection = database._connection
        database._connection = self
        self._code = code
        self.commits = 0
        """Commits so far, those that failed included."""
        self.failed = 0
        self._fails_from: int | None = None
        self._fails_until = 0
        self._has_committed = asyncio.Event()

    async def until(self, commits: int) -> None:
        """Wait for a number of commits."""
        while self.commits < commits:
            self._has_committed.clear()
            await self._has_committed.wait()

    def fail(self, *, after: int = 0, times: int = 1_000_000) -> None:
        """Fail so many commits, after so many that succeed."""
        self._fails_from = self.commits + after
        self._fails_until = self._fails_from + times

    def work(self) -> None:
        """Fail no commit any more."""
        self._fails_from = None

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            self.commits += 1
            self._has_committed.set()
            first = self._fails_from
            if first is not None and first < self.commits <= self._fails_until:
                self.failed += 1
                raise error_of(self._code)
        return self._connection.execute(sql, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
