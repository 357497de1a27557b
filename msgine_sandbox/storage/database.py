"""One SQLite connection for one event loop at a time, with group commit of write transactions."""

import asyncio
import logging
import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from operator import add
from types import TracebackType
from typing import Any

from msgine_sandbox.model.errors import LoopChanged, ServiceUnavailable
from msgine_sandbox.storage.columns import Condition, Row
from msgine_sandbox.storage.failure import FailureLog, disk_failure
from msgine_sandbox.storage.file import MEMORY, opened

_log = logging.getLogger(__name__)

_LOST = "a query failed, and the transaction with it"
_WAITED = "A write transaction of the store waited for something other than the store."


class Database:
    """Runs statements; `async with` is a write transaction, and ends when it is committed.

    Group commit: all write transactions of one iteration of the event loop are one batch, which
    is one SQLite transaction. A commit costs more than what most of them write, so a batch of
    many requests is what makes the store fast. If one transaction of a batch fails, which a full
    disk can bring about, the whole batch is rolled back and every one of them raises the error.

    What a transaction changes in memory must not outlive its rollback. It is changed by
    `after_commit`; what the rest of the batch has to see is changed at once, and taken back by
    `on_rollback`. Both are part of the batch, so that they hold for a request that is cancelled
    during the commit, too.

    Inside a write transaction nothing but the store may be awaited. The store never suspends, so
    transactions never overlap, and none of them sees another one half done.

    It belongs to the event loop that has entered it last. What is left of an earlier loop, such as
    a request whose loop has paused, can write nothing any more.
    """

    def __init__(
        self, path: str = MEMORY, functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        """Open a file; `functions`, by name, can be called in statements."""
        self._path = path
        self._functions = functions or {}
        self._open()
        self._deferred: defaultdict[str, list[Row]] = defaultdict(list)
        self._sums: defaultdict[tuple[str, tuple[object, ...]], list[int]] = defaultdict(list)
        self._inside = False
        """Whether a write transaction is between its beginning and its end."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._batch_is_open = False
        self._end: asyncio.Handle
        """Calls `_end_batch`, while a batch is open."""
        self._waiting: list[asyncio.Future[None]] = []
        """The transactions of the batch that wait for its end."""
        self._failure: BaseException | None = None
        """Why the batch will be rolled back."""
        self._after_commit: list[Callable[[], object]] = []
        self._on_rollback: list[Callable[[], object]] = []
        self._failure_log = FailureLog()
        self._changes = 0
        """Rows that the connection had changed when the batch began."""

    async def __aenter__(self) -> None:
        if self._inside:
            raise RuntimeError(_WAITED)
        if self._failure is not None:
            await self._end_of_batch()
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            raise LoopChanged
        if not self._batch_is_open:
            self._connection.execute("BEGIN")
            # It runs after everything that is ready by now, whose transactions join this batch.
            self._end = loop.call_soon(self._end_batch)
            self._batch_is_open = True
            self._changes = self._connection.total_changes
        elif not self._connection.in_transaction:
            raise self._lost()
        self._inside = True

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inside = False
        if not self._batch_is_open:  # it has ended, because this transaction awaited something else
            self._failure = None
            raise RuntimeError(_WAITED) from error
        if error is not None:
            self._failure = error
        await self._end_of_batch()

    async def settled(self) -> None:
        """Wait until what has been read by now is committed.

        Queries see what a batch has written so far, so the response to a read waits for its end.

        Raises:
            Exception: it is rolled back, for this reason.
        """
        if self._batch_is_open:
            await self._end_of_batch()

    def _end_of_batch(self) -> asyncio.Future[None]:
        """Return what is done once the batch is committed, or has the failure that ended it.

        A request whose transaction fails also waits, or its client could meet what is not undone
        yet.
        """
        assert self._loop is not None  # noqa: S101  (it opened the batch)
        ended: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(ended)
        return ended

    def _end_batch(self) -> None:
        waiting, self._waiting = self._waiting, []
        failure = RuntimeError(_WAITED) if self._inside else self._failure or self._commit()
        # A transaction that is still inside may run nothing more, because its batch is over.
        self._failure = failure if self._inside else None
        self._batch_is_open = False
        self._deferred.clear()
        self._sums.clear()
        if failure is not None:
            self._roll_back()
        elif self._failure_log.latest and self._connection.total_changes > self._changes:
            self._failure_log.worked()  # a transaction that writes nothing proves nothing
        self._update_memory(committed=failure is None)
        for ended in waiting:
            if ended.done():  # the request that awaited it was cancelled
                continue
            if failure is None:
                ended.set_result(None)
            else:
                ended.set_exception(failure)

    def _update_memory(self, *, committed: bool) -> None:
        # Before any of the transactions goes on, so that nobody meets memory that differs from what
        # is stored.
        calls = self._after_commit if committed else self._on_rollback[::-1]
        self._after_commit, self._on_rollback = [], []
        for call in calls:
            try:
                call()
            except Exception:
                # Neither the others nor the transactions may suffer from a defect in one of them.
                _log.exception("What follows from a transaction could not be done")

    def _roll_back(self) -> None:
        # After some errors SQLite has done it by itself. A rollback that reports an error has taken
        # place nevertheless.
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.rollback()

    def _commit(self) -> sqlite3.Error | None:
        try:
            self._run_deferred()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return error
        return None

    def after_commit(self, action: Callable[[], object]) -> None:
        """Call a function once the present transaction is committed, or never.

        It is called before the requests whose transactions are in the batch go on.
        """
        self._after_commit.append(action)

    def on_rollback(self, undo: Callable[[], object]) -> None:
        """Call a function if the open batch is rolled back; the latest is called first.

        It is also for what has been read while a batch is open, and may become untrue. Without
        an open batch, nothing can be rolled back.
        """
        if self._batch_is_open:
            self._on_rollback.append(undo)

    def unavailable(self, error: BaseException) -> ServiceUnavailable | None:
        """Return the refusal for an error of the disk, and log it; None for any other error."""
        cause = disk_failure(error)
        if cause is None:
            return None
        self._failure_log.failed(error, cause)
        return ServiceUnavailable(f"The database cannot be used: {cause}")

    def check_disk(self) -> None:
        """Raise the latest error of the disk, unless something has been stored since."""
        if self._failure_log.latest is not None:
            raise self._failure_log.latest

    def execute(self, sql: str, row: Row = ()) -> sqlite3.Cursor:
        """Run a statement, after what was deferred before it."""
        self.flush()
        return self._connection.execute(sql, row)

    def query_without_flush(self, sql: str, row: Row) -> sqlite3.Cursor:
        """Run a query that this batch's deferred writes cannot affect."""
        return self._connection.execute(sql, row)

    def executemany(self, sql: str, rows: Iterable[Row]) -> sqlite3.Cursor:
        """Run a statement for each of many rows, after what was deferred before it."""
        self.flush()
        return self._connection.executemany(sql, rows)

    def defer(self, sql: str, rows: Iterable[Row]) -> None:
        """Run a statement for each row later: before the next `execute`, or before the commit.

        Rows that a batch's transactions insert into the same table are inserted together, which
        takes a third less time.
        """
        self._deferred[sql].extend(rows)

    def defer_sum(self, sql: str, key: tuple[object, ...], amounts: Sequence[int]) -> None:
        """Run a statement once for each key later, with the sums of the amounts deferred for it."""
        sums = self._sums[sql, key]
        sums[:] = map(add, sums, amounts) if sums else amounts

    def flush(self) -> None:
        """Run the deferred writes, unless this batch has failed.

        Raises:
            sqlite3.Error: one of them failed, now or before; the batch will be rolled back.
        """
        if self._failure is not None:
            raise self._failure
        if self._deferred or self._sums:
            self._run_deferred()

    def _lost(self) -> sqlite3.Error:
        """Fail the batch that SQLite has rolled back by itself, and return its failure.

        An error of any query can cause that. Statements that follow would be committed one by one.
        """
        self._failure = sqlite3.OperationalError(_LOST)
        return self._failure

    def _run_deferred(self) -> None:
        deferred, self._deferred = self._deferred, defaultdict(list)
        sums, self._sums = self._sums, defaultdict(list)
        if not self._connection.in_transaction:
            raise self._lost()
        try:
            for sql, rows in deferred.items():
                self._connection.executemany(sql, rows)
            for (sql, key), amounts in sums.items():
                self._connection.execute(sql, (*key, *amounts))
        except sqlite3.Error as error:
            # The one whose statement caused the flush need not be the one whose rows failed:
            # both must learn of it, so the failure is the batch's.
            self._failure = error
            raise

    def metadata(self, name: str) -> str | None:
        """Return a stored value that concerns the whole sandbox, or None."""
        row = self.execute("SELECT value FROM metadata WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def store_metadata(self, name: str, value: str) -> None:
        """Store a value that concerns the whole sandbox."""
        self.execute("INSERT OR REPLACE INTO metadata VALUES (?, ?)", (name, value))

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let an event loop use the database from now on, and open the file again if it is closed.

        Raises:
            DatabaseUnusable: the file cannot be opened again.
        """
        self._leave()
        if not self._closing.alive:
            self._open()
        self._loop = loop

    def close(self) -> None:
        """Commit the open batch, if there is one, and close the file; `enter` opens it again.

        A database in memory stays open, because closing would delete it.
        """
        self._leave()
        if self._path != MEMORY:
            self._closing()

    def _open(self) -> None:
        self._connection = opened(self._path)
        for name, function in self._functions.items():
            self._connection.create_function(name, -1, function)
        # Closes it also where nobody calls `close`, as tests of an application need not do.
        self._closing = weakref.finalize(self, self._connection.close)

    def _leave(self) -> None:
        """End the batch that the event loop has left open, if it has ended in the middle of one.

        The transactions that had ended are committed: what they changed in memory stays, too.
        """
        if self._batch_is_open:
            self._end.cancel()
            if self._loop is not None and self._loop.is_closed():
                self._waiting.clear()  # nobody is left to learn of the commit
            self._end_batch()
        self._inside, self._failure, self._loop = False, None, None


def of_account(account: int | None) -> Condition:
    """Return the condition for the rows of an account, which is empty for those of all."""
    return ("", ()) if account is None else (" WHERE account = ?", (account,))
