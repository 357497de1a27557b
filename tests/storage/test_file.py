"""The database file: which files are opened, and which are refused."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from box import NUMBER, sandbox

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.storage import file as storage
from msgine_sandbox.storage.file import DatabaseUnusable

SCHEMA = sorted((Path(storage.__file__).parent / "schema").glob("[0-9]*.sql"))


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


def pragma(file: str, statement: str) -> int:
    with closing(sqlite3.connect(file)) as connection:
        row = connection.execute(f"PRAGMA {statement}").fetchone()
        return 0 if row is None else row[0]


def written(file: str, content: bytes) -> None:
    Path(file).write_bytes(content)


def content_of(file: str) -> bytes:
    return Path(file).read_bytes()


def refusal(file: str) -> str:
    """Return the sentence that a file is refused with."""
    with pytest.raises(DatabaseUnusable) as refused:
        Sandbox(Settings(database=file))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_schema_files_are_numbered_without_gaps() -> None:
    numbers = [int(each.name.partition("_")[0]) for each in SCHEMA]
    assert numbers == list(range(1, len(SCHEMA) + 1))


def tables(file: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the columns and indexes of every table, whatever the text that defined them."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'")
        return {
            name: [
                ("without rowid", without_rowid),
                *connection.execute("SELECT * FROM pragma_table_xinfo(?)", (name,)),
                *sorted(indexes(connection, name)),
            ]
            for name, without_rowid in names.fetchall()
            if not name.startswith("sqlite_")
        }


def indexes(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    found = connection.execute(
        "SELECT list.name, [unique], origin, partial, sql FROM pragma_index_list(?) AS list"
        " JOIN sqlite_schema USING (name)",
        (table,),
    ).fetchall()
    return [
        (index, *connection.execute("SELECT * FROM pragma_index_xinfo(?)", (index[0],)).fetchall())
        for index in found
    ]


def test_the_oldest_file_is_migrated_to_the_tables_of_a_new_one(file: str) -> None:
    new, old = file, f"{file}.old"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(SCHEMA[0].read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA application_id = {storage.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
    for each in (new, old):
        storage.opened(each).close()
    assert len(tables(new)) > 5
    assert tables(old) == tables(new)
    assert pragma(old, "user_version") == pragma(new, "user_version")


async def test_a_file_has_its_schema_version(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    assert pragma(file, "user_version") == len(SCHEMA)
    assert pragma(file, "application_id") == storage.APPLICATION_ID
    assert pragma(file, "integrity_check") == "ok"


async def test_a_stopped_sandbox_leaves_a_single_file(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    assert [each.name for each in Path(file).parent.iterdir()] == ["sandbox.db"]


async def test_an_empty_file_is_accepted(file: str) -> None:
    written(file, b"")
    async with sandbox(database=file) as box:
        assert await box.read(await box.accepted())


async def test_a_file_of_a_newer_version_is_refused_and_not_changed(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    pragma(file, f"user_version = {len(SCHEMA) + 1}")
    before = content_of(file)
    sentence = refusal(file)
    assert sentence.startswith(f"{file} was written by a newer msgine-sandbox")
    assert f"schema {len(SCHEMA) + 1}, this one knows {len(SCHEMA)}" in sentence
    assert content_of(file) == before


async def test_a_file_of_an_older_version_is_brought_up_to_date(file: str) -> None:
    """The Developers API shows and counts messages from before it existed."""
    async with sandbox(database=file) as box:
        await box.freeze()
        token = box.token
        for to in (NUMBER, [NUMBER, "+256700000001", "+256700000002"], "+256700000003"):
            await box.accepted(to, "a" * 161)
        await box.advance(days=1)
        await box.accepted()
        sums = await box.developers("GET", "/analytics/daily", days=2)
        history = await box.developers("GET", "/sms/history")
    with closing(sqlite3.connect(file)) as connection:
        made_old(connection)
    async with sandbox(database=file) as again:
        box = again.other(token)
        assert await box.developers("GET", "/analytics/daily", days=2) == sums
        assert await box.developers("GET", "/sms/history") == history
        await box.advance(days=1)
        assert (await box.developers("GET", "/sms/history"))["messages"][0]["status"] == "delivered"
    assert pragma(file, "user_version") == len(SCHEMA)


def made_old(connection: sqlite3.Connection) -> None:
    """Undo the third and the fourth schema file."""
    for index in ("messages_by_sequence", "webhook_events_by_account", "webhook_events_held"):
        connection.execute(f"DROP INDEX {index}")
    for table, new, old in (
        ("messages", "sequence", "place"),
        ("webhook_events", "mode", "telling"),
        ("attempts", "webhook_event", "notice"),
    ):
        connection.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
    connection.execute("ALTER TABLE metadata RENAME TO facts")
    connection.execute("ALTER TABLE webhook_events RENAME TO notices")
    connection.execute(
        "CREATE UNIQUE INDEX messages_by_place ON messages (account, channel, place)"
    )
    connection.execute("CREATE INDEX notices_by_account ON notices (account)")
    connection.execute("CREATE INDEX notices_held ON notices (message) WHERE state = 'held'")
    added = {
        "messages": ("title", "parts", "scheduled_at", "developer_micros"),
        "accounts": ("developer_prices",),
    }
    for table in ("tallies", "devices"):
        connection.execute(f"DROP TABLE {table}")
    for index in ("messages_by_account", "faults_by_match"):
        connection.execute(f"DROP INDEX {index}")
    for table, columns in added.items():
        for column in columns:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()


async def test_a_database_of_another_program_is_refused_and_not_changed(file: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE messages (text)")
        connection.commit()
    before = content_of(file)
    assert refusal(file) == f"{file} is a database of another program."
    assert content_of(file) == before


@pytest.mark.parametrize("content", [b"to,message\n", b"x" * 8192], ids=["short", "long"])
async def test_a_file_of_another_kind_is_refused_and_not_changed(file: str, content: bytes) -> None:
    written(file, content)
    assert refusal(file) == f"{file} is not a SQLite database."
    assert content_of(file) == content


async def test_a_file_in_use_is_refused_and_the_sandbox_that_uses_it_continues(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
        assert refusal(file) == f"{file} is in use by another sandbox."
        await box.accepted()
        assert (await box.get("/_sandbox/messages"))["total"] == 2


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "sandbox.db")
    assert refusal(missing) == f"The folder of {missing} does not exist."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).startswith(f"{tmp_path} cannot be opened")
