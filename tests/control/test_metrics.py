"""Metrics as Prometheus reads them, with its own parser."""

import asyncio
import time
from collections import Counter
from threading import Event
from typing import Any

import pytest
from box import Box, boxed, sandbox
from command import LIMIT
from matching import assert_refused
from prometheus_client.parser import text_string_to_metric_families
from receiver import Receiver

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

Values = dict[tuple[str, ...], float]


async def scraped(box: Box) -> dict[str, Values]:
    """Return the values of each metric by its labels, in the order of their names."""
    answer = await box.anonymous.call("GET", "/_sandbox/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, Values] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        assert family.type in {"counter", "gauge"}
        for each in family.samples:
            labels = tuple(value for _, value in sorted(each.labels.items()))
            values = found.setdefault(each.name, {})
            assert labels not in values
            values[labels] = each.value
    return found


async def test_requests_are_counted_by_status_as_the_journal_has_them(box: Box) -> None:
    await box.accepted()
    await box.accepted()
    await box.send("not a number")
    await box.send("+256700005030")
    await box.anonymous.send()
    await box.add_fault({"drop": "before"}, times=1)
    with pytest.raises(Exception, match=r"."):
        await box.send()
    journal = (await box.anonymous.get("/_sandbox/requests"))["data"]
    expected = Counter(str(each["status"] or "none") for each in journal)
    assert expected == {"201": 2, "400": 1, "503": 1, "401": 1, "none": 1}
    metrics = await scraped(box)
    assert metrics["msgine_sandbox_requests_total"] == {(k,): v for k, v in expected.items()}


async def test_messages_are_counted_by_channel_and_by_the_status_they_end_with(box: Box) -> None:
    await box.accepted()
    await box.accepted("+256700000001")
    email = {"from": "a@example.com", "to": "b@example.com", "subject": "s", "text": "t"}
    await box.developers("POST", "/email", email)
    assert (await scraped(box))["msgine_sandbox_messages_total"] == {
        ("sms", "delivered"): 1,
        ("sms", "failed"): 1,
        ("email", "delivered"): 1,
    }


async def test_webhook_attempts_are_counted_by_outcome(box: Box, receiver: Receiver) -> None:
    before = (await scraped(box))["msgine_sandbox_webhook_attempts_total"]
    assert before == {("succeeded",): 0, ("error_status",): 0, ("no_response",): 0}
    await box.freeze()
    await box.accepted(callbackUrl=receiver.url)
    await box.accepted(callbackUrl="http://127.0.0.1:9/")
    receiver.answers = [200, 500]
    await box.advance(seconds=10)
    attempts = (await box.anonymous.get("/_sandbox/webhooks/attempts"))["data"]
    expected = Counter(
        {200: "succeeded", 500: "error_status"}.get(each["status"], "no_response")
        for each in attempts
    )
    after = (await scraped(box))["msgine_sandbox_webhook_attempts_total"]
    assert after == {(each,): count for each, count in expected.items()}
    assert len(after) == 3


async def test_steps_are_due_while_a_receiver_does_not_answer(receiver: Receiver) -> None:
    goes_on = Event()
    receiver.answers = [lambda _: goes_on.wait(LIMIT)]
    async with sandbox(sent_after=0, delivered_after=0) as box:
        assert (await scraped(box))["msgine_sandbox_steps_due"] == {(): 0}
        await box.accepted(callbackUrl=receiver.url)
        await receiver.until(1)
        # That webhook, and the next one of the message, which waits for it.
        assert (await scraped(box))["msgine_sandbox_steps_due"] == {(): 2}
        goes_on.set()


async def test_it_says_what_runs_and_how_much_it_takes(box: Box) -> None:
    await box.accepted()
    metrics = await scraped(box)
    assert metrics["msgine_sandbox_accounts"] == {(): 1}
    [[version]] = metrics["msgine_sandbox_info"]
    assert version == (await box.get("/_sandbox/health"))["version"]
    assert 10**7 < metrics["process_resident_memory_bytes"][()] < 10**11


async def test_a_pause_of_the_event_loop_shows_until_it_was_scraped(box: Box) -> None:
    await scraped(box)  # from here on it is measured
    time.sleep(0.4)
    await asyncio.sleep(0)
    assert (await scraped(box))["msgine_sandbox_event_loop_lag_seconds"][()] >= 0.1


async def test_a_scrape_needs_the_control_token() -> None:
    async with sandbox(control_token="sesame") as box:
        assert_refused(await box.call("GET", "/_sandbox/metrics"), 401, "unauthorized")
        headers = {"X-Control-Token": "sesame"}
        answer = await box.call("GET", "/_sandbox/metrics", headers=headers)
        assert answer.status_code == 200


async def test_a_scrape_reads_few_rows_however_many_there_are() -> None:
    built = Sandbox(Settings(tier="unlimited"))
    async with boxed(built) as box:
        await box.accepted()
        database = built.store.database
        database.execute(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 300000)"
            " INSERT INTO steps (account, lane, due, id, message, subject, detail)"
            " SELECT 1, 1, 4611686018427387904 + n, n, 1, 0, '' FROM n"
        )
        looked_at: Counter[Any] = Counter()
        connection = database._connection
        connection.set_progress_handler(lambda: looked_at.update(n=1), 1000)
        await scraped(box)
        connection.set_progress_handler(None, 0)
        assert looked_at["n"] < 20  # thousands of SQLite's instructions; a scan takes over 600
