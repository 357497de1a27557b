"""The database file: what it keeps over a restart, which files are refused, and its units."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, sandbox
from receiver import Receiver

from msgine_sandbox.app import BASE_PATH, app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.storage import file as storage
from msgine_sandbox.storage.database import Database
from msgine_sandbox.storage.file import DatabaseUnusable

SCHEMA = sorted((Path(storage.__file__).parent / "schema").glob("*.sql"))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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
    """Give the sentence that a file is refused with."""
    with pytest.raises(DatabaseUnusable) as refused:
        Sandbox(Settings(database=file))
    assert "\n" not in str(refused.value)
    return str(refused.value)


# Files


def test_schema_files_are_numbered_without_gaps() -> None:
    numbers = [int(each.name.partition("_")[0]) for each in SCHEMA]
    assert numbers == list(range(1, len(SCHEMA) + 1))


async def test_a_file_says_which_schema_it_has(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    assert pragma(file, "user_version") == len(SCHEMA)
    assert pragma(file, "application_id") == storage.APPLICATION_ID
    assert pragma(file, "integrity_check") == "ok"


async def test_a_file_is_whole_in_itself_once_the_sandbox_has_stopped(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    assert [each.name for each in Path(file).parent.iterdir()] == ["sandbox.db"]


async def test_an_empty_file_is_taken(file: str) -> None:
    written(file, b"")
    async with sandbox(database=file) as box:
        assert await box.read(await box.accepted())


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_was(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
    pragma(file, f"user_version = {len(SCHEMA) + 1}")
    before = content_of(file)
    sentence = refusal(file)
    assert sentence.startswith(f"{file} was written by a newer msgine-sandbox")
    assert f"schema {len(SCHEMA) + 1}, this one knows {len(SCHEMA)}" in sentence
    assert content_of(file) == before


async def test_a_file_of_an_older_version_is_brought_up_to_date(file: str) -> None:
    """Messages of before the second generation are seen by it, and counted."""
    async with sandbox(database=file) as box:
        await box.freeze()
        token = box.token
        for to in (NUMBER, [NUMBER, "+256700000001", "+256700000002"], "+256700000003"):
            await box.accepted(to, "a" * 161)
        await box.advance(days=1)
        await box.accepted()
        sums = await box.develop("GET", "/analytics/daily", days=2)
        history = await box.develop("GET", "/sms/history")
    with closing(sqlite3.connect(file)) as connection:
        made_old(connection)
    async with sandbox(database=file) as again:
        box = again.other(token)
        assert await box.develop("GET", "/analytics/daily", days=2) == sums
        assert await box.develop("GET", "/sms/history") == history
        await box.advance(days=1)
        assert (await box.develop("GET", "/sms/history"))["messages"][0]["status"] == "delivered"
    assert pragma(file, "user_version") == len(SCHEMA)


def made_old(connection: sqlite3.Connection) -> None:
    """Take back what the third and the fourth schema file brought."""
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


async def test_a_database_of_another_program_is_refused_and_left_as_it_was(file: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE messages (text)")
        connection.commit()
    before = content_of(file)
    assert refusal(file) == f"{file} is a database of another program."
    assert content_of(file) == before


@pytest.mark.parametrize("content", [b"to,message\n", b"x" * 8192], ids=["short", "long"])
async def test_a_file_of_another_kind_is_refused_and_left_as_it_was(
    file: str, content: bytes
) -> None:
    written(file, content)
    assert refusal(file) == f"{file} is not a SQLite database."
    assert content_of(file) == content


async def test_a_file_in_use_is_refused_and_its_user_goes_on(file: str) -> None:
    async with sandbox(database=file) as box:
        await box.accepted()
        assert refusal(file) == f"{file} is in use by another sandbox."
        await box.accepted()
        assert (await box.get("/_sandbox/messages"))["total"] == 2


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "sandbox.db")
    assert refusal(missing) == f"The folder of {missing} does not exist."


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).startswith(f"{tmp_path} cannot be opened")


# What outlives a restart


async def everything(box: Box) -> list[Any]:
    """All that an account's owner can see, but for the time that goes by."""
    found = [await box.look(each) for each in (await box.get("/_sandbox/messages"))["data"]]
    for look in found:  # what the journal adds ends with the process
        [asked] = [each for each in look["timeline"] if each["type"] == "request"]
        asked.pop("decisions", None), asked.pop("warnings", None)
    return [
        await box.get("/_sandbox/account"),
        await box.get("/_sandbox/webhooks"),
        found,
        await box.attempts(),
        (await box.get(f"{BASE_PATH}/messages", limit=2, page=2)),
    ]


