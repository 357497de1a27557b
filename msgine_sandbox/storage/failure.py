"""Which errors of SQLite mean that the disk fails, and the line in the log that says so."""

import logging
import sqlite3
import time
from typing import Final

_log = logging.getLogger(__name__)

_DISK: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,  # also where the process has no file descriptors left
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
"""Primary result codes whose cause lies outside of this program. Source: SQLite, "Result Codes"."""
_PRIMARY: Final = 0xFF  # an extended code has its primary code in the lowest byte
_PAUSE: Final = 1  # seconds of real time between two lines, at least


def disk_failure(error: BaseException) -> str | None:
    """Return what is wrong with the disk or the file, or None where that is not the cause.

    Any other error of SQLite, such as a constraint that is violated, is a defect of the program.
    """
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Raised by Python. As an operational error, it is about text in the file that is damaged.
        return str(error) if isinstance(error, sqlite3.OperationalError) else None
    return str(error) if code & _PRIMARY in _DISK else None


class FailureLog:
    """Logs one line when the disk begins to fail, and again only if it has worked in between.

    A disk that is nearly full can take small transactions and refuse large ones, so there is
    at most one line a second.
    """

    def __init__(self) -> None:
        self.latest: BaseException | None = None
        """The latest error, unless something has been stored since."""
        self._is_logged = False
        self._logged_at = -float(_PAUSE)

    def worked(self) -> None:
        """Note that something has been stored."""
        self.latest = None
        self._is_logged = False

    def failed(self, error: BaseException, cause: str) -> None:
        """Note that the disk has failed."""
        self.latest = error
        now = time.monotonic()
        if not self._is_logged and now - self._logged_at >= _PAUSE:
            self._is_logged, self._logged_at = True, now
            _log.error(
                "The database cannot be used: %s. Requests that need it are answered 503; all that "
                "falls due waits, and is tried again every second.",
                cause,
            )
