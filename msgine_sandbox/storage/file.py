"""Opening the database file: checking that it is ours, and migrating it to this schema."""

import os
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Final

MEMORY: Final = ":memory:"
"""In place of a path: a database in memory."""
_SCHEMA = Path(__file__).with_name("schema")
APPLICATION_ID = 0x4D534742  # "MSGB"; in the file's header, to tell it from other programs' files


class DatabaseUnusable(Exception):
    """The database file cannot be used; one sentence, which begins with its path, says why."""


def opened(path: str) -> sqlite3.Connection:
    """Return a connection to a database file, which is created where there is none.

    Raises:
        DatabaseUnusable: the file cannot be used.
    """
    if path != MEMORY:
        try:
            if not create_private(path):
                _check_kind(path)
        except OSError as error:
            raise DatabaseUnusable(_why_not_created(path, error)) from error
    try:
        # The event loop that uses the database need not run in the thread that opens it. Only one
        # loop uses it at a time, which `Lifecycle` ensures, and so does one thread.
        connection = sqlite3.connect(path, isolation_level=None, timeout=1, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise DatabaseUnusable(_why(path, error)) from error
    return connection


def create_private(path: str) -> bool:
    """Create an empty file that only its owner can read and write, unless there is one already.

    Return whether it was created. SQLite gives what it creates beside a database, such as the
    write-ahead log, the mode of the database.

    Raises:
        OSError: it cannot be created.
    """
    try:
        # Where a link leads to a missing file, that one is created, as any program would do.
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR
        file = os.open(os.path.realpath(path), flags, 0o600)
    except FileExistsError:
        return False
    try:
        if sys.platform != "win32":
            os.fchmod(file, 0o600)  # an umask may have taken even that
    finally:
        os.close(file)
    return True


def _check_kind(path: str) -> None:
    # Without opening it: closing it would release the locks of another connection of this process
    # (SQLite, "How To Corrupt An SQLite Database File", 2.2).
    kind = stat.S_IFMT(Path(path).stat().st_mode)
    if kind != stat.S_IFREG:
        found = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
        raise DatabaseUnusable(f"{path} is not a file but a {found.get(kind, 'device')}.")


def _why_not_created(path: str, error: OSError) -> str:
    reason = str(error.strerror or error).lower()
    folder = Path(path).absolute().parent
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{path} cannot be created: its folder does not exist."
    if isinstance(error, PermissionError):
        return f"{path} cannot be opened in its folder {folder}: {reason}{_for_user()}."
    return f"{path} cannot be created: {reason}."


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    # One process a file: a second sandbox on it is refused instead of writing between the
    # transactions of the first.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    # Before anything is written, because another program's file must stay as it is.
    version = _version(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    # A commit is 25 times as fast, and survives `kill -9`; a power cut may undo the latest ones.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; fewer pauses than with 1000
    connection.execute("BEGIN EXCLUSIVE")
    _migrate(connection, version)
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: str) -> int:
    is_ours = _pragma(connection, "application_id") == APPLICATION_ID
    if not is_ours and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise DatabaseUnusable(f"{path} is a database of another program.")
    version, known = _pragma(connection, "user_version"), len(_migrations())
    if version > known:
        raise DatabaseUnusable(
            f"{path} was written by a newer msgine-sandbox (schema {version}, this one knows "
            f"{known}): upgrade, or use another file."
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    migrations = _migrations()
    is_new = version == 0
    for path in [_SCHEMA / "current.sql"] if is_new else migrations[version:]:
        for statement in filter(str.strip, _statements(path.read_text(encoding="utf-8"))):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _migrations() -> list[Path]:
    """Return the files that migrate a database, each to the schema of its number."""
    return sorted(each for each in _SCHEMA.iterdir() if each.name[0].isdigit())


def _statements(sql: str) -> list[str]:
    """Split a schema file into statements.

    `executescript` would do that, too, but commits first: a migration must be kept whole or not at
    all.
    """
    without_comments = "\n".join(line.split("--", 1)[0] for line in sql.splitlines())
    return without_comments.split(";")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _why(path: str, error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return f"{path} is in use by another sandbox."
    if "not a database" in text:
        return f"{path} is not a SQLite database."
    if not _may(path, os.R_OK):
        return f"{path} cannot be read: permission denied{_for_user()}."
    # Also where SQLite only says that it cannot open or lock a file: it writes to the folder, too.
    if not _may(path, os.W_OK):
        return f"{path} cannot be written: it is read-only{_for_user()}."
    folder = Path(path).absolute().parent
    if not _may(folder, os.W_OK):
        return f"{path} cannot be written: its folder {folder} is read-only{_for_user()}."
    if "malformed" in text:
        return f"{path} is damaged: {text}."
    return f"{path} cannot be used: {text}."


def _for_user() -> str:
    """Return who is refused: in a container, that is not the user who has mounted the folder."""
    return "" if sys.platform == "win32" else f" for user {os.geteuid()}, as whom the sandbox runs"


def _may(path: str | Path, access: int) -> bool:
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)
