"""The report on a client: what the journal and the webhook attempts prove about it."""

from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
import pytest
from box import DEVELOPERS, Box, bounded, sandbox
from hypothesis import given
from hypothesis import strategies as st
from iterations import iterations
from matching import assert_refused
from receiver import Receiver
from sync_box import sync_sandbox

from msgine_sandbox.model.report_text import merged
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services import journal
from msgine_sandbox.services import report as report_service
from msgine_sandbox.services.report import LISTED


async def report(box: Box) -> dict[str, Any]:
    return await box.get("/_sandbox/report")


async def lose(box: Box, **fields: Any) -> None:
    """Send an SMS that is accepted, and whose answer does not arrive."""
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990", **fields)


async def test_of_a_client_that_did_nothing_there_is_nothing_to_say(box: Box) -> None:
    assert await report(box) == {
        "account": box.token,
        "accountId": (await box.get("/_sandbox/accounts"))["data"][0]["id"],
        "covers": {"requests": 0, "from": None, "to": None, "dropped": 0, "attempts": 0},
        "retries": {"total": 0, "early": 0, "after": [], "newest": []},
        "keys": {
            "sends": 0,
            "withKey": 0,
            "withoutKey": 0,
            "used": 0,
            "reused": 0,
            "replayed": 0,
            "conflicts": 0,
        },
        "duplicates": {"total": 0, "newest": []},
        "polling": {"messages": 0, "reads": 0},
        "webhooks": {"attempts": 0, "accepted": 0, "failed": 0, "onPurpose": 0, "results": []},
        "warnings": [],
    }


# Retries

WAITS = st.sampled_from([0, 999, 1000, 1001, 5000])
"""Seconds on a frozen clock: so long, or not at all, that the real time of a test does not count.
"""
FAILURES = st.fixed_dictionaries(
    {"status": st.sampled_from([500, 503]), "retryAfter": st.sampled_from([None, 1000, 2000])}
) | st.just({"status": 429, "retryAfter": 1000})


@given(st.lists(st.tuples(FAILURES, WAITS), min_size=1, max_size=6))
def test_each_wait_before_a_retry_is_compared_with_what_was_asked(
    failures: list[tuple[dict[str, Any], int]],
) -> None:
    with sync_sandbox() as sync:
        box = sync.box
        sync.run(box.freeze())
        for failure, wait in failures:
            sync.run(box.add_fault(failure, times=1))
            assert sync.run(box.send()).status_code == failure["status"]
            if wait:
                sync.run(box.advance(seconds=wait))
        sync.run(box.accepted())
        found = sync.run(report(box))["retries"]
    assert [(each["after"], each["asked"]) for each in found["newest"][::-1]] == [
        (failure["status"], failure["retryAfter"]) for failure, _ in failures
    ]
    waited = [each["waited"] for each in found["newest"][::-1]]
    assert [wait for wait in waited if wait >= 999] == [wait for _, wait in failures if wait]
    early = [
        failure["retryAfter"] is not None and wait < failure["retryAfter"]
        for failure, wait in failures
    ]
    assert [each["early"] for each in found["newest"][::-1]] == early
    assert (found["total"], found["early"]) == (len(failures), sum(early))
    assert {each["status"]: each["retries"] for each in found["after"]} == Counter(
        failure["status"] for failure, _ in failures
    )
    for each in found["after"]:
        own = [
            wait
            for wait, (failure, _) in zip(waited, failures, strict=True)
            if failure["status"] == each["status"]
        ]
        assert (each["shortest"], each["longest"]) == (min(own), max(own))


async def test_a_retry_names_the_request_that_it_repeats(box: Box) -> None:
    await box.add_fault({"status": 503}, match={"method": "GET"}, times=1)
    for _ in range(2):
        await box.call("GET", "/api/v1/messages?page=1")
    again, failed = (await box.get("/_sandbox/requests"))["data"]
    [retry] = (await report(box))["retries"]["newest"]
    assert (retry["requestId"], retry["repeats"]) == (again["id"], failed["id"])
    assert (retry["method"], retry["path"], retry["after"]) == ("GET", "/api/v1/messages", 503)
    assert (retry["account"], retry["asked"], retry["early"]) == (box.token, None, False)