async def test_messages_settings_and_endpoints_are_kept(file: str, receiver: Receiver) -> None:
    changes = {
        "tier": "professional",
        "limits": {"perSecond": 7},
        "scopes": ["SEND_SMS", "READ_MESSAGES"],
        "senderId": "Kept",
        "currency": "UGX",
        "price": 0.035,
    }
    async with sandbox(database=file) as before:
        other = before.other()
        await before.freeze()
        await before.control("PATCH", "/account", changes)
        await before.listen(receiver.url, SECRET, events=["message.failed"])
        for to in (NUMBER, [NUMBER, "+256700000001"], "+256700000002"):
            await before.accepted(to, "ê🎉\n\0", callbackUrl=receiver.url)
        await before.advance(seconds=1)
        await other.accepted()
        await other.control("PATCH", "/account", {"tier": "unlimited"})
        kept = [await everything(before), await everything(other)]
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        assert [await everything(box), await everything(box.other(other.token))] == kept
        assert kept[0][0] == (await box.get("/_sandbox/account")) | changes | {
            "limits": {"perMinute": 500, "perSecond": 7}
        }


async def test_new_messages_come_after_those_of_before(file: str) -> None:
    async with sandbox(database=file) as before:
        first = await before.accepted()
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        second = await box.accepted()
        page = await box.get(f"{BASE_PATH}/messages")
        assert [each["id"] for each in page["data"]] == [second["id"], first["id"]]
        assert second["id"] > first["id"]


async def test_a_clock_that_is_ahead_stays_ahead(file: str) -> None:
    async with sandbox(database=file) as before:
        advanced = await before.advance(days=30)
    async with sandbox(database=file) as fresh:
        clock = await fresh.other(before.token).get("/_sandbox/clock")
        assert clock["now"] >= advanced["now"]
        assert clock["aheadSeconds"] == pytest.approx(30 * 86_400, abs=0.01)


async def test_a_frozen_clock_stays_frozen(file: str) -> None:
    async with sandbox(database=file) as before:
        await before.freeze()
        message = await before.accepted()
        advanced = await before.advance(seconds=1)
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        clock = await box.get("/_sandbox/clock")
        assert (clock["frozen"], clock["now"]) == (True, advanced["now"])
        assert (await box.read(message))["status"] == "sent"


@pytest.mark.parametrize("frozen", [True, False])
async def test_the_clock_of_accounts_still_to_be_opened_is_kept(file: str, frozen: bool) -> None:
    async with sandbox(database=file) as before:
        await before.http.post("/_sandbox/clock/advance", json={"seconds": 3600})
        if frozen:
            await before.http.post("/_sandbox/clock/freeze")
    async with sandbox(database=file) as fresh:
        clock = await fresh.get("/_sandbox/clock")
        assert clock["frozen"] is frozen
        assert clock["aheadSeconds"] == pytest.approx(3600, abs=2)


async def test_an_emptied_and_a_reset_account_stay_so(file: str) -> None:
    async with sandbox(database=file) as before:
        emptied, reset = before.other(), before.other()
        await emptied.accepted()
        await emptied.control("DELETE", "/messages")
        await reset.accepted(key="k")
        await reset.control("PATCH", "/account", {"senderId": "Changed"})
        await reset.advance(hours=1)
        await reset.control("POST", "/reset")
    async with sandbox(database=file) as fresh:
        for token in (emptied.token, reset.token):
            assert (await fresh.other(token).get("/_sandbox/messages"))["total"] == 0
        again = fresh.other(reset.token)
        assert (await again.get("/_sandbox/account"))["senderId"] == "MsGine"
        assert (await again.get("/_sandbox/clock"))["aheadSeconds"] == pytest.approx(0, abs=0.01)


