"""The database file: recognised as ours, and brought to the schema of this version."""

import sqlite3
from importlib import resources
from pathlib import Path
from typing import Any

APPLICATION_ID = 0x4D534742  # "MSGB", so that another program's file is not taken for ours


class DatabaseUnusable(Exception):
    """The database file cannot be used; the message says why in one sentence."""


def opened(path: str) -> sqlite3.Connection:
    """Open a database, or a new one.

    Raises:
        DatabaseUnusable: it cannot be used.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=1)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise DatabaseUnusable(_why(path, error)) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    # One process a file: a second sandbox on it is told so instead of corrupting the first's turns.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    version = _version(connection, path)  # first, because another program's file stays as it is
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # survives kill -9; 25 times faster to commit
    connection.execute("PRAGMA wal_autocheckpoint = 4000")  # pages: fewer pauses to write them back
    connection.execute("BEGIN EXCLUSIVE")
    _migrate(connection, version)
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: str) -> int:
    mine = _pragma(connection, "application_id") == APPLICATION_ID
    if not mine and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise DatabaseUnusable(f"{path} is a database of another program.")
    version, known = _pragma(connection, "user_version"), len(_schema())
    if version > known:
        raise DatabaseUnusable(
            f"{path} was written by a newer msgine-sandbox (schema {version}, this one knows "
            f"{known}): upgrade, or use another file."
        )
    return version


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    steps = _schema()
    for sql in steps[version:]:
        for statement in filter(str.strip, _statements(sql)):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(steps)}")


def _schema() -> list[str]:
    folder = resources.files("msgine_sandbox.storage") / "schema"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=_name)
    return [file.read_text(encoding="utf-8") for file in files]


def _name(file: Any) -> str:
    return str(file.name)


def _statements(sql: str) -> list[str]:
    """Split a schema file; `executescript` would commit the migration half-way."""
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
