"""Transactions: what is acknowledged is stored, also when the disk is full."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from box import Box

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.storage.database import Database


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


# When the store cannot write


@asynccontextmanager
async def answering_defects_with_500(file: str) -> AsyncIterator[tuple[Box, Database]]:
    """Run a sandbox whose defects are 500 responses, and return it with its database."""
    built = Sandbox(Settings(database=file, tier="unlimited"))
    transport = httpx.ASGITransport(app_of(built), raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Box(http, "test_storage"), built.store.database
    finally:
        await built.lifecycle.close()


async def listed(box: Box) -> list[str]:
    return [each["id"] for each in (await box.get("/_sandbox/messages"))["data"]][::-1]


async def test_on_a_full_disk_nothing_is_acknowledged_without_being_stored(file: str) -> None:
    async with answering_defects_with_500(file) as (box, store):
        stored = [(await box.accepted())["id"]]
        (pages,) = store.execute("PRAGMA page_count").fetchone()
        store.execute(f"PRAGMA max_page_count = {pages + 2}")
        keys = [f"k{n}" for n in range(20)]
        answers = [await box.send(message="a" * 1600, key=key) for key in keys]
        assert {answer.status_code for answer in answers} == {201, 503}
        stored += [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert await listed(box) == stored
        store.execute("PRAGMA max_page_count = 1000000")
        for key, answer in zip(keys, answers, strict=True):
            again = await box.send(message="a" * 1600, key=key)
            if answer.status_code == 201:
                assert again.content == answer.content
            else:
                stored.append(again.json()["id"])
        assert await listed(box) == stored


async def test_an_account_whose_creation_was_rolled_back_is_created_again(file: str) -> None:
    async with answering_defects_with_500(file) as (box, store):
        store.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON accounts WHEN new.token_hint LIKE 'bad%'"
            " BEGIN SELECT raise(ABORT, 'no'); END"
        )
        answers = await asyncio.gather(box.send(), box.other("bad_token_here").send())
        assert [answer.status_code for answer in answers] == [500, 500]
        store.execute("DROP TRIGGER refuse")
        theirs = await box.other().accepted()
        mine = await box.accepted()
        assert await listed(box) == [mine["id"]]
        assert mine["id"] != theirs["id"]


# Writes


@pytest.fixture
async def database(file: str) -> AsyncIterator[Database]:
    with closing(Database(file)) as opened:
        opened.enter(asyncio.get_running_loop())
        yield opened


async def write(database: Database, name: str, value: str = "written") -> None:
    async with database:
        database.store_metadata(name, value)


async def fail(database: Database, name: str) -> None:
    async with database:
        database.store_metadata(name, "half-way")
        raise LookupError("a write failed")


async def together(*writes: Awaitable[None]) -> list[BaseException | None]:
    """Run writes in one group commit, and return what each of them raised."""
    async with asyncio.timeout(60):
        return await asyncio.gather(*writes, return_exceptions=True)


async def test_a_write_is_stored_once_it_is_left(database: Database, file: str) -> None:
    await write(database, "one")
    database.close()
    with closing(Database(file)) as again:
        assert again.metadata("one") == "written"


async def test_writes_of_one_group_commit_are_stored_together(database: Database) -> None:
    results = await together(*[write(database, f"fact {n}") for n in range(50)])
    assert results == [None] * 50
    assert {database.metadata(f"fact {n}") for n in range(50)} == {"written"}


async def test_a_write_that_fails_rolls_back_its_group_and_all_of_it_raises(
    database: Database,
) -> None:
    results = await together(
        write(database, "before"), fail(database, "failing"), write(database, "after")
    )
    assert [type(each) for each in results] == [LookupError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_the_group_commit_after_a_failed_one_succeeds(database: Database) -> None:
    await together(fail(database, "failing"))
    assert await together(write(database, "later")) == [None]
    assert (database.metadata("failing"), database.metadata("later")) == (None, "written")


async def test_a_statement_that_fails_rolls_back_its_group(database: Database) -> None:
    async def break_a_rule() -> None:
        async with database:
            database.store_metadata("failing", "half-way")
            database.execute("INSERT INTO metadata VALUES ('failing', 'twice')")

    results = await together(write(database, "before"), break_a_rule(), write(database, "after"))
    assert [type(each) for each in results] == [sqlite3.IntegrityError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_a_full_disk_rolls_back_the_group_including_what_fits(
    database: Database,
) -> None:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    results = await together(
        write(database, "before"),
        write(database, "large", "x" * 1_000_000),
        write(database, "after"),
    )
    assert [type(each) for each in results] == [sqlite3.OperationalError] * 3
    assert [database.metadata(name) for name in ("before", "large", "after")] == [None] * 3


async def test_a_task_that_is_cancelled_during_the_commit_does_not_undo_it(
    database: Database,
) -> None:
    leaving = asyncio.create_task(write(database, "left"))
    staying = asyncio.create_task(write(database, "stayed"))
    asyncio.get_running_loop().call_soon(leaving.cancel)
    await together(leaving, staying)
    assert (database.metadata("left"), database.metadata("stayed")) == ("written", "written")


async def test_a_write_cannot_begin_while_another_awaits_something_else(
    database: Database,
) -> None:
    never = asyncio.Event()

    async def wait_inside() -> None:
        async with database:
            database.store_metadata("waiting", "half-way")
            await never.wait()

    waiting = asyncio.create_task(wait_inside())
    [result] = await together(write(database, "second"))
    assert isinstance(result, RuntimeError)
    assert "waited for something other than the store" in str(result)
    waiting.cancel()
    await together(waiting)


async def test_a_write_that_awaits_something_else_raises_and_stores_nothing(
    database: Database, file: str
) -> None:
    async def wait_inside() -> None:
        async with database:
            database.store_metadata("first", "half-way")
            await asyncio.sleep(0)
            database.store_metadata("second", "half-way")

    [result] = await together(wait_inside())
    assert isinstance(result, RuntimeError)
    database.close()
    with closing(Database(file)) as again:
        assert (again.metadata("first"), again.metadata("second")) == (None, None)


async def test_deferred_rows_that_fail_during_a_query_are_not_acknowledged(
    database: Database,
) -> None:
    async def write() -> None:
        async with database:
            rows = [("twice", "1"), ("twice", "2")]
            database.defer("INSERT INTO metadata VALUES (?, ?)", rows)

    async def read() -> None:
        database.execute("SELECT 1")

    results = await together(write(), read())
    assert [type(each) for each in results] == [sqlite3.IntegrityError] * 2
    assert database.metadata("twice") is None


async def test_a_batch_that_sqlite_has_rolled_back_by_itself_stores_nothing(
    database: Database,
) -> None:
    async def fail_to_read() -> None:
        database.execute("ROLLBACK")  # as SQLite does after some errors of any query

    results = await together(write(database, "before"), fail_to_read(), write(database, "after"))
    assert [type(each) for each in results] == [
        sqlite3.OperationalError,
        type(None),
        sqlite3.OperationalError,
    ]
    assert [database.metadata(name) for name in ("before", "after")] == [None] * 2
    assert await together(write(database, "later")) == [None]


async def test_memory_is_taken_back_in_reverse_order_or_changed_after_the_commit(
    database: Database,
) -> None:
    calls: list[str] = []

    async def change(name: str) -> None:
        async with database:
            database.store_metadata(name, "written")
            database.after_commit(lambda: calls.append(f"{name} committed"))
            database.on_rollback(lambda: calls.append(f"{name} undone"))

    await together(change("one"), change("two"))
    assert calls == ["one committed", "two committed"]
    calls.clear()
    await together(change("one"), change("two"), fail(database, "failing"))
    assert calls == ["two undone", "one undone"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_that_fails_keeps_no_other_from_being_made(
    database: Database, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    async def change() -> None:
        async with database:
            for add in (database.after_commit, database.on_rollback):
                add(lambda: calls.append("first"))
                add(lambda: calls.index("missing"))
                add(lambda: calls.append("last"))

    other = fail(database, "failing") if fails else write(database, "other")
    [result, _] = await together(change(), other)
    assert (result is None) != fails
    assert sorted(calls) == ["first", "last"]
    assert "could not be done" in caplog.text
