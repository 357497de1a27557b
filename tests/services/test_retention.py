"""Retention: the oldest messages go beyond the bounds, unless something is still to happen."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from box import Box, boxed
from in_process import Account, LoopClient
from receiver import Receiver
from sends import EMAIL, PUSH, later
from starlette.testclient import TestClient

from msgine_sandbox.app import create_app
from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.settings import Settings

OFTEN = Bounds(retention_period=0.001)
STUCK = "+256700000003"  # stays pending, and has no steps


@asynccontextmanager
async def keeping(**settings: Any) -> AsyncIterator[tuple[Box, Sandbox]]:
    """Run a sandbox that looks all the time for what is beyond its bounds."""
    built = Sandbox(Settings(tier="unlimited", **settings), bounds=OFTEN)
    async with boxed(built) as box:
        yield box, built


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds, which only a defect can prevent."""
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110  (no event says so)
            await asyncio.sleep(0)


async def settled(box: Box, *messages: dict[str, Any]) -> None:
    """Wait until exactly these messages are left, and check it again after another look."""
    ids = [each["id"] for each in reversed(messages)]

    async def is_so() -> bool:
        return await box.anonymous.message_ids(limit=1000) == ids

    await until(is_so)
    for _ in range(20):
        await asyncio.sleep(0)
    assert await is_so()


async def test_the_newest_messages_are_kept_of_all_accounts() -> None:
    async with keeping(keep_messages=3) as (box, _):
        other = box.other()
        sent = [await each.accepted(STUCK) for each in (box, other, other, box, other)]
        await settled(box, *sent[2:])
        assert await box.message_ids() == [sent[3]["id"]]
        assert (await box.call("GET", f"/api/v1/messages/{sent[0]['id']}")).status_code == 404
        page = (await other.get("/api/v1/messages"))["pagination"]
        assert page["total"] == 2


async def test_a_message_is_passed_over_while_something_is_to_happen_to_it() -> None:
    async with keeping(keep_messages=2) as (box, _):
        await box.freeze()
        at = await later(box, hours=1)
        await box.developers("POST", "/email", EMAIL | {"scheduledFor": at})
        scheduled = {"id": (await box.message_ids())[0]}
        sent = [await box.accepted(STUCK) for _ in range(4)]
        await settled(box, scheduled, sent[-1])
        await box.advance(hours=2)
        last = await box.accepted(STUCK)
        await settled(box, sent[-1], last)


async def test_a_message_is_passed_over_while_a_webhook_is_to_be_sent(receiver: Receiver) -> None:
    receiver.answers = [503]
    async with keeping(keep_messages=1) as (box, _):
        await box.freeze()
        first = await box.accepted("+256700000002", callbackUrl=receiver.url)
        await box.advance(seconds=1)  # failed, and its webhook is to be tried again
        second = await box.accepted(STUCK)
        await settled(box, first)
        third = await box.accepted(STUCK)
        await box.advance(hours=1)
        assert receiver.events == ["message.failed"] * 2
        fourth = await box.accepted(STUCK)
        await settled(box, fourth)
        assert await box.attempts() == []
        assert len({each["id"] for each in (second, third, fourth)}) == 3


async def test_more_messages_with_steps_than_are_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.retention.MESSAGES", 3)
    async with keeping(keep_messages=1) as (box, _):
        await box.freeze()
        planned = [await box.accepted() for _ in range(10)]
        await box.accepted(STUCK)
        await settled(box, *planned)
        await box.advance(hours=1)
        await until(lambda: _has(box, 1))


async def test_messages_are_kept_by_their_bytes() -> None:
    async with keeping(keep_megabytes=1) as (box, _):
        body = EMAIL | {"text": "é" * 100_000}  # of 200,000 bytes
        for _ in range(7):
            await box.developers("POST", "/email", body)
            await box.advance(seconds=10)
        ids = await box.message_ids()
        await until(lambda: _has(box, 4))
        assert await box.message_ids() == ids[:4]


