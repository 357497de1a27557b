"""Faults: what a client gets, how often, and whether the request was performed."""

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from live import serving
from sync_box import sync_sandbox

from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.fault import FaultTarget, Match

SEND = "/api/v1/messages/sms"


async def test_a_fault_answers_in_the_documented_envelope(box: Box) -> None:
    await box.add_fault({"status": 503, "retryAfter": 7})
    answer = await box.send()
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "code": "service_unavailable",
        "message": "Service unavailable",
    }
    assert answer.json()["meta"]["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert await box.message_count() == 0


async def test_a_429_always_says_how_long_to_wait(box: Box) -> None:
    await box.add_fault({"status": 429}, times=1)
    await box.add_fault({"status": 429, "retryAfter": 30}, times=1)
    for seconds in (1, 30):
        answer = await box.send()
        assert answer.headers["retry-after"] == str(seconds)
        assert answer.json()["error"]["retryAfter"] == seconds


async def test_a_fault_with_two_times_applies_twice_and_shows_what_is_left(box: Box) -> None:
    fault = await box.add_fault({"status": 503}, times=2)
    assert (fault["times"], fault["left"], fault["hits"]) == (2, 2, 0)
    assert await box.statuses(3) == [503, 503, 201]
    now = await box.get(f"/_sandbox/faults/{fault['id']}")
    assert (now["times"], now["left"], now["hits"]) == (2, 0, 2)


async def test_two_times_is_exactly_twice_however_many_come_at_once(box: Box) -> None:
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    await box.add_fault({"status": 503}, times=2)
    answers = await asyncio.gather(*[box.send() for _ in range(50)])
    found = sorted(answer.status_code for answer in answers)
    assert found == [201] * 48 + [503] * 2


async def test_faults_apply_one_after_the_other_oldest_first(box: Box) -> None:
    await box.add_fault({"status": 500}, times=1)
    await box.add_fault({"status": 502}, times=2)
    assert await box.statuses(4) == [500, 502, 502, 201]


async def test_a_fault_applies_only_to_matching_requests(box: Box) -> None:
    await box.add_fault(
        {"status": 503}, match={"method": "post", "path": "/messages/sms", "to": NUMBER}
    )
    assert (await box.send("+256701234568")).status_code == 201
    assert (await box.send(["+256701234568", NUMBER])).status_code == 503
    assert (await box.call("GET", "/api/v1/messages")).status_code == 200


@pytest.mark.parametrize(
    ("path", "meets"),
    [
        ("/messages/sms", True),
        ("/api/v1/messages/sms", True),
        ("/messages/*", True),
        ("/messages", False),
        ("/developers/*", False),
    ],
)
async def test_a_path_is_relative_to_the_base_url(box: Box, path: str, meets: bool) -> None:
    await box.add_fault({"status": 503}, match={"path": path})
    assert ((await box.send()).status_code == 503) is meets


async def test_the_beginning_of_a_number_matches_with_a_star(box: Box) -> None:
    await box.add_fault({"status": 503}, match={"to": "+25670*"})
    assert await box.statuses(1, "+256701234567") == [503]
    assert await box.statuses(1, "+256772123456") == [201]


async def test_a_probability_with_a_seed_gives_the_same_result_in_every_run(box: Box) -> None:
    runs = []
    for account in (box.other("test_unlimited_1"), box.other("test_unlimited_2")):
        await account.add_fault({"status": 503}, probability=0.5, seed=7)
        runs.append(await account.statuses(40))
    assert runs[0] == runs[1]
    assert 8 < runs[0].count(503) < 32


async def test_times_counts_only_the_requests_that_a_probability_selected(box: Box) -> None:
    account = box.other("test_unlimited_chance")
    await account.add_fault({"status": 503}, probability=0.5, times=3)
    assert (await account.statuses(40)).count(503) == 3


@given(probability=st.sampled_from([0, 1]) | st.floats(0, 1), seed=st.integers(-(2**63) + 1, 10))
def test_a_probability_of_0_never_applies_and_of_1_always(probability: float, seed: int) -> None:
    with sync_sandbox() as sync:
        box = sync.box
        sync.run(box.add_fault({"status": 503}, probability=probability, seed=seed))
        found = sync.run(box.statuses(5))
        assert set(found) <= {201, 503}
        if probability in {0, 1}:
            assert set(found) == {503 if probability else 201}


async def test_a_committed_status_hides_that_the_message_was_accepted(box: Box) -> None:
    await box.add_fault({"status": 503, "commit": True}, times=1)
    assert (await box.send()).status_code == 503
    assert await box.message_count() == 1


async def test_commit_may_stand_beside_the_effect(box: Box) -> None:
    fault = await box.add_fault({"status": 503}, commit=True, times=1)
    assert fault["effect"] == {"status": 503, "commit": True}
    assert (await box.send()).status_code == 503
    assert await box.message_count() == 1


async def test_a_key_replays_the_response_that_a_fault_hid(box: Box) -> None:
    await box.add_fault({"status": 503, "commit": True}, times=1)
    first = await box.send(key="k")
    assert "idempotent-replayed" not in first.headers
    second = await box.send(key="k")
    assert (second.status_code, second.headers["idempotent-replayed"]) == (201, "true")
    assert await box.message_count() == 1


async def test_a_key_of_a_request_that_a_fault_prevented_is_not_used(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    assert (await box.send(key="k")).status_code == 503
    second = await box.send(key="k")
    assert second.status_code == 201
    assert "idempotent-replayed" not in second.headers


@pytest.mark.parametrize(("when", "messages"), [("before", 0), ("after", 1)])
async def test_a_dropped_connection_has_no_answer(box: Box, when: str, messages: int) -> None:
    await box.add_fault({"drop": when}, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send()
    assert await box.message_count() == messages
    assert (await box.send()).status_code == 201


@pytest.mark.parametrize(("commit", "messages"), [(False, 0), (True, 1)])
async def test_a_malformed_answer_is_a_success_that_is_not_json(
    box: Box, commit: bool, messages: int
) -> None:
    await box.add_fault({"malformed": True, "commit": commit}, times=1)
    answer = await box.send()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert await box.message_count() == messages


@pytest.mark.parametrize("answers", [*Answers])
@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize("path", ["messages", "developers"])
async def test_a_malformed_answer_has_the_form_of_a_whole_one(
    answers: Answers, commit: bool, path: str
) -> None:
    async with sandbox(answers=answers) as box:
        body = {"to": NUMBER, "message": "Hello"}
        whole = await box.call("POST", f"/api/v1/{path}/sms", json=body)
        await box.add_fault({"malformed": True, "commit": commit}, times=1)
        cut = await box.call("POST", f"/api/v1/{path}/sms", json=body)
    assert cut.status_code == whole.status_code
    prefix = r'\{"id":"msg_[0-9a-f]*'
    if answers is Answers.OBSERVED:
        prefix = r'\{"id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]'
    assert re.match(prefix, whole.text)
    assert re.match(prefix, cut.text)
    with pytest.raises(json.JSONDecodeError):
        cut.json()


async def test_a_malformed_refusal_keeps_its_status(box: Box) -> None:
    await box.add_fault({"malformed": True, "status": 502})
    answer = await box.send()
    assert answer.status_code == 502
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_a_delay_lets_real_time_pass_and_then_answers(box: Box) -> None:
    await box.add_fault({"delay": 0.05}, times=1)
    began = time.perf_counter()
    assert (await box.send()).status_code == 201
    assert time.perf_counter() - began >= 0.05
    assert await box.message_count() == 1


async def test_a_delay_may_end_in_a_refusal(box: Box) -> None:
    await box.add_fault({"delay": 0.01, "status": 503}, times=1)
    assert (await box.send()).status_code == 503


async def test_what_a_committed_fault_hides_may_be_a_refusal(box: Box) -> None:
    await box.add_fault({"malformed": True, "commit": True}, times=1)
    answer = await box.send("12345")
    assert answer.status_code == 400
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_faults_apply_after_authentication_and_rate_limit(box: Box) -> None:
    await box.freeze()
    await box.add_fault({"status": 503}, times=100)
    found = await box.statuses(22)
    assert found == [503] * 20 + [429] * 2
    assert (await box.get("/_sandbox/faults"))["data"][0]["hits"] == 20


def test_faults_and_their_counts_survive_a_restart(tmp_path: Any) -> None:
    file = str(tmp_path / "sandbox.db")
    headers = {"Authorization": "Bearer test_restart"}
    found = []
    with serving("--database", file) as live:
        fault = {"effect": {"status": 503}, "times": 2}
        httpx.post(f"{live.origin}/_sandbox/faults", json=fault, headers=headers)
        sent = {"to": NUMBER, "message": "once more"}
        found.append(httpx.post(f"{live.origin}{SEND}", json=sent, headers=headers).status_code)
    with serving("--database", file) as live:
        found += [
            httpx.post(f"{live.origin}{SEND}", json=sent, headers=headers).status_code
            for _ in range(2)
        ]
    assert found == [503, 503, 201]


@given(text=st.text("ab*?[]\n", max_size=12), pattern=st.text("ab**?[]", max_size=8))
@example(text="aba", pattern="ab*ba")
@example(text="", pattern="**")
@example(text="[a", pattern="[a]*")
def test_a_star_stands_for_any_text_and_nothing_else_does(text: str, pattern: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL)
    assert Match(to=pattern).matches_recipient(text) is (expected is not None)
    target = FaultTarget(method="GET", path=text)
    assert Match(path=pattern).matches_request(target) is (expected is not None)
