"""Advancing a clock to what is due next, or until nothing is; and what a clock says is due."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from box import NUMBER, Box, boxed, sandbox
from history import history, start
from hypothesis import given, settings
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Hanging, Receiver, receiving

from msgine_sandbox.model.clock import SECOND, RealTime
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

LATER = "2090-01-03T00:00:00Z"
UNREACHABLE, STAYS_SENT, AN_HOUR_LATER = "+256700000001", "+256700000004", "+256700000005"


async def until(box: Box, what: str) -> dict[str, Any]:
    return await box.control("POST", "/clock/advance", {"until": what})


def shown(clock: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a clock says is due next, without ids and the date."""
    due = clock["next"]
    return due and {name: due[name] for name in due if not name.endswith("Id") and name != "at"}


async def test_a_clock_says_what_is_due_next(box: Box, receiver: Receiver) -> None:
    receiver.answers = [503]
    await box.freeze()
    assert (await box.get("/_sandbox/clock"))["next"] is None
    message = await box.accepted([NUMBER, STAYS_SENT])
    clock = await box.get("/_sandbox/clock")
    assert clock["next"]["messageId"] == message["id"]
    assert clock["next"]["accountId"] == (await box.details(message))["accountId"]
    in_half_a_second = datetime.fromisoformat(clock["now"]) + timedelta(seconds=0.5)
    assert datetime.fromisoformat(clock["next"]["at"]) == in_half_a_second
    assert shown(clock) == {"inSeconds": 0.5, "what": "status", "status": "sent"}
    delivered = {"inSeconds": 1.5, "what": "status", "status": "delivered"}
    assert shown(await until(box, "next")) == delivered
    assert shown(await until(box, "next")) is None
    await box.accepted(STAYS_SENT, callbackUrl=receiver.url)
    again = {"inSeconds": 5.0, "what": "webhook", "event": "message.sent", "attempt": 2}
    assert shown(await until(box, "next")) == again
    assert shown(await until(box, "next")) is None
    assert len(receiver.received) == 2


@pytest.mark.parametrize("path", ["sms", "push"])
async def test_what_is_later_than_a_day_stays_and_is_named(box: Box, path: str) -> None:
    await start(box)
    body = {
        "sms": {"to": NUMBER, "message": "x"},
        "push": {"title": "x", "body": "x", "tokens": ["a"]},
    }
    await box.developers("POST", f"/{path}", body[path] | {"scheduledFor": LATER})
    await box.accepted(message="now")
    idle = await until(box, "idle")
    assert (idle["performed"], idle["now"]) == (2, "2090-01-01T00:00:02.000000Z")
    scheduled = {"inSeconds": 2 * 86_400 - 2, "what": "scheduled", "status": "pending"}
    assert shown(idle) == scheduled
    assert (await until(box, "next"))["now"] == "2090-01-03T00:00:00.000000Z"
    assert shown(await until(box, "idle")) is None
    [_, first] = (await box.get("/_sandbox/messages"))["data"]
    assert first["status"] in {"sent", "delivered"}


@pytest.mark.parametrize(("moment", "falls_due"), [("00", True), ("00.000001", False)])
async def test_a_day_is_exactly_24_hours(box: Box, moment: str, falls_due: bool) -> None:
    await start(box)
    body = {"to": "+256700000003", "message": "x", "scheduledFor": f"2090-01-02T00:00:{moment}Z"}
    await box.developers("POST", "/sms", body)
    assert ((await until(box, "idle"))["performed"] == 1) is falls_due


async def test_where_nothing_is_due_no_clock_moves(box: Box) -> None:
    await start(box)
    await box.accepted("+256700000003")
    for what in ("next", "idle"):
        answer = await until(box, what)
        assert (answer["performed"], answer["now"]) == (0, "2090-01-01T00:00:00.000000Z")


