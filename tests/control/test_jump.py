"""A wait with `jump` moves the clock of a message that is there until it has the status."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from box import NUMBER, Box, sandbox
from history import history, start
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import Account, LoopClient
from matching import assert_refused
from receiver import Receiver, receiving

from msgine_sandbox.app import create_app

OTHER, UNREACHABLE = "+256752345678", "+256700000001"
DAY = 24 * 3600  # in seconds
STAYS_PENDING, STAYS_SENT, AN_HOUR_LATER = "+256700000003", "+256700000004", "+256700000005"


async def jumped(box: Box, **params: Any) -> dict[str, Any]:
    return await box.get("/_sandbox/messages/wait", jump="true", **params)


async def refused(box: Box, **params: Any) -> dict[str, Any]:
    """Return the error of a wait that ends without a message."""
    params = {"jump": "true"} | params
    answer = await box.call("GET", "/_sandbox/messages/wait", params=params)
    return assert_refused(answer, 408, "wait_timed_out")


@pytest.mark.parametrize(
    ("to", "status", "seconds"),
    [
        (NUMBER, "pending", 0),
        (NUMBER, "sent", 0.5),
        (NUMBER, "delivered", 2),
        (UNREACHABLE, "failed", 2),
        (AN_HOUR_LATER, "delivered", 3600),
    ],
)
async def test_the_clock_moves_to_the_status_and_no_farther(
    box: Box, to: str, status: str, seconds: float
) -> None:
    before = await box.freeze()
    message = await box.accepted(to)
    found = await jumped(box, status=status, timeout=0)
    assert (found["id"], found["status"]) == (message["id"], status)
    now = (await box.get("/_sandbox/clock"))["now"]
    moved = datetime.fromisoformat(now) - datetime.fromisoformat(before["now"])
    assert moved.total_seconds() == seconds


async def test_a_running_clock_moves_as_well(box: Box) -> None:
    await box.accepted(AN_HOUR_LATER)
    assert (await jumped(box, status="delivered", timeout=0))["status"] == "delivered"
    assert (await box.get("/_sandbox/clock"))["aheadSeconds"] > 3000


async def test_a_status_that_no_step_leads_to_is_told_at_once(box: Box) -> None:
    before = await box.freeze()
    await box.accepted(STAYS_PENDING)
    sent = await box.accepted(STAYS_SENT)
    for status in ("delivered", "failed", "queued"):
        error = await refused(box, status=status, timeout=60)
        reason = f"none that fits otherwise reaches the status {status} within ten years"
        assert error["details"]["reason"] == reason
        assert error["message"] == f"No such message, among 2 in the inbox: {reason}"
        assert error["details"]["nearest"][0]["differs"] == [
            {"field": "status", "expected": status, "actual": "pending"}
        ]
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]
    assert (await jumped(box, status="sent"))["id"] == sent["id"]


async def test_where_no_such_message_is_there_it_waits_for_one_and_then_jumps(box: Box) -> None:
    before = await box.freeze()
    await box.accepted(OTHER)
    error = await refused(box, to=NUMBER, status="delivered", timeout=0)
    assert "reason" not in error["details"]
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]
    waiting = asyncio.create_task(jumped(box, to=NUMBER, status="delivered", timeout=60))
    await box.accepted(OTHER)
    message = await box.accepted(NUMBER)
    found = await waiting
    assert (found["id"], found["status"]) == (message["id"], "delivered")


async def test_an_older_message_counts_where_the_newest_never_comes_to_the_status(
    box: Box,
) -> None:
    await box.freeze()
    fails = await box.accepted(UNREACHABLE)
    await box.accepted()
    assert (await jumped(box, status="failed", timeout=0))["id"] == fails["id"]
    assert (await jumped(box, status="failed", timeout=0))["id"] == fails["id"]


async def test_the_status_is_that_of_the_recipient(box: Box) -> None:
    await box.freeze()
    await box.accepted([NUMBER, UNREACHABLE])
    await refused(box, status="failed", timeout=0)
    await refused(box, status="failed", to=NUMBER, timeout=0)
    found = await jumped(box, status="failed", to=UNREACHABLE, timeout=0)
    assert [each["status"] for each in found["recipients"]] == ["delivered", "failed"]


@pytest.mark.parametrize("status", ["pending", "sent", "delivered"])
async def test_a_scheduled_message_is_brought_past_its_time(box: Box, status: str) -> None:
    await start(box)
    await schedule(box, 9 * 365 * DAY)
    assert (await jumped(box, status=status, timeout=0))["status"] == status


async def schedule(box: Box, seconds: float) -> None:
    """Schedule a message for so many seconds after the time of the account's frozen clock."""
    now = datetime.fromisoformat((await box.get("/_sandbox/clock"))["now"])
    at = (now + timedelta(seconds=seconds)).isoformat()
    await box.developers("POST", "/sms", {"to": NUMBER, "message": "x", "scheduledFor": at})


async def assert_stays(box: Box, status: str) -> None:
    """Assert that a jump to a status is refused, and moves no clock."""
    before = await box.get("/_sandbox/clock")
    error = await refused(box, status=status, timeout=60)
    assert "within ten years" in error["details"]["reason"]
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


@pytest.mark.parametrize("late", [0, 0.5])
async def test_a_jump_goes_as_far_as_an_advance(box: Box, late: float) -> None:
    await start(box)
    await schedule(box, 3653 * DAY - 0.5 + late)
    await assert_stays(box, "delivered")
    if late:
        await assert_stays(box, "sent")
    else:
        assert (await jumped(box, status="sent", timeout=0))["status"] == "sent"