async def test_what_failed_and_never_came_again_is_no_retry(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    await box.send(message="one")
    await box.send(message="two")
    assert (await report(box))["retries"]["total"] == 0


async def test_the_newest_retries_are_listed_and_all_are_counted() -> None:
    async with sandbox(tier="unlimited") as box:
        await box.add_fault({"status": 503}, times=LISTED + 20)
        await box.statuses(LISTED + 21)
        found = (await report(box))["retries"]
        newest = (await box.get("/_sandbox/requests", limit=LISTED))["data"]
    assert found["total"] == LISTED + 20
    assert [each["requestId"] for each in found["newest"]] == [each["id"] for each in newest]


# Idempotency keys and duplicates

SENDS = st.lists(
    st.tuples(st.sampled_from(["one", "two"]), st.sampled_from([None, "a", "b"]), st.booleans()),
    max_size=8,
)
"""A text, a key, and whether the message is accepted but the answer is 503."""


@given(SENDS)
def test_keys_and_duplicates_are_those_that_a_count_finds(
    sends: list[tuple[str, str | None, bool]],
) -> None:
    lost: dict[str, str] = {}  # the message of each text whose last answer was 503
    duplicates: list[tuple[str, str]] = []
    with sync_sandbox() as sync:
        box = sync.box
        for text, key, is_lost in sends:
            before = sync.messages()
            if is_lost:
                sync.run(box.add_fault({"status": 503, "commit": True}, times=1))
            answer = sync.run(box.send(message=text, key=key))
            sync.run(box.control("DELETE", "/faults"))
            newest = sync.run(box.message_ids(limit=1))[0]
            if sync.messages() > before and text in lost:
                duplicates.append((newest, lost[text]))
            if answer.status_code != 503:
                lost.pop(text, None)
            elif sync.messages() > before:
                lost.setdefault(text, newest)
        found = sync.run(report(box))
    keys = Counter(key for _, key, _ in sends if key is not None)
    counted = found["keys"]
    assert (counted["sends"], counted["withKey"]) == (len(sends), keys.total())
    assert counted["withoutKey"] == len(sends) - keys.total()
    assert counted["used"] == len(keys)
    assert counted["reused"] == sum(count > 1 for count in keys.values())
    listed = [(each["messageId"], each["first"]) for each in found["duplicates"]["newest"]]
    assert listed[::-1] == duplicates
    assert found["duplicates"]["total"] == len(duplicates)


async def test_a_duplicate_is_found_across_a_retry_that_was_refused(box: Box) -> None:
    await lose(box)
    await box.add_fault({"status": 429}, times=1)
    await box.send("+256700004990")
    await lose(box)
    first, second = (await box.message_ids())[::-1]
    [duplicate] = (await report(box))["duplicates"]["newest"]
    assert (duplicate["first"], duplicate["messageId"]) == (first, second)


async def test_with_a_key_no_duplicate_is_made(box: Box) -> None:
    await lose(box, key="k")
    assert (await box.send("+256700004990", key="k")).status_code == 201
    found = await report(box)
    assert found["duplicates"]["total"] == 0
    assert found["keys"] == {
        "sends": 2,
        "withKey": 2,
        "withoutKey": 0,
        "used": 1,
        "reused": 1,
        "replayed": 1,
        "conflicts": 0,
    }


async def test_a_key_in_the_body_counts_and_one_that_is_cut_off_is_not_missed(box: Box) -> None:
    email = {"from": "a@example.com", "to": "b@example.com", "subject": "Hello"}
    for body in (
        {**email, "text": "Hello"},
        {**email, "text": "Hello", "idempotencyKey": "k"},
        {**email, "text": "x" * 20_000},
    ):
        await box.call("POST", f"{DEVELOPERS}/email", json=body)
    await box.add_fault({"status": 503}, times=1)  # of the last one, only the journal knows
    await box.call("POST", f"{DEVELOPERS}/email", json={**email, "idempotencyKey": "k"})
    keys = (await report(box))["keys"]
    assert (keys["sends"], keys["withKey"], keys["withoutKey"]) == (4, 2, 1)
    assert (keys["used"], keys["reused"]) == (1, 1)


async def test_a_key_that_came_with_another_body_is_a_conflict(box: Box) -> None:
    await box.send(message="one", key="k")
    await box.send(message="two", key="k")
    keys = (await report(box))["keys"]
    assert (keys["conflicts"], keys["replayed"]) == (1, 1)


@pytest.mark.parametrize(
    "effect",
    [{"status": 503}, {"drop": "after"}, {"malformed": True}, {"malformed": True, "delay": 0.001}],
)
async def test_a_fault_in_place_of_the_stored_answer_is_no_replay(
    box: Box, effect: dict[str, Any]
) -> None:
    await box.add_fault({**effect, "commit": True}, times=2)
    for _ in range(2):
        with suppress(httpx.TransportError):  # a dropped connection
            await box.send(key="k")
    assert (await report(box))["keys"]["replayed"] == 0
    await box.add_fault({"delay": 0.001}, times=1)
    for message in ("Hello", "Another"):
        answer = await box.send(message=message, key="k")
        assert answer.headers["idempotent-replayed"] == "true"
    keys = (await report(box))["keys"]
    assert (keys["reused"], keys["replayed"], keys["conflicts"]) == (1, 2, 1)


# Polling, webhooks, warnings


async def test_polled_messages_and_the_reads_that_were_too_many_are_counted(box: Box) -> None:
    for reads in (4, 5, 7):
        message = await box.accepted("+256700000003")
        for _ in range(reads):
            await box.read(message)
    assert (await report(box))["polling"] == {"messages": 2, "reads": 4}


async def test_webhook_attempts_are_told_apart_by_receiver_and_answer(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [500, 500]
    for query in ("?order=1", "?order=2"):
        await box.accepted(callbackUrl=f"{receiver.url}{query}")
    await box.accepted("+256700000009", callbackUrl=receiver.url)
    await box.advance(seconds=10)
    found = (await report(box))["webhooks"]
    assert (found["attempts"], found["accepted"], found["failed"]) == (8, 4, 2)
    assert found["onPurpose"] == 2
    assert found["results"] == [
        {"url": receiver.url, "status": 200, "error": None, "attempts": 4},
        {"url": receiver.url, "status": 500, "error": None, "attempts": 2},
    ]


async def test_warnings_are_counted_and_say_what_to_do(box: Box) -> None:
    for _ in range(2):
        await box.send(callbackURL="http://localhost/")
    await box.send(message="Hello – again. " * 8)
    found = (await report(box))["warnings"]
    assert [(each["code"], each["count"]) for each in found] == [
        ("unknown-field", 2),
        ("text-forced-to-ucs2", 1),
    ]
    assert found[0]["docs"] == "/docs/warnings#unknown-field"
    assert found[0]["advice"] == "Check the spelling of the name."


# What it covers


async def test_the_report_says_which_requests_it_is_about() -> None:
    async with bounded(journal_per_account=3) as box:
        await box.statuses(5)
        covers = (await report(box))["covers"]
        kept = (await box.get("/_sandbox/requests"))["data"]
        await box.control("DELETE", "/requests")
        emptied = (await report(box))["covers"]
    assert (covers["requests"], covers["dropped"]) == (3, 2)
    assert (covers["from"], covers["to"]) == (kept[-1]["at"], kept[0]["at"])
    assert (emptied["requests"], emptied["dropped"]) == (0, 0)


async def test_an_account_is_told_about_itself_and_nobody_in_particular_about_all(box: Box) -> None:
    other = box.other()
    for each in (box, other):
        await each.add_fault({"status": 503}, times=1)
        await each.statuses(2)
    await box.anonymous.send()
    assert (await report(box))["covers"]["requests"] == 2
    everything = await report(box.anonymous)
    assert everything["covers"]["requests"] == 5
    assert (everything["account"], everything["accountId"]) == (None, None)
    owners = [each["account"] for each in everything["retries"]["newest"]]
    assert owners == [other.token, box.token]


async def test_reports_of_accounts_add_up_to_the_one_on_all(box: Box, receiver: Receiver) -> None:
    accounts = [box, box.other(), box.other()]
    for number, each in enumerate(accounts):
        await each.add_fault({"status": 503, "retryAfter": number}, times=number + 1)
        receiver.answers = [500] * number
        for _ in range(3):
            await each.send(callbackUrl=receiver.url, unknown=number)
        await each.advance(seconds=10)
    assert merged([await report(each) for each in accounts]) == await report(box.anonymous)


async def test_others_are_answered_after_each_request_and_each_attempt(
    box: Box, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (journal, report_service):
        monkeypatch.setattr(module, "Slices", partial(Slices, seconds=0))
    for _ in range(10):
        await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=10)
    count, found = await iterations(report(box))
    assert (found["covers"]["requests"], found["covers"]["attempts"]) == (10, 20)
    assert count >= 30


# Forms


async def test_the_report_as_markdown_has_a_row_for_each_finding(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    await box.add_fault({"status": 503, "retryAfter": 2000}, times=1)
    receiver.answers = [500]
    for _ in range(2):
        await box.send(callbackUrl=receiver.url)
        await box.advance(seconds=999)  # as above: real time does not count
    answer = await box.call("GET", "/_sandbox/report?format=markdown")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    text = answer.text
    assert text.startswith(f"# Report on the client of account {box.token}\n")
    assert "1 request repeated after an error, 1 of them before the time of `Retry-After`" in text
    assert "| 503 | 1 | 1 | 1 | 999 s | 999 s |" in text
    assert f"| {receiver.url} | 500 | 1 |" in text
    assert "[retried-too-early](http://localhost/docs/warnings#retried-too-early) | 1 |" in text


async def test_a_path_cannot_end_its_cell(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    for _ in range(2):
        await box.call("GET", "/api/v1/a|b%0A<b>\\")
    text = (await box.call("GET", "/_sandbox/report?format=markdown")).text
    assert "| GET /api/v1/a\\|b &lt;b>\\\\ |" in text


@pytest.mark.parametrize(
    ("query", "field"), [("format=html", "format"), ("since=now", "since"), ("format=", "format")]
)
async def test_a_parameter_that_the_report_does_not_have_is_refused(
    box: Box, query: str, field: str
) -> None:
    answer = await box.call("GET", f"/_sandbox/report?{query}")
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field
