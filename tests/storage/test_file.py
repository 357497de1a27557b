"""The database file: which files are opened, and which are refused."""

import json
import os
import socket
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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
    """Undo the schema files from the third on."""
    with_deliveries(connection)
    for table in ("attempt_totals", "sequence_gaps", "message_totals"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("ALTER TABLE messages DROP COLUMN size")
    for index in ("messages_by_sequence", "webhook_events_by_message", "steps_by_message"):
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
        "accounts": ("developer_prices", "name"),
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


def with_deliveries(connection: sqlite3.Connection) -> None:
    """Undo the seventh: deliveries in a table of their own, and what is to come as steps."""
    connection.execute(
        "CREATE TABLE deliveries (message, position, recipient, status, history, reason,"
        " PRIMARY KEY (message, position)) WITHOUT ROWID"
    )
    rows = connection.execute(
        "SELECT m.id, account, created_at, recipients, timelines, clock_frozen"
        " FROM messages m JOIN accounts a ON a.id = account"
    ).fetchall()
    for message, account, created_at, recipients, timelines, now in rows:
        lines, each = recipients.split("\n"), json.loads(timelines)
        for position, to in enumerate(lines):
            timeline = each[position if len(each) > 1 else 0]
            begun = [one for one in timeline if created_at + one[1] <= now]
            history = " ".join(f"{one[0]}@{created_at + one[1]}" for one in begun)
            reason = begun[-1][2] if len(begun[-1]) > 2 else None
            connection.execute(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)",
                (message, position, to, begun[-1][0], history, reason),
            )
            for number, one in enumerate(timeline[len(begun) :]):
                connection.execute(
                    "INSERT INTO steps VALUES (?, 0, ?, ?, ?, ?, ?)",
                    (account, created_at + one[1], message + number, message, position, one[0]),
                )
    for index in ("messages_by_end", "messages_by_status"):
        connection.execute(f"DROP INDEX {index}")
    for column in ("ends_at", "end_status", "recipients", "timelines"):
        connection.execute(f"ALTER TABLE messages DROP COLUMN {column}")


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
    assert refusal(missing) == f"{missing} cannot be created: its folder does not exist."


def test_only_a_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(str(tmp_path)) == f"{tmp_path} is not a file but a folder."
    assert refusal(str(tmp_path / "pipe")) == f"{tmp_path}/pipe is not a file but a pipe."
    assert refusal("/dev/full") == "/dev/full is not a file but a device."
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "bound"))
        assert refusal(str(tmp_path / "bound")).endswith("bound is not a file but a socket.")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a" * 300, "file name too long"),
        ("loop", "too many levels of symbolic links"),
        ("file/x.db", "its folder does not exist"),
        ("astray", "its folder does not exist"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str, why: str) -> None:
    written(str(tmp_path / "file"), b"")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "astray").symlink_to("nowhere/x.db")
    assert why in refusal(str(tmp_path / name))


# Who may read it


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """Set the umask, until the test ends."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o137, 0o777], ids=oct)
async def test_what_is_created_is_private_whatever_the_umask(
    file: str, umask: Callable[[int], int], mask: int
) -> None:
    umask(mask)
    async with sandbox(database=file) as box:
        await box.accepted()
        found = modes(Path(file).parent)
        assert {"sandbox.db", "sandbox.db-wal"} <= set(found)
        assert set(found.values()) == {0o600}
    assert modes(Path(file).parent) == {"sandbox.db": 0o600}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664], ids=oct)
async def test_a_file_that_exists_keeps_its_mode(file: str, mode: int) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    Path(file).chmod(mode)
    async with sandbox(database=file) as box:
        await box.accepted()
        assert set(modes(Path(file).parent).values()) == {mode}
    assert modes(Path(file).parent) == {"sandbox.db": mode}


async def test_an_empty_file_prepared_for_a_group_keeps_its_mode(file: str) -> None:
    written(file, b"")
    Path(file).chmod(0o660)
    async with sandbox(database=file) as box:
        await box.accepted()
        assert set(modes(Path(file).parent).values()) == {0o660}


async def test_a_link_to_a_missing_file_creates_that_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target.db")
    async with sandbox(database=str(tmp_path / "link")) as box:
        await box.accepted()
    assert modes(tmp_path)["target.db"] == 0o600


# Where reading or writing is forbidden


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Act as a user whom modes forbid something, which they do not to root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path
        path.chmod(0o700)


@pytest.mark.parametrize(
    ("of_file", "of_folder", "why"),
    [
        (None, 0o000, "cannot be opened in its folder"),
        (None, 0o555, "cannot be opened in its folder"),
        (0o666, 0o000, "cannot be opened in its folder"),
        (0o000, 0o777, "cannot be read: permission denied"),
        (0o444, 0o777, "cannot be written: it is read-only"),
        (0o666, 0o555, "cannot be written: its folder"),
    ],
)
async def test_what_is_forbidden_is_said_and_nothing_is_changed(
    folder: Path, of_file: int | None, of_folder: int, why: str
) -> None:
    path, before = folder / "sandbox.db", {}
    if of_file is not None:
        async with sandbox(database=str(path)) as box:
            await box.accepted()
        before = {path: content_of(str(path))}
        path.chmod(of_file)
    folder.chmod(of_folder)
    with ordinary_user():
        sentence = refusal(str(path))
    folder.chmod(0o700)
    if before:
        path.chmod(0o600)
    assert sentence.startswith(f"{path} {why}")
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    assert sentence.endswith(f" for user {user}, as whom the sandbox runs.")
    assert {each: content_of(str(each)) for each in folder.iterdir()} == before


def damage(file: str, text: bytes) -> None:
    """Overwrite the header of the page in which a text is stored."""
    content = bytearray(content_of(file))
    size = int.from_bytes(content[16:18], "big")  # of a page. Source: SQLite, "File Format"
    start = content.index(text) // size * size
    content[start : start + 8] = b"\xff" * 8
    written(file, bytes(content))


async def test_damage_that_a_query_meets_is_a_503_and_the_rest_goes_on(file: str) -> None:
    async with sandbox(database=file, tier="unlimited") as box:
        token = box.token
        ids = [(await box.accepted(message=f"<{n}>" + "x" * 500))["id"] for n in range(40)]
    damage(file, b"<3>x")
    async with sandbox(database=file, tier="unlimited") as again:
        box = again.other(token)
        for path in (f"/api/v1/messages/{ids[3]}", "/_sandbox/messages?contains=nothing"):
            answer = await box.call("GET", path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (
                503,
                "service_unavailable",
            )
            assert "malformed" in answer.json()["error"]["message"]
        await box.accepted()
        assert (await box.call("GET", f"/api/v1/messages/{ids[-1]}")).status_code == 200