async def test_what_was_changed_or_deleted_is_not_due(box: Box) -> None:
    await box.freeze()
    kept, deleted, by_hand = [await box.accepted() for _ in range(3)]
    await box.listen("http://127.0.0.1:1/")  # from here on, what is under way has steps
    assert (await box.get("/_sandbox/clock"))["next"]["messageId"] == kept["id"]
    for status in ("sent", "delivered"):
        for each in (kept, by_hand):
            await box.control("POST", f"/messages/{each['id']}/status", {"status": status})
    assert (await box.get("/_sandbox/clock"))["next"]["what"] == "webhook"
    await box.control("PUT", "/webhooks", {"endpoints": []})
    await box.control("DELETE", f"/messages/{kept['id']}")
    await box.control("DELETE", f"/messages/{by_hand['id']}")
    assert (await box.get("/_sandbox/clock"))["next"]["messageId"] == deleted["id"]
    await box.control("DELETE", f"/messages/{deleted['id']}")
    assert (await box.get("/_sandbox/clock"))["next"] is None


async def test_a_scheduled_push_that_was_taken_out_of_its_queue_is_due_all_the_same(
    box: Box,
) -> None:
    await start(box)
    body = {"title": "x", "body": "x", "tokens": ["a"], "scheduledFor": "2090-01-01T01:00:00Z"}
    push = await box.developers("POST", "/push", body)
    path = f"/_sandbox/messages/{push['id']}"
    await box.control("POST", f"/messages/{push['id']}/status", {"status": "pending"})
    assert shown(await box.get("/_sandbox/clock")) == {"inSeconds": 3600.0, "what": "scheduled"}
    await until(box, "idle")
    assert (await box.get(path))["status"] in {"sent", "delivered"}


async def test_a_running_clock_is_moved_as_well(box: Box) -> None:
    message = await box.accepted(AN_HOUR_LATER)
    answer = await until(box, "idle")
    assert (await box.read(message))["status"] == "delivered"
    assert 3000 < answer["aheadSeconds"] <= 3600  # without the real time since


@pytest.mark.parametrize("what", ["next", "idle"])
@pytest.mark.parametrize("of_all", [False, True])
async def test_what_has_fallen_due_while_the_process_paused_is_performed_before_the_answer(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, what: str, of_all: bool
) -> None:
    real = RealTime()
    monkeypatch.setattr("msgine_sandbox.sandbox.RealTime", lambda: real)
    async with sandbox() as box:
        await box.accepted(callbackUrl=receiver.url)
        real.not_before(real.now() + 10 * SECOND)
        answer = await until(box.anonymous if of_all else box, what)
        assert (answer["performed"], answer["next"]) == (2, None)  # the webhooks
        assert receiver.events == ["message.sent", "message.delivered"]


async def test_all_accounts_move_by_what_one_of_them_needs() -> None:
    async with sandbox(tier="unlimited") as box:
        other = box.other()
        await box.anonymous.freeze()
        mine, theirs = await box.accepted(), await other.accepted(AN_HOUR_LATER)
        await other.advance(seconds=0.4)
        clock = await box.anonymous.get("/_sandbox/clock")
        assert clock["next"]["messageId"] == theirs["id"]
        assert clock["next"]["inSeconds"] == 0.1
        assert (await until(box.anonymous, "next"))["performed"] == 1
        assert (await until(box.anonymous, "next"))["next"]["messageId"] == mine["id"]
        assert (await until(box.anonymous, "idle"))["next"] is None
        assert (await box.read(mine))["status"] == (await other.read(theirs))["status"]
        ahead = [await each.get("/_sandbox/clock") for each in (box, other, box.other())]
        # Without the real time since they were frozen, which is the same for all.
        assert all(3000 < each["aheadSeconds"] <= 3600 for each in ahead)


async def test_what_is_beyond_ten_years_is_not_moved_to(box: Box) -> None:
    await box.freeze()
    body = {"to": NUMBER, "message": "x", "scheduledFor": "9999-12-31T23:59:59Z"}
    await box.developers("POST", "/sms", body)
    before = await box.get("/_sandbox/clock")
    assert before["next"]["at"] == "9999-12-31T23:59:59.000000Z"
    error = await box.control_error("POST", "/clock/advance", {"until": "next"})
    assert error["details"]["field"] == "until"
    assert (await until(box, "idle"))["now"] == before["now"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"until": "next", "seconds": 1}, "body"),
        ({"until": "idle", "to": LATER}, "body"),
        ({"until": "later"}, "until"),
        ({"until": True}, "until"),
        ({"until": None}, "body"),
    ],
)
async def test_an_invalid_until_is_refused_and_moves_nothing(
    box: Box, body: dict[str, Any], field: str
) -> None:
    before = await box.freeze()
    await box.accepted()
    answer = await box.call("POST", "/_sandbox/clock/advance", json=body)
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


