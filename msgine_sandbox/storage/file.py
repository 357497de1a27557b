"""Opening the database file: checking that it is ours, and migrating it to this schema."""

import sqlite3
from pathlib import Path

_SCHEMA = Path(__file__).with_name("schema")
APPLICATION_ID = 0x4D534742  # "MSGB"; in the file's header, to tell it from other programs' files


class DatabaseUnusable(Exception):
    """The database file cannot be used; the message says why in one sentence."""


def opened(path: str) -> sqlite3.Connection:
    """Return a connection to a database file, which is created where there is none.

    Raises:
        DatabaseUnusable: the file cannot be used.
    """
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
    return sorted(_SCHEMA.glob("[0-9]*.sql"))


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
    if "readonly" in text:
        return f"{path} cannot be written."
    if not Path(path).absolute().parent.is_dir():
        return f"The folder of {path} does not exist."
    return f"{path} cannot be opened: {text}."
