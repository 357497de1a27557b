"""Transactions: what is acknowledged is stored, also when the disk is full."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
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
async def failing_politely(file: str) -> AsyncIterator[tuple[Box, Database]]:
    """A sandbox whose defects are answers, and the store under it to bring them about."""
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
    async with failing_politely(file) as (box, store):
        kept = [(await box.accepted())["id"]]
        (pages,) = store.execute("PRAGMA page_count").fetchone()
        store.execute(f"PRAGMA max_page_count = {pages + 2}")
        keys = [f"k{n}" for n in range(20)]
        answers = [await box.send(message="a" * 1600, key=key) for key in keys]
        assert {answer.status_code for answer in answers} == {201, 500}
        kept += [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert await listed(box) == kept
        store.execute("PRAGMA max_page_count = 1000000")
        for key, answer in zip(keys, answers, strict=True):
            again = await box.send(message="a" * 1600, key=key)
            if answer.status_code == 201:
                assert again.content == answer.content
            else:
                kept.append(again.json()["id"])
        assert await listed(box) == kept


async def test_an_account_whose_creation_was_rolled_back_is_created_again(file: str) -> None:
    async with failing_politely(file) as (box, store):
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


# Units


@pytest.fixture
def database(file: str) -> Iterator[Database]:
    with closing(Database(file)) as opened:
        yield opened


async def state(database: Database, name: str, value: str = "stated") -> None:
    async with database:
        database.store_metadata(name, value)


async def fail(database: Database, name: str) -> None:
    async with database:
        database.store_metadata(name, "half-way")
        raise LookupError("a unit failed")


async def together(*units: Awaitable[None]) -> list[BaseException | None]:
    """Run units in one turn, and give what each was told."""
    async with asyncio.timeout(1):
        return await asyncio.gather(*units, return_exceptions=True)


async def test_a_write_is_stored_once_it_is_left(database: Database, file: str) -> None:
    await state(database, "one")
    database.close()
    with closing(Database(file)) as again:
        assert again.metadata("one") == "stated"


async def test_writes_of_one_group_commit_are_stored_together(database: Database) -> None:
    told = await together(*[state(database, f"fact {n}") for n in range(50)])
    assert told == [None] * 50
    assert {database.metadata(f"fact {n}") for n in range(50)} == {"stated"}


async def test_a_write_that_fails_rolls_back_its_group_and_all_of_it_raises(
    database: Database,
) -> None:
    told = await together(
        state(database, "before"), fail(database, "failing"), state(database, "after")
    )
    assert [type(each) for each in told] == [LookupError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_the_group_commit_after_a_failed_one_succeeds(database: Database) -> None:
    await together(fail(database, "failing"))
    assert await together(state(database, "later")) == [None]
    assert (database.metadata("failing"), database.metadata("later")) == (None, "stated")


async def test_a_statement_that_fails_rolls_back_its_group(database: Database) -> None:
    async def break_a_rule() -> None:
        async with database:
            database.store_metadata("failing", "half-way")
            database.execute("INSERT INTO metadata VALUES ('failing', 'twice')")

    told = await together(state(database, "before"), break_a_rule(), state(database, "after"))
    assert [type(each) for each in told] == [sqlite3.IntegrityError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_a_full_disk_rolls_back_the_group_including_what_fits(
    database: Database,
) -> None:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    told = await together(
        state(database, "before"),
        state(database, "large", "x" * 1_000_000),
        state(database, "after"),
    )
    assert [type(each) for each in told] == [sqlite3.OperationalError] * 3
    assert [database.metadata(name) for name in ("before", "large", "after")] == [None] * 3


async def test_a_task_that_is_cancelled_during_the_commit_does_not_undo_it(
    database: Database,
) -> None:
    leaving = asyncio.create_task(state(database, "left"))
    staying = asyncio.create_task(state(database, "stayed"))
    asyncio.get_running_loop().call_soon(leaving.cancel)
    await together(leaving, staying)
    assert (database.metadata("left"), database.metadata("stayed")) == ("stated", "stated")


async def test_a_write_cannot_begin_while_another_awaits_something_else(
    database: Database,
) -> None:
    never = asyncio.Event()

    async def wait_inside() -> None:
        async with database:
            database.store_metadata("waiting", "half-way")
            await never.wait()

    waiting = asyncio.create_task(wait_inside())
    [told] = await together(state(database, "second"))
    assert isinstance(told, RuntimeError)
    assert "waited for something other than the store" in str(told)
    waiting.cancel()
    await together(waiting)


async def test_a_write_that_awaits_something_else_raises_and_stores_nothing(
    database: Database, file: str
) -> None:
    async def wait_inside() -> None:
        async with database:
            database.store_metadata("first", "half-way")
            await asyncio.get_running_loop().run_in_executor(None, int)
            database.store_metadata("second", "half-way")

    [told] = await together(wait_inside())
    assert isinstance(told, RuntimeError)
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

    told = await together(write(), read())
    assert [type(each) for each in told] == [sqlite3.IntegrityError] * 2
    assert database.metadata("twice") is None