async def test_a_webhook_that_cannot_be_stored_does_not_keep_it_going(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    built = Sandbox(Settings())

    async def fail(*_: Any) -> None:
        raise ValueError("a defect")

    async with boxed(built) as box:
        await box.freeze()
        await box.accepted(STAYS_SENT, callbackUrl=receiver.url)
        monkeypatch.setattr(built.store.webhooks, "record", fail)
        assert (await until(box, "idle"))["next"]["what"] == "webhook"


async def test_a_reset_ends_it(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    hanging = Hanging(asyncio.Event(), asyncio.Event())
    receiver.answers = [hanging]
    await box.accepted(STAYS_SENT, callbackUrl=receiver.url)
    settling = asyncio.create_task(until(box, "idle"))
    await hanging.reached.wait()
    await box.control("POST", "/reset")
    assert (await settling)["next"] is None
    hanging.let_go.set()


# Rules that hold for whatever is sent

ACTIONS = st.one_of(
    st.tuples(
        st.just("send"),
        st.lists(
            st.sampled_from([NUMBER, UNREACHABLE, STAYS_SENT, AN_HOUR_LATER, "+256700000006"]),
            min_size=1,
            max_size=2,
            unique=True,
        ),
    ),
    st.tuples(st.just("schedule"), st.sampled_from([1, 3600, 86_399, 86_400, 86_402, 172_800])),
    st.tuples(st.just("advance"), st.sampled_from([0, 0.25, 0.5, 2, 7])),
)
ANSWERS = st.lists(st.sampled_from([200, 200, 503, 410, (503, {"Retry-After": "60"})]), max_size=12)


async def act(box: Box, actions: list[tuple[str, Any]]) -> None:
    for number, (name, value) in enumerate(actions):
        if name == "send":
            await box.accepted(value, f"message {number}")
        elif name == "advance":
            await box.advance(seconds=value)
        else:
            now = datetime.fromisoformat((await box.get("/_sandbox/clock"))["now"])
            later = (now.replace(microsecond=0) + timedelta(seconds=value)).isoformat()
            body = {"to": NUMBER, "message": f"message {number}", "scheduledFor": later}
            await box.developers("POST", "/sms", body)


@settings(max_examples=30)
@given(st.lists(ACTIONS, min_size=1, max_size=6), ANSWERS, st.sampled_from([1, 2, 1000]))
async def test_what_is_next_comes_in_order_and_leads_to_what_idle_does(
    actions: list[tuple[str, Any]], answers: list[Any], remembered: int
) -> None:
    histories = []
    for what in ("next", "idle"):
        with receiving() as receiver, pytest.MonkeyPatch.context() as patch:
            patch.setattr("msgine_sandbox.services.upcoming.REMEMBERED", remembered)
            patch.setattr("msgine_sandbox.storage.upcoming.READ_TOGETHER", remembered)
            receiver.answers = list(answers)
            async with sandbox(tier="unlimited") as box:
                await start(box)
                await box.listen(receiver.url)
                await act(box, actions)
                if what == "idle":
                    await until(box, "idle")
                else:
                    await one_by_one(box)
                settled = await box.get("/_sandbox/clock")
                again = await until(box, "idle")
                assert (again["now"], again["performed"]) == (settled["now"], 0)
                assert again["next"] is None or again["next"]["inSeconds"] > 86_400
                histories.append(await history(box))
    assert histories[0] == histories[1]


async def one_by_one(box: Box) -> None:
    """Move to what is due next, until nothing is within 24 hours."""
    clock = await box.get("/_sandbox/clock")
    while clock["next"] is not None and clock["next"]["inSeconds"] <= 86_400:
        due = clock["next"]["at"]
        clock = await until(box, "next")
        assert clock["now"] == due
        assert clock["performed"] > 0
        assert clock["next"] is None or clock["next"]["at"] > due