async def test_a_webhook_that_was_not_heard_is_tried_again_after_a_restart(
    file: str, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    async with sandbox(database=file) as before:
        await before.freeze()
        await before.listen(receiver.url, SECRET, events=["message.sent"])
        await before.accepted("+256700000004")
        await before.advance(seconds=10)
        assert len(receiver.heard) == 2
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        await box.advance(hours=1)
        assert [each["status"] for each in await box.attempts()] == [500, 503, 200]
        assert [each["attempt"] for each in await box.attempts()] == [1, 2, 3]
    assert receiver.events == ["message.sent"] * 3
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 1
    assert len({heard.body for heard in receiver.heard}) == 1


@dataclass
class Hanging:
    """An answer that a receiver only gives once it is let go."""

    reached: asyncio.Event
    let_go: asyncio.Event

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self._loop.call_soon_threadsafe(self.reached.set)
        asyncio.run_coroutine_threadsafe(self.let_go.wait(), self._loop).result()
        handler.close_connection = True


async def test_a_webhook_in_flight_at_the_end_is_sent_again_by_the_next_process(
    file: str, receiver: Receiver
) -> None:
    hanging = Hanging(asyncio.Event(), asyncio.Event())
    receiver.answers = [hanging]
    async with sandbox(database=file, sent_after=0, delivered_after=86_400) as before:
        await before.listen(receiver.url, SECRET, events=["message.sent"])
        await before.accepted()
        await hanging.reached.wait()
    hanging.let_go.set()
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        await box.advance(seconds=10)
        assert [each["status"] for each in await box.attempts()] == [200]
    assert len({heard.headers["webhook-id"] for heard in receiver.heard}) == 1


async def test_a_sandbox_that_is_closed_with_a_webhook_in_flight_has_nothing_left_to_do(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, timers = asyncio.get_running_loop(), []
    call_at = loop.call_at

    def remember(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        timers.append(call_at(*args, **kwargs))
        return timers[-1]

    hanging = Hanging(asyncio.Event(), asyncio.Event())
    receiver.answers = [hanging]
    async with sandbox(sent_after=0) as box:
        monkeypatch.setattr(loop, "call_at", remember)
        await box.accepted(callbackUrl=receiver.url)
        await hanging.reached.wait()
    closed_at = loop.time()
    hanging.let_go.set()
    left = [timer for timer in timers if not timer.cancelled() and timer.when() > closed_at]
    for timer in left:
        timer.cancel()
    assert left == []
    coroutines = [str(task.get_coro()) for task in asyncio.all_tasks()]
    assert [each for each in coroutines if "Scheduler" in each or "DueQueue" in each] == []


async def test_steps_that_were_due_while_nothing_ran_keep_their_own_times(
    file: str, receiver: Receiver
) -> None:
    async with sandbox(database=file) as before:
        await before.freeze()
        message = await before.accepted(callbackUrl=receiver.url)
        await before.control("POST", "/clock/resume")
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        await box.advance(hours=1)
        timeline = (await box.look(message))["timeline"]
    start = datetime.fromisoformat(timeline[0]["at"])
    times = [(datetime.fromisoformat(each["at"]) - start).total_seconds() for each in timeline]
    assert [*dict.fromkeys(times)] == [0, 0.5, 2]


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


async def test_on_a_full_disk_nothing_is_acknowledged_that_is_not_there(file: str) -> None:
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


async def test_an_account_whose_opening_was_not_kept_is_opened_anew(file: str) -> None:
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


async def test_a_unit_is_kept_once_it_is_left(database: Database, file: str) -> None:
    await state(database, "one")
    database.close()
    with closing(Database(file)) as again:
        assert again.metadata("one") == "stated"


async def test_units_of_one_turn_are_kept_together(database: Database) -> None:
    told = await together(*[state(database, f"fact {n}") for n in range(50)])
    assert told == [None] * 50
    assert {database.metadata(f"fact {n}") for n in range(50)} == {"stated"}


async def test_a_unit_that_fails_leaves_nothing_and_its_whole_turn_is_told(
    database: Database,
) -> None:
    told = await together(
        state(database, "before"), fail(database, "failing"), state(database, "after")
    )
    assert [type(each) for each in told] == [LookupError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_the_turn_after_one_that_failed_is_as_any(database: Database) -> None:
    await together(fail(database, "failing"))
    assert await together(state(database, "later")) == [None]
    assert (database.metadata("failing"), database.metadata("later")) == (None, "stated")


async def test_a_statement_that_fails_leaves_nothing_of_its_turn(database: Database) -> None:
    async def break_a_rule() -> None:
        async with database:
            database.store_metadata("failing", "half-way")
            database.execute("INSERT INTO metadata VALUES ('failing', 'twice')")

    told = await together(state(database, "before"), break_a_rule(), state(database, "after"))
    assert [type(each) for each in told] == [sqlite3.IntegrityError] * 3
    assert [database.metadata(name) for name in ("before", "failing", "after")] == [None] * 3


async def test_a_full_disk_leaves_nothing_of_a_turn_even_what_still_fits(
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


async def test_who_stops_waiting_for_the_commit_does_not_undo_it(database: Database) -> None:
    leaving = asyncio.create_task(state(database, "left"))
    staying = asyncio.create_task(state(database, "stayed"))
    asyncio.get_running_loop().call_soon(leaving.cancel)
    await together(leaving, staying)
    assert (database.metadata("left"), database.metadata("stayed")) == ("stated", "stated")


async def test_a_unit_cannot_begin_while_another_waits_for_something_else(
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


async def test_a_unit_that_waits_for_something_else_is_told_and_leaves_nothing(
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


async def test_rows_that_fail_when_a_reader_runs_them_are_not_acknowledged(
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