async def test_where_an_advance_to_what_is_next_is_refused_a_jump_is_as_well(box: Box) -> None:
    await start(box)
    await schedule(box, 18 * 365 * DAY)
    await box.control_error("POST", "/clock/advance", {"until": "next"})
    for status in ("pending", "sent", "delivered"):
        await assert_stays(box, status)
    push = {"title": "x", "body": "x", "tokens": ["t"], "scheduledFor": "2108-01-01T00:00:00Z"}
    await box.developers("POST", "/push", push)
    await assert_stays(box, "delivered")


async def test_a_scheduled_message_that_is_due_long_after_its_time_moves_no_clock(
    box: Box,
) -> None:
    await start(box)
    await box.add_fault({"delivery": "delivered", "after": 3653 * DAY})
    await schedule(box, DAY)
    await assert_stays(box, "delivered")
    assert (await jumped(box, status="sent", timeout=0))["status"] == "sent"


async def test_no_clock_moves_towards_a_status_beyond_the_year_9999(box: Box) -> None:
    await box.freeze()
    for year in [*range(2035, 9999, 9), 9999]:  # ten years at once are too many
        await box.control("POST", "/clock/advance", {"to": f"{year}-01-01T00:00:00Z"})
    body = {"to": NUMBER, "message": "x", "scheduledFor": "9999-12-31T23:59:58Z"}
    await box.developers("POST", "/sms", body)
    await assert_stays(box, "delivered")
    assert (await jumped(box, status="sent", timeout=0))["status"] == "sent"


async def test_a_scheduled_push_fails_where_its_device_refuses(box: Box) -> None:
    await start(box)
    body = {"title": "x", "body": "x", "tokens": ["sandbox-bounce"]}
    await box.developers("POST", "/push", body | {"scheduledFor": "2090-06-01T00:00:00Z"})
    assert (await jumped(box, status="failed", timeout=0))["status"] == "failed"
    assert (await refused(box, status="delivered", timeout=0))["details"]["reason"]


async def test_without_a_credential_the_messages_own_account_moves(box: Box) -> None:
    other = box.other()
    await other.freeze()
    before = await box.freeze()
    await other.accepted(AN_HOUR_LATER, "theirs")
    found = await jumped(box.anonymous, contains="theirs", status="delivered", timeout=0)
    assert found["status"] == "delivered"
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


async def test_webhooks_on_the_way_are_sent_before_the_answer(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    await box.accepted()
    await jumped(box, status="delivered", timeout=0)
    assert receiver.events == ["message.sent", "message.delivered"]


async def test_jump_without_a_status_changes_nothing_about_a_wait(box: Box) -> None:
    before = await box.freeze()
    await box.accepted(message="Your code is 493817")
    assert (await jumped(box, timeout=0))["code"] == "493817"
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


async def test_a_jump_can_answer_the_code_alone(box: Box) -> None:
    await box.freeze()
    await box.accepted(message="Your code is 493817")
    await box.accepted(message="Welcome")
    query = "status=delivered&jump=true&field=code&timeout=0"
    answer = await box.call("GET", f"/_sandbox/messages/wait?{query}")
    assert answer.text == "493817"


@pytest.mark.parametrize("is_frozen", [True, False])
def test_an_application_that_is_called_in_this_process_jumps(is_frozen: bool) -> None:
    account = Account(LoopClient(create_app()))
    if is_frozen:
        account.control("POST", "/clock/freeze")
    message = account.accepted(AN_HOUR_LATER)
    assert account.get("/_sandbox/clock")["next"]["messageId"] == message
    found = account.get("/_sandbox/messages/wait?status=delivered&jump=true&timeout=0")
    assert (found["id"], found["status"]) == (message, "delivered")
    account.control("POST", "/clock/freeze")
    account.accepted()
    assert account.control("POST", "/clock/advance", {"until": "idle"})["performed"] == 2
    assert account.get("/_sandbox/clock")["next"] is None


TO = st.sampled_from([NUMBER, UNREACHABLE, STAYS_PENDING, STAYS_SENT, AN_HOUR_LATER])


@settings(max_examples=20)
@given(
    sends=st.lists(st.tuples(TO, st.sampled_from([0, 0.5, 1.7])), min_size=1, max_size=4),
    status=st.sampled_from(["sent", "delivered", "failed"]),
    answers=st.lists(st.sampled_from([200, 503]), max_size=6),
)
async def test_a_jump_leads_to_what_an_advance_leads_to(
    sends: list[tuple[str, float]], status: str, answers: list[Any]
) -> None:
    histories: list[dict[str, Any]] = []
    for _ in ("jump", "advance"):
        with receiving() as receiver:
            receiver.answers = list(answers)
            async with sandbox() as box:
                await start(box)
                await box.listen(receiver.url)
                for number, (to, seconds) in enumerate(sends):
                    await box.accepted(to, f"message {number}")
                    await box.advance(seconds=seconds)
                if not histories:
                    query = f"/_sandbox/messages/wait?jump=true&timeout=0&status={status}"
                    found = await box.call("GET", query)
                    assert found.status_code in {200, 408}
                    assert found.is_error or found.json()["status"] == status
                else:
                    to = {"to": histories[0]["now"]}
                    await box.control("POST", "/clock/advance", to)
                histories.append(await history(box))
    assert histories[0] == histories[1]
