"""A disk that fails, and works again: what clients are told, and that everything goes on."""

import asyncio
import json
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, boxed
from command import PROGRAM, finish, is_refusal
from failing_disk import CAUSES, FULL, FailingDisk, error_of
from live import Live, serving
from matching import assert_refused
from receiver import Receiver

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.bus import StatusesChanged, WebhookAttempted
from msgine_sandbox.services.deletion import Emptying
from msgine_sandbox.settings import BASE_PATH, Settings

SOON = {"sent_after": 0, "delivered_after": 0}


@asynccontextmanager
async def failing(code: int = sqlite3.SQLITE_FULL, **settings: Any) -> AsyncIterator[Any]:
    """Return an account, and the disk of its sandbox."""
    built = Sandbox(Settings(**{"tier": "unlimited"} | settings))
    disk = FailingDisk(built.store.database, code)
    async with boxed(built) as box:
        yield box, disk


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> float:
    """Try again after 50 ms instead of a second; return that, in seconds."""
    monkeypatch.setattr("msgine_sandbox.services.scheduler._RETRY_AFTER_FAILURE", 50_000)
    return 0.05


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged, and check that there is no traceback."""
    assert [each for each in caplog.records if each.exc_info] == []
    return [each.getMessage() for each in caplog.records]


async def delivered(box: Box) -> dict[str, Any]:
    return await box.get("/_sandbox/messages/wait", status="delivered", timeout=60)


# Requests


@pytest.mark.parametrize("code", CAUSES)
async def test_a_failing_disk_is_answered_503_with_its_cause_and_logged_once(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with failing(code) as (box, disk):
        await box.accepted()
        disk.fail()
        for _ in range(3):
            error = assert_refused(await box.send(), 503, "service_unavailable")
            assert error["message"] == f"The database cannot be used: {CAUSES[code]}"
        [line] = lines(caplog)
        assert CAUSES[code] in line
        assert await box.message_count() == 1
        disk.work()
        await box.accepted()


async def test_a_second_failure_is_logged_as_well_but_at_most_every_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("msgine_sandbox.storage.failure.time.monotonic", lambda: now)
    async with failing() as (box, disk):
        for at, expected in [(100.0, 1), (100.5, 1), (101.0, 2), (101.9, 2)]:
            now = at
            disk.fail()
            await box.send()
            await box.send()
            assert len(lines(caplog)) == expected
            disk.work()
            await box.accepted()
        disk.fail()
        await box.send()
        now = 102.0  # it still fails, and that has not been logged yet
        await box.send()
        assert len(lines(caplog)) == 3


async def test_a_defect_of_the_sandbox_is_not_taken_for_the_disk() -> None:
    built = Sandbox(Settings())
    transport = httpx.ASGITransport(app_of(built), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        box = Box(http, "test_defect")
        await box.accepted()
        built.store.database.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON messages BEGIN SELECT raise(ABORT, 'no'); END"
        )
        assert_refused(await box.send(), 500, "internal_error")
    await built.lifecycle.close()


@pytest.mark.parametrize("path", ["/_sandbox/messages", f"{BASE_PATH}/messages"])
async def test_a_disk_that_cannot_be_read_is_answered_503_too(
    path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with failing() as (box, disk):
        await box.accepted()
        execute = disk.execute

        def unreadable(sql: str, *args: Any) -> sqlite3.Cursor:
            if "FROM messages" in sql:
                raise error_of(sqlite3.SQLITE_IOERR_WRITE)
            return execute(sql, *args)

        monkeypatch.setattr(disk, "execute", unreadable)
        answer = await box.call("GET", path)
        assert "disk I/O error" in assert_refused(answer, 503, "service_unavailable")["message"]
        assert len(lines(caplog)) == 1


async def test_a_fault_that_accepts_first_does_not_hide_that_nothing_was_accepted() -> None:
    async with failing() as (box, disk):
        await box.add_fault({"drop": "after"}, match={"to": NUMBER})
        disk.fail(after=1)  # the fault is counted in a transaction of its own
        assert_refused(await box.send(), 503, "service_unavailable")
        disk.work()
        assert await box.message_count() == 0


async def test_a_clock_that_has_moved_is_said_to_have_moved(receiver: Receiver) -> None:
    async with failing(sent_after=60, delivered_after=60) as (box, disk):
        await box.freeze()
        await box.listen(receiver.url, events=["message.delivered"])
        message = await box.accepted()
        before = await box.get("/_sandbox/clock")
        disk.fail(after=1)
        body = {"seconds": 3600}
        answer = await box.call("POST", "/_sandbox/clock/advance", json=body)
        error = assert_refused(answer, 503, "service_unavailable")
        assert error["message"] == f"The clock has moved. The database cannot be used: {FULL}"
        assert (await box.get("/_sandbox/clock"))["now"] > before["now"]
        assert (await box.read(message))["status"] == "delivered"
        assert not receiver.events
        disk.work()
        await receiver.until(1)  # what fell due is performed by itself


async def test_a_move_whose_last_webhook_cannot_be_recorded_is_not_complete(
    receiver: Receiver,
) -> None:
    async with failing() as (box, disk):
        await box.freeze()
        await box.listen(receiver.url, events=["message.delivered"])
        await box.accepted()
        disk.fail(after=2)  # the clock and both statuses are stored
        advance = box.call("POST", "/_sandbox/clock/advance", json={"seconds": 2})
        error = assert_refused(await advance, 503, "service_unavailable")
        assert error["message"].startswith("The clock has moved.")
        disk.work()
        await box.advance(seconds=0)
        assert [each["status"] for each in await box.attempts()] == [200]
        assert receiver.events == ["message.delivered"]


# In memory


async def test_what_is_not_stored_is_not_shown() -> None:
    async with failing() as (box, disk):
        await box.get("/_sandbox/account")
        disk.fail()
        sent, shown = await asyncio.gather(box.send(), box.call("GET", "/_sandbox/messages"))
        assert sent.status_code == 503
        # Whether it began before the transaction was rolled back or after that.
        assert shown.status_code == 503 or shown.json()["data"] == []
        disk.work()
        sent, shown = await asyncio.gather(box.send(), box.call("GET", "/_sandbox/messages"))
        assert [each["id"] for each in shown.json()["data"]] == [sent.json()["id"]]


async def test_changes_of_one_batch_are_taken_back_in_reverse_order() -> None:
    async with failing() as (box, disk):
        before = await box.get("/_sandbox/account")
        disk.fail()
        changes = [{"senderId": "One"}, {"senderId": "Two"}, {"price": 3}]
        answers = await asyncio.gather(
            *[box.call("PATCH", "/_sandbox/account", json=each) for each in changes]
        )
        assert {each.status_code for each in answers} == {503}
        assert await box.get("/_sandbox/account") == before


async def test_what_a_cancelled_request_changed_is_taken_back_as_well() -> None:
    async with failing() as (box, disk):
        before = await box.get("/_sandbox/account")
        disk.fail()
        change = box.call("PATCH", "/_sandbox/account", json={"senderId": "Never"})
        await cancelled_during_the_commit(change)
        assert disk.failed == 1
        assert await box.get("/_sandbox/account") == before


async def test_a_message_whose_request_was_cancelled_during_the_commit_is_delivered() -> None:
    async with failing(**SOON) as (box, disk):
        await box.get("/_sandbox/account")
        waiting = asyncio.create_task(delivered(box))
        await asyncio.sleep(0)
        before = disk.commits
        await cancelled_during_the_commit(box.send())
        assert disk.commits == before + 1
        assert (await waiting)["message"] == "Hello"


async def cancelled_during_the_commit(request: Any) -> None:
    """Make a request that is cancelled while it waits for its commit."""
    task = asyncio.ensure_future(request)
    asyncio.get_running_loop().call_soon(task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_an_account_whose_opening_is_rolled_back_leaves_nothing_to_the_next() -> None:
    async with failing(tier="starter") as (box, disk):
        disk.fail()
        token = "test_never_opened"
        lost = box.other(token)
        reads = [lost.call("GET", f"{BASE_PATH}/messages") for _ in range(5)]
        answers = await asyncio.gather(lost.send(), *reads)
        assert {each.status_code for each in answers} == {503}
        disk.work()
        answer = await box.send()
        assert answer.headers["x-ratelimit-remaining"] == "99"
        assert len((await box.get("/_sandbox/requests"))["data"]) == 1
        assert [each["token"] for each in (await box.get("/_sandbox/accounts"))["data"]] == [
            (await box.get("/_sandbox/account"))["token"]
        ]


async def test_requests_of_one_batch_open_one_account() -> None:
    async with failing() as (box, _):
        answers = await asyncio.gather(*[box.send() for _ in range(5)])
        assert {each.status_code for each in answers} == {201}
        assert await box.anonymous.message_count() == await box.message_count() == 5
        assert (await box.anonymous.get("/_sandbox/accounts"))["total"] == 1


async def test_a_fault_acts_though_its_removal_was_rolled_back() -> None:
    async with failing() as (box, disk):
        fault = await box.add_fault({"status": 502}, match={"to": NUMBER})
        disk.fail()
        removal = box.call("DELETE", f"/_sandbox/faults/{fault['id']}")
        await asyncio.gather(removal, box.send())
        disk.work()
        assert (await box.send()).status_code == 502


async def test_rate_limits_are_as_before_a_reset_that_failed() -> None:
    async with failing(tier="free") as (box, disk):
        await box.freeze()
        await box.statuses(3)
        disk.fail()
        answer = await box.call("POST", "/_sandbox/reset")
        assert_refused(answer, 503, "service_unavailable")
        disk.work()
        [account] = (await box.get("/_sandbox/accounts"))["data"]
        assert account["windows"]["minute"]["remaining"] == account["limits"]["perMinute"] - 3


Change = Callable[[Box], Any]
DUE_CHANGES: dict[str, Change] = {
    "a reset": lambda box: box.call("POST", "/_sandbox/reset"),
    "a reset of all": lambda box: box.anonymous.call("POST", "/_sandbox/reset"),
    "an emptied inbox": lambda box: box.call("DELETE", "/_sandbox/messages"),
    "an advance": lambda box: box.call("POST", "/_sandbox/clock/advance", json={"seconds": 9}),
    "a freeze": lambda box: box.call("POST", "/_sandbox/clock/freeze"),
    "a freeze of all": lambda box: box.anonymous.call("POST", "/_sandbox/clock/freeze"),
}


@pytest.mark.parametrize("change", DUE_CHANGES.values(), ids=DUE_CHANGES)
async def test_what_is_planned_happens_though_a_change_of_it_was_rolled_back(
    change: Change,
) -> None:
    async with failing(sent_after=0.3, delivered_after=0.3) as (box, disk):
        message = await box.accepted()
        disk.fail()
        assert_refused(await change(box), 503, "service_unavailable")
        disk.work()
        assert (await delivered(box))["id"] == message["id"]


async def test_steps_that_were_read_as_removed_are_performed_if_the_removal_is_rolled_back(
    quick_retries: float, receiver: Receiver
) -> None:
    built = Sandbox(Settings(sent_after=0.3, delivered_after=0.3))
    disk = FailingDisk(built.store.database)
    async with boxed(built) as box:
        await box.listen(receiver.url, events=["message.delivered"])
        await box.accepted()
        [account] = built.accounts.ids(None)
        disk.fail()

        async def remove() -> None:
            async with built.store.write():
                await Emptying(built.store, built.accounts, built.deliveries, account).slice()

        scheduler = built.reset._scheduler
        removed, _ = await asyncio.gather(
            remove(), scheduler.reschedule(account), return_exceptions=True
        )
        assert isinstance(removed, sqlite3.OperationalError)
        disk.work()
        await receiver.until(1)


async def test_a_reset_that_fails_during_a_move_leaves_the_time_at_its_step(
    receiver: Receiver,
) -> None:
    gate = threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        assert gate.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answers = [wait]
    async with failing() as (box, disk):
        await box.freeze()
        await box.listen(receiver.url)
        message = await box.accepted()
        advance = asyncio.create_task(box.advance(hours=1))
        await receiver.until(1)
        before = (await box.get("/_sandbox/clock"))["now"]
        disk.fail()
        assert_refused(await box.call("POST", "/_sandbox/reset"), 503, "service_unavailable")
        disk.work()
        assert (await box.get("/_sandbox/clock"))["now"] == before
        gate.set()
        assert (await advance)["performed"] == 4
        assert (await box.read(message))["status"] == "delivered"


# The scheduler


@pytest.mark.both_loops
async def test_the_scheduler_tries_once_in_a_while_for_all_accounts_and_then_goes_on(
    quick_retries: float, caplog: pytest.LogCaptureFixture, receiver: Receiver
) -> None:
    loop, times = asyncio.get_running_loop(), []
    async with failing(sent_after=0.1, delivered_after=0.1) as (box, disk):
        boxes = [box.other() for _ in range(20)]
        for each in boxes:
            await each.listen(receiver.url, events=["message.delivered"])
        execute = disk.execute

        def timed(sql: str, *args: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                times.append(loop.time())
            return execute(sql, *args)

        disk.execute = timed
        await asyncio.gather(*[each.accepted() for each in boxes])
        disk.fail(times=5)
        times.clear()
        await disk.until(disk.commits + 5)
        await receiver.until(20)
        assert disk.failed == 5
        gaps = [after - before for before, after in pairwise(times[:6])]
        assert min(gaps) > quick_retries * 0.9
        assert len(lines(caplog)) <= 1 + sum(gaps)


@pytest.mark.both_loops
async def test_a_webhook_that_cannot_be_recorded_is_not_sent_again(
    receiver: Receiver, quick_retries: float, caplog: pytest.LogCaptureFixture
) -> None:
    async with failing(sent_after=0, delivered_after=3600) as (box, disk):
        await box.listen(receiver.url)
        before = disk.commits
        disk.fail(after=2, times=5)  # what is accepted and planned is stored
        sent = await box.accepted()
        await disk.until(before + 2 + 5 + 1)
        assert disk.failed == 5
        assert [each["messageId"] for each in await box.attempts()] == [sent["id"]]
        assert receiver.events == ["message.sent"]
        assert len(lines(caplog)) == 1


async def test_what_happens_is_announced_once_it_is_stored(
    receiver: Receiver, quick_retries: float
) -> None:
    built = Sandbox(Settings(sent_after=0, delivered_after=0))
    disk = FailingDisk(built.store.database)
    changed: list[StatusesChanged] = []
    attempted: list[WebhookAttempted] = []
    built.bus.listen(StatusesChanged, changed.append)
    built.bus.listen(WebhookAttempted, attempted.append)
    async with boxed(built) as box:
        await box.listen(receiver.url, events=["message.delivered"])
        before = disk.commits
        disk.fail(after=1, times=2)
        await box.accepted()
        await disk.until(before + 1 + 2 + 1)  # the statuses are stored now
        disk.fail(times=2)
        await disk.until(before + 1 + 2 + 1 + 2 + 1)
        assert [each["status"] for each in await box.attempts()] == [200]
    assert [each.status for event in changed for each in event.changes] == ["sent", "delivered"]
    assert [event.attempt.status for event in attempted] == [200]


@pytest.mark.both_loops
async def test_an_account_that_was_reset_meanwhile_has_no_attempt(
    receiver: Receiver, quick_retries: float
) -> None:
    async with failing(sent_after=0, delivered_after=0) as (box, disk):
        await box.listen(receiver.url)
        before = disk.commits
        disk.fail(after=2, times=2)
        await box.accepted()
        await disk.until(before + 2 + 2)
        await box.control("POST", "/reset")
        assert await box.attempts() == []
        await box.listen(receiver.url, events=["message.delivered"])
        await box.accepted()
        await receiver.until(2)
        assert receiver.events == ["message.sent", "message.delivered"]


# The command


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


def limit_files(live: Live, size: int) -> None:
    """Let a process write no file beyond a size, as if the disk were full there."""
    pid = live.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.mark.live
async def test_when_there_is_room_again_everything_that_was_acknowledged_happens(
    file: Path, receiver: Receiver, tmp_path: Path
) -> None:
    errors = tmp_path / "errors"
    flags = ("--database", str(file), "--tier", "unlimited", "--quiet")
    times = ("--sent-after", "0.5", "--delivered-after", "1")
    with errors.open("w") as stderr, serving(*flags, *times, stderr=stderr) as live:
        async with httpx.AsyncClient(base_url=live.origin, timeout=60, trust_env=False) as http:
            box = Box(http, "test_full")
            await box.listen(receiver.url)
            texts = [f"before {n:02}" for n in range(20)]
            sent = [(await box.accepted(message=each))["id"] for each in texts]
            await receiver.until(1)
            limit_files(live, Path(f"{file}-wal").stat().st_size // 2)
            later = {f"key-{n:02}": f"full {n:02}" for n in range(20)}
            full = [await box.send(message=each, key=key) for key, each in later.items()]
            assert 503 in {each.status_code for each in full}
            # What falls due meanwhile cannot be performed.
            never = {"contains": "never", "timeout": 2}
            waited = await box.call("GET", "/_sandbox/messages/wait", params=never)
            assert waited.status_code in {408, 503}  # the latter in the moment of a commit
            limit_files(live, resource.RLIM_INFINITY)
            again = [await box.accepted(message=each, key=key) for key, each in later.items()]
            for before, after in zip(full, again, strict=True):
                assert before.status_code == 503 or before.json() == after
            sent += [each["id"] for each in again]
            for each in (*texts, *later.values()):
                query = {"contains": each, "status": "delivered", "timeout": 60}
                await box.get("/_sandbox/messages/wait", **query)
            await receiver.until(2 * len(sent))
            assert await box.message_count() == len(sent)
            events = {(each.content["id"], each.event) for each in receiver.received}
            assert events == {
                (each, event) for each in sent for event in ("message.sent", "message.delivered")
            }
    logged = errors.read_text().splitlines()
    assert 1 <= len(logged) <= 4, logged
    assert all(line.startswith("The database cannot be used: ") for line in logged), logged


# No file may be larger, as if the disk were full there: none, and less than the messages need.
@pytest.mark.parametrize("blocks", [0, 8, 400])
def test_a_start_on_a_full_disk_is_refused_in_one_sentence(
    file: Path, tmp_path: Path, blocks: int
) -> None:
    scenario = tmp_path / "scenario.json"
    messages = [{"to": NUMBER, "message": "a" * 1600}] * 200
    scenario.write_text(json.dumps({"accounts": [{"token": "test_full", "messages": messages}]}))
    flags = ["serve", "--port", "0", "--database", str(file), "--scenario", str(scenario)]
    process = subprocess.Popen(
        [
            "/bin/sh",
            "-c",
            f'ulimit -f {blocks} && exec "$@"',
            "sh",
            sys.executable,
            *PROGRAM,
            *flags,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    result = finish(process)
    assert is_refusal(result, str(file)), result