async def _has(box: Box, count: int) -> bool:
    return await box.message_count() == count


async def test_messages_are_kept_by_their_age_in_real_time() -> None:
    async with keeping(keep_for=0.05) as (box, _):
        await box.freeze()
        await box.accepted(STUCK)
        await until(lambda: _has(box, 0))
    async with keeping(keep_for=3600) as (box, _):
        message = await box.accepted(STUCK)
        await box.advance(days=365)
        await settled(box, message)


async def test_a_file_keeps_all_unless_a_bound_is_set(tmp_path: Path) -> None:
    file = str(tmp_path / "sandbox.db")
    default = Sandbox(Settings(database=file))
    assert default._keep().has_bound is False
    async with boxed(default) as box:
        sent = [await box.accepted(STUCK) for _ in range(3)]
    async with keeping(database=file, keep_messages=1) as (fresh, _):
        await settled(fresh, sent[-1])


@pytest.mark.parametrize(
    ("settings", "messages", "megabytes"),
    [
        ({}, 100_000, 256),
        ({"keep_messages": 0}, 0, 256),
        ({"keep_megabytes": 0}, 100_000, 0),
        ({"keep_messages": 5, "keep_megabytes": 7}, 5, 7),
    ],
    ids=str,
)
async def test_in_memory_there_are_bounds_by_default(
    settings: dict[str, int], messages: int, megabytes: int
) -> None:
    built = Sandbox(Settings(**settings))
    keep = built._keep()
    assert (keep.messages, keep.bytes) == (messages, megabytes * 1_000_000)


async def test_deleted_messages_stay_in_analytics() -> None:
    async with keeping(keep_messages=1) as (box, _):
        for path, body in (("/email", EMAIL), ("/push", PUSH), ("/push", PUSH)):
            await box.developers("POST", path, body)
        await box.advance(hours=1)
        before = await box.developers("GET", "/analytics/overview")
        await until(lambda: _has(box, 1))
        assert await box.developers("GET", "/analytics/overview") == before
        assert before["totals"]["sent"] == 3


async def test_a_key_replays_after_its_message_was_deleted() -> None:
    async with keeping(keep_messages=1) as (box, _):
        first = await box.send(STUCK, key="k")
        last = await box.accepted(STUCK)
        await settled(box, last)
        assert (await box.send(STUCK, key="k")).content == first.content


async def test_expired_keys_are_deleted_by_the_clock_of_their_account() -> None:
    async with keeping() as (box, built):
        other = box.other()
        for each in (box, other):
            await each.freeze()
            await each.accepted(STUCK, key="k")
        await box.advance(hours=24)

        async def keys() -> list[tuple[int, ...]]:
            found = built.store.database.execute("SELECT account FROM idempotency")
            return found.fetchall()

        async def one_is_left() -> bool:
            return len(await keys()) == 1

        await until(one_is_left)
        mine, theirs = await box.accepted(STUCK, key="k"), await other.accepted(STUCK, key="k")
        assert await box.message_count() == 2
        assert await other.message_ids() == [theirs["id"]]
        assert mine["id"] != theirs["id"]


@pytest.mark.parametrize("client", [TestClient, LoopClient])
def test_without_a_lasting_event_loop_it_happens_at_the_next_request(client: Any) -> None:
    account = Account(client(create_app(Settings(keep_messages=2))))
    for _ in range(5):
        account.accepted(STUCK)
    assert account.message_count() == 2


async def test_after_a_failure_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.retention._RETRY_AFTER_FAILURE", 0)
    async with keeping(keep_messages=1) as (box, built):
        await box.accepted(STUCK)  # the first request of an event loop looks for itself
        rows = built.store.removal
        totals = rows.totals

        async def fail_once() -> Any:
            monkeypatch.setattr(rows, "totals", totals)
            raise sqlite3.IntegrityError("a defect")

        monkeypatch.setattr(rows, "totals", fail_once)
        last = [await box.accepted(STUCK) for _ in range(3)][-1]
        await settled(box, last)
        assert "it will be tried again" in caplog.text
