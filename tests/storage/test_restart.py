"""What a restart on the same database file keeps."""

import asyncio
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from box import NUMBER, Box, sandbox
from receiver import Hanging, Receiver

from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.ids import Ids, id_at
from msgine_sandbox.settings import BASE_PATH

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


async def everything(box: Box) -> list[Any]:
    """Return everything that an account's owner can see except the time."""
    found = [await box.details(each) for each in (await box.get("/_sandbox/messages"))["data"]]
    for details in found:  # what the journal adds ends with the process
        [asked] = [each for each in details["timeline"] if each["type"] == "request"]
        asked.pop("decisions", None), asked.pop("warnings", None)
    return [
        await box.get("/_sandbox/account"),
        await box.get("/_sandbox/webhooks"),
        found,
        await box.attempts(),
        (await box.get(f"{BASE_PATH}/messages", limit=2, page=2)),
    ]


async def test_messages_settings_and_endpoints_survive(file: str, receiver: Receiver) -> None:
    changes = {
        "name": "Shop",
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
        await other.freeze()
        await other.accepted()
        await other.control("PATCH", "/account", {"tier": "unlimited"})
        expected = [await everything(before), await everything(other)]
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        assert [await everything(box), await everything(box.other(other.token))] == expected
        assert expected[0][0] == (await box.get("/_sandbox/account")) | changes | {
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


async def test_ids_and_time_go_on_though_the_machines_clock_was_set_back(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sandbox(database=file) as before:
        first = await before.accepted()
    set_back = RealTime(wall=lambda: time.time_ns() - 86_400 * 10**9)
    monkeypatch.setattr("msgine_sandbox.sandbox.RealTime", lambda: set_back)
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        second = await box.accepted()
        assert second["id"] > first["id"]
        assert second["createdAt"] >= first["createdAt"]
        assert (await box.get("/_sandbox/clock"))["now"] > (await box.details(first))["timeline"][
            0
        ]["at"]


def test_ids_go_on_after_the_last_one_of_the_same_millisecond() -> None:
    standing = RealTime(wall=lambda: 10**18, monotonic=lambda: 0)
    last = id_at(standing.now() + 1000) - 1
    ids = Ids(standing)
    ids.continue_after(last)
    assert ids.next(3) == last + 1
    assert ids.next() == last + 4


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
async def test_the_clock_of_new_accounts_survives(file: str, frozen: bool) -> None:
    async with sandbox(database=file) as before:
        left = await before.anonymous.advance(hours=1)
        if frozen:
            left = await before.anonymous.freeze()
    async with sandbox(database=file) as fresh:
        clock = await fresh.get("/_sandbox/clock")
        assert clock["frozen"] is frozen
        name = "now" if frozen else "aheadSeconds"
        assert clock[name] == left[name]


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


async def test_a_webhook_that_failed_is_tried_again_after_a_restart(
    file: str, receiver: Receiver
) -> None:
    receiver.answers = [500, 503]
    async with sandbox(database=file) as before:
        await before.freeze()
        await before.listen(receiver.url, SECRET, events=["message.sent"])
        await before.accepted("+256700000004")
        await before.advance(seconds=10)
        assert len(receiver.received) == 2
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        await box.advance(hours=1)
        assert [each["status"] for each in await box.attempts()] == [500, 503, 200]
        assert [each["attempt"] for each in await box.attempts()] == [1, 2, 3]
    assert receiver.events == ["message.sent"] * 3
    assert len({webhook.headers["webhook-id"] for webhook in receiver.received}) == 1
    assert len({webhook.body for webhook in receiver.received}) == 1


async def test_a_webhook_in_flight_at_the_stop_is_sent_again_after_the_restart(
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
    assert len({webhook.headers["webhook-id"] for webhook in receiver.received}) == 1


async def test_a_sandbox_that_is_closed_with_a_webhook_in_flight_leaves_no_task(
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


async def test_steps_that_were_due_during_a_stop_keep_their_own_times(
    file: str, receiver: Receiver
) -> None:
    async with sandbox(database=file, sent_after=600, delivered_after=1800) as before:
        message = await before.accepted(callbackUrl=receiver.url)
    async with sandbox(database=file) as fresh:
        box = fresh.other(before.token)
        await box.advance(hours=1)
        timeline = (await box.details(message))["timeline"]
    start = datetime.fromisoformat(timeline[0]["at"])
    times = [(datetime.fromisoformat(each["at"]) - start).total_seconds() for each in timeline]
    assert [*dict.fromkeys(times)] == [0, 600, 1800]
