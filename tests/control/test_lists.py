"""Lists of messages, requests and attempts: summaries, reading on, and the size of an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from matching import assert_refused
from receiver import Receiver

from msgine_sandbox.model import slices

MOST = 8 * 1024 * 1024
LISTS = {
    "messages": "/_sandbox/messages",
    "requests": "/_sandbox/requests",
    "attempts": "/_sandbox/webhooks/attempts",
}


@pytest.fixture(params=LISTS)
def path(request: pytest.FixtureRequest) -> str:
    return LISTS[request.param]


async def some_of_each(box: Box, receiver: Receiver) -> None:
    """Send messages, so that each list has six entries."""
    await box.freeze()
    for number in range(3):
        await box.accepted(message=f"{number}", callbackUrl=receiver.url)
        await box.accepted("+256700000003", message=f"{number}")
    await box.advance(seconds=10)


async def send_email(box: Box, size: int, to: str = "jane@example.com") -> None:
    body = {"from": "a@b.example", "to": to, "subject": "S", "text": "x" * size}
    await box.developers("POST", "/email", body)


# Summaries


async def test_a_summary_of_a_message_has_what_a_list_shows(box: Box) -> None:
    await box.freeze()
    sent = await box.accepted([NUMBER, "+256700000001"], "Your code is 493817")
    await box.advance(seconds=10)
    [summary] = (await box.get("/_sandbox/messages", view="summary"))["data"]
    [whole] = (await box.get("/_sandbox/messages"))["data"]
    assert {name: whole[name] for name in summary.keys() - {"recipients"}} | {
        "recipients": [
            {"to": NUMBER, "status": "delivered", "reason": None},
            {"to": "+256700000001", "status": "failed", "reason": "The handset is unreachable"},
        ]
    } == summary
    assert summary["id"] == sent["id"]
    left_out = {"sid", "content", "developerCost", "developerCurrency", "updatedAt", "sentAt"}
    left_out |= {"callbackUrl", "encoding", "unicodeBecauseOf", "timeline"}
    assert whole.keys() - summary.keys() == left_out


async def test_a_summary_counts_the_warnings_while_the_journal_has_the_request(box: Box) -> None:
    await box.accepted(priority=1)
    [summary] = (await box.get("/_sandbox/messages", view="summary"))["data"]
    assert summary["warnings"] == 1
    await box.control("DELETE", "/requests")
    [summary] = (await box.get("/_sandbox/messages", view="summary"))["data"]
    assert "warnings" not in summary


async def test_a_summary_has_the_subject_of_an_email_and_the_title_of_a_push(box: Box) -> None:
    await send_email(box, 10)
    await box.developers("POST", "/push", {"tokens": ["a"], "title": "T", "body": "B"})
    push, email = (await box.get("/_sandbox/messages", view="summary"))["data"]
    assert (push["title"], push["message"], email["subject"]) == ("T", "B", "S")
    assert not {"html", "links", "data", "cc"} & (push.keys() | email.keys())


@pytest.mark.parametrize(("length", "is_cut"), [(2000, False), (2001, True)])
async def test_of_a_long_text_a_summary_has_the_beginning(
    box: Box, length: int, *, is_cut: bool
) -> None:
    await send_email(box, length)
    [summary] = (await box.get("/_sandbox/messages", view="summary"))["data"]
    assert (summary["message"], summary.get("truncated", False)) == ("x" * 2000, is_cut)


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("requests", {"request", "response", "decisions"}),
        ("attempts", {"request", "response", "signedBy"}),
    ],
)
async def test_a_summary_has_no_headers_and_bodies(
    box: Box, receiver: Receiver, name: str, left_out: set[str]
) -> None:
    await some_of_each(box, receiver)
    whole = await box.get(LISTS[name])
    summaries = await box.get(LISTS[name], view="summary")
    assert summaries["total"] == whole["total"] == 6
    for summary, entry in zip(summaries["data"], whole["data"], strict=True):
        assert summary == {each: entry[each] for each in entry.keys() - left_out}


async def test_an_unknown_view_is_refused(box: Box, path: str) -> None:
    answer = await box.call("GET", f"{path}?view=full")
    details = assert_refused(answer, 400, "invalid_request")["details"]
    assert (details["field"], details["expected"]) == ("view", "one of summary")


async def test_one_attempt_can_be_read(box: Box, receiver: Receiver) -> None:
    await some_of_each(box, receiver)
    for attempt in await box.attempts():
        path = f"{LISTS['attempts']}/{attempt['id']}"
        assert await box.get(path) == attempt
        assert_refused(await box.other().call("GET", path), 404, "not_found")


# Reading on


async def test_each_list_can_be_read_page_by_page(box: Box, receiver: Receiver, path: str) -> None:
    await some_of_each(box, receiver)
    whole = (await box.get(path))["data"]
    assert len(whole) == 6
    for size in (1, 2, 4):
        read: list[Any] = []
        while len(read) < 6:
            before = {"before": read[-1]["id"]} if read else {}
            page = await box.get(path, limit=size, **before)
            assert page["total"] == 6 - len(read)
            read += page["data"]
        assert read == whole
    assert (await box.get(path, before=whole[-1]["id"]))["data"] == []


async def test_before_must_be_an_id_of_the_list(box: Box, path: str) -> None:
    for before in ("yesterday", "flt_0000000000000001", ""):
        answer = await box.call("GET", path, params={"before": before})
        details = assert_refused(answer, 400, "invalid_request")["details"]
        assert details["field"] == "before"


async def test_requests_are_read_on_after_one_that_is_gone_and_with_a_filter(box: Box) -> None:
    for number in range(4):
        await box.send("12345" if number % 2 else NUMBER)
    whole = (await box.get("/_sandbox/requests", status="201"))["data"]
    older = await box.get("/_sandbox/requests", status="201", before=whole[0]["id"])
    assert (older["data"], older["total"]) == (whole[1:], 1)
    await box.control("DELETE", "/requests")
    newest = await box.send()
    again = await box.get("/_sandbox/requests", before="req_7fffffffffffffff")
    assert [each["id"] for each in again["data"]] == [newest.headers["x-request-id"]]
    assert (await box.get("/_sandbox/requests", before=whole[0]["id"]))["data"] == []


async def test_a_request_that_took_long_is_listed_where_it_began(box: Box) -> None:
    await box.add_fault({"delay": 0.2}, times=1, match={"path": "/messages/sms"})
    slow, fast = await asyncio.gather(box.send(message="slow"), box.send(message="fast"))
    ids = [fast.headers["x-request-id"], slow.headers["x-request-id"]]
    page = await box.get("/_sandbox/requests", limit=1)
    older = await box.get("/_sandbox/requests", before=page["data"][0]["id"])
    assert [each["id"] for each in page["data"] + older["data"]] == ids


# The size of an answer


async def large_messages(box: Box, receiver: Receiver) -> int:
    for _ in range(12):
        await send_email(box, 512 * 1024)
    return 12


async def large_requests(box: Box, receiver: Receiver) -> int:
    for _ in range(100):
        await box.call("GET", f"{BASE_PATH}/messages", headers={"X-Trace": "x" * 100_000})
    return 100


async def large_attempts(box: Box, receiver: Receiver) -> int:
    await box.freeze()
    receiver.answers = [(200, {"X-Trace": "x" * 60_000})] * 160
    to = [f"+2567012345{number:02}" for number in range(80)]
    await box.accepted(to, callbackUrl=receiver.url)
    await box.advance(seconds=10)
    return 160


@pytest.mark.parametrize(
    ("name", "fill", "limit"),
    [
        ("messages", large_messages, 1000),
        ("requests", large_requests, 10_000),
        ("attempts", large_attempts, 1000),
    ],
)
async def test_an_answer_that_would_be_too_large_ends_early_and_can_be_read_on(
    receiver: Receiver, name: str, fill: Callable[[Box, Receiver], Awaitable[int]], limit: int
) -> None:
    async with sandbox(tier="unlimited") as box:
        entries = await fill(box, receiver)
        ids: list[str] = []
        while True:
            before = {"before": ids[-1]} if ids else {}
            answer = await box.call("GET", LISTS[name], params={"limit": limit, **before})
            assert len(answer.content) <= MOST
            page = answer.json()
            assert page["total"] == entries - len(ids)
            ids += [each["id"] for each in page["data"]]
            if "truncated" not in page:
                break
            assert page["truncated"] is True
            assert len(answer.content) > MOST / 2
        assert len(ids) == len(set(ids)) == entries
        assert ids == sorted(ids, reverse=True)
        summaries = await box.get(LISTS[name], view="summary", limit=limit)
        assert (len(summaries["data"]), "truncated" in summaries) == (entries, False)


async def test_a_list_that_ends_at_its_limit_is_not_truncated(box: Box) -> None:
    await box.freeze()
    for _ in range(8):
        await send_email(box, 512 * 1024)
    # Seven emails, each with its text twice, are 7 MB.
    page = await box.get("/_sandbox/messages", limit=7)
    assert (len(page["data"]), page["total"], "truncated" in page) == (7, 8, False)
    for query in ({}, {"matches": "x"}, {"status": "pending"}, {"contains": "x"}):
        page = await box.get("/_sandbox/messages", **query)
        assert page["total"] == 8
        assert (len(page["data"]), page.get("truncated")) == (7, True)


async def test_what_did_arrive_before_a_wait_timed_out_is_bounded_as_well(box: Box) -> None:
    await large_messages(box, Receiver())
    answer = await box.call("GET", "/_sandbox/messages/wait?contains=nothing&timeout=0")
    assert answer.status_code == 408
    assert len(answer.content) <= MOST
    assert 0 < len(answer.json()["error"]["details"]["arrived"]) < 12


async def test_others_have_their_turn_while_a_list_is_made(
    box: Box, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_of_each(box, receiver)
    # Every slice is over as soon as it begins.
    monkeypatch.setattr(slices, "perf_counter", count().__next__)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    running = asyncio.create_task(others())
    await box.get(path, limit=1)
    with_one, turns = turns, 0
    await box.get(path)
    running.cancel()
    assert turns >= with_one + 4
