"""Faults on demand: what a client meets, how often, and what was done behind its back."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from box import NUMBER, Box
from hypothesis import given
from hypothesis import strategies as st
from live import serving
from sdk import Sdk
from steady import steady

SEND = "/api/v1/messages/sms"


async def add(box: Box, effect: dict[str, Any], status: int = 201, **fields: Any) -> dict[str, Any]:
    answer = await box.call("POST", "/_sandbox/faults", json={"effect": effect, **fields})
    assert answer.status_code == status, answer.text
    return answer.json()


async def total(box: Box) -> int:
    return (await box.get("/_sandbox/messages"))["total"]


async def statuses(box: Box, count: int, to: str = NUMBER) -> list[int]:
    return [(await box.send(to)).status_code for _ in range(count)]


async def test_a_fault_answers_in_the_documented_envelope(box: Box) -> None:
    await add(box, {"status": 503, "retryAfter": 7})
    answer = await box.send()
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "code": "service_unavailable",
        "message": "Service unavailable",
    }
    assert answer.json()["meta"]["requestId"] == answer.headers["x-request-id"]
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert await total(box) == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "invalid_request"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (418, "i'm_a_teapot".replace("'", "")),
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (502, "bad_gateway"),
        (503, "service_unavailable"),
        (504, "gateway_timeout"),
        (599, "http_599"),
    ],
)
async def test_every_status_has_a_code(box: Box, status: int, code: str) -> None:
    await add(box, {"status": status})
    answer = await box.send()
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_429_always_says_how_long_to_wait(box: Box) -> None:
    await add(box, {"status": 429}, times=1)
    await add(box, {"status": 429, "retryAfter": 30}, times=1)
    for seconds in (1, 30):
        answer = await box.send()
        assert answer.headers["retry-after"] == str(seconds)
        assert answer.json()["error"]["retryAfter"] == seconds


async def test_two_times_is_twice_and_the_fault_says_what_is_left(box: Box) -> None:
    fault = await add(box, {"status": 503}, times=2)
    assert (fault["times"], fault["left"], fault["hits"]) == (2, 2, 0)
    assert await statuses(box, 3) == [503, 503, 201]
    now = await box.get(f"/_sandbox/faults/{fault['id']}")
    assert (now["times"], now["left"], now["hits"]) == (2, 0, 2)


async def test_two_times_is_exactly_twice_however_many_come_at_once(box: Box) -> None:
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    await add(box, {"status": 503}, times=2)
    answers = await asyncio.gather(*[box.send() for _ in range(50)])
    found = sorted(answer.status_code for answer in answers)
    assert found == [201] * 48 + [503] * 2


async def test_without_times_it_acts_until_it_is_removed(box: Box) -> None:
    fault = await add(box, {"status": 500})
    assert await statuses(box, 3) == [500] * 3
    assert await box.control("DELETE", f"/faults/{fault['id']}") == {"deleted": 1}
    assert await statuses(box, 1) == [201]
    assert (await box.call("DELETE", f"/_sandbox/faults/{fault['id']}")).status_code == 404


async def test_faults_act_one_after_the_other_the_oldest_first(box: Box) -> None:
    await add(box, {"status": 500}, times=1)
    await add(box, {"status": 502}, times=2)
    assert await statuses(box, 4) == [500, 502, 502, 201]


async def test_a_fault_meets_only_what_it_matches(box: Box) -> None:
    await add(box, {"status": 503}, match={"method": "post", "path": "/messages/sms", "to": NUMBER})
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
async def test_a_path_is_counted_from_the_base_url(box: Box, path: str, meets: bool) -> None:
    await add(box, {"status": 503}, match={"path": path})
    assert ((await box.send()).status_code == 503) is meets


async def test_the_beginning_of_a_number_matches_with_a_star(box: Box) -> None:
    await add(box, {"status": 503}, match={"to": "+25670*"})
    assert await statuses(box, 1, "+256701234567") == [503]
    assert await statuses(box, 1, "+256772123456") == [201]


async def test_chance_is_the_same_in_every_run(box: Box) -> None:
    runs = []
    for account in (box.other("test_unlimited_1"), box.other("test_unlimited_2")):
        await add(account, {"status": 503}, probability=0.5, seed=7)
        runs.append(await statuses(account, 40))
    assert runs[0] == runs[1]
    assert 8 < runs[0].count(503) < 32


async def test_times_counts_how_often_chance_let_it_act(box: Box) -> None:
    account = box.other("test_unlimited_chance")
    await add(account, {"status": 503}, probability=0.5, times=3)
    assert (await statuses(account, 40)).count(503) == 3


@given(probability=st.sampled_from([0, 1]) | st.floats(0, 1), seed=st.integers(-(2**63) + 1, 10))
def test_a_probability_of_0_never_acts_and_of_1_always(probability: float, seed: int) -> None:
    with steady() as scene:
        box = scene.box
        scene.run(add(box, {"status": 503}, probability=probability, seed=seed))
        found = scene.run(statuses(box, 5))
        assert set(found) <= {201, 503}
        if probability in {0, 1}:
            assert set(found) == {503 if probability else 201}


async def test_a_committed_status_hides_that_the_message_was_accepted(box: Box) -> None:
    await add(box, {"status": 503, "commit": True}, times=1)
    assert (await box.send()).status_code == 503
    assert await total(box) == 1


async def test_commit_may_stand_beside_the_effect(box: Box) -> None:
    fault = await add(box, {"status": 503}, commit=True, times=1)
    assert fault["effect"] == {"status": 503, "commit": True}
    assert (await box.send()).status_code == 503
    assert await total(box) == 1


async def test_a_key_finds_what_a_lost_answer_has_done(box: Box) -> None:
    await add(box, {"status": 503, "commit": True}, times=1)
    first = await box.send(key="k")
    assert "idempotent-replayed" not in first.headers
    second = await box.send(key="k")
    assert (second.status_code, second.headers["idempotent-replayed"]) == (201, "true")
    assert await total(box) == 1


async def test_a_key_of_a_request_that_met_a_fault_before_the_work_is_free(box: Box) -> None:
    await add(box, {"status": 503}, times=1)
    assert (await box.send(key="k")).status_code == 503
    second = await box.send(key="k")
    assert second.status_code == 201
    assert "idempotent-replayed" not in second.headers


@pytest.mark.parametrize(("when", "messages"), [("before", 0), ("after", 1)])
async def test_a_dropped_connection_has_no_answer(box: Box, when: str, messages: int) -> None:
    await add(box, {"drop": when}, times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send()
    assert await total(box) == messages
    assert (await box.send()).status_code == 201


@pytest.mark.parametrize(("commit", "messages"), [(False, 0), (True, 1)])
async def test_a_malformed_answer_is_a_success_that_is_not_json(
    box: Box, commit: bool, messages: int
) -> None:
    await add(box, {"malformed": True, "commit": commit}, times=1)
    answer = await box.send()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert await total(box) == messages


async def test_a_malformed_refusal_keeps_its_status(box: Box) -> None:
    await add(box, {"malformed": True, "status": 502})
    answer = await box.send()
    assert answer.status_code == 502
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_a_delay_lets_real_time_pass_and_then_answers(box: Box) -> None:
    await add(box, {"delay": 0.05}, times=1)
    began = time.perf_counter()
    assert (await box.send()).status_code == 201
    assert time.perf_counter() - began >= 0.05
    assert await total(box) == 1


async def test_a_delay_may_end_in_a_refusal(box: Box) -> None:
    await add(box, {"delay": 0.01, "status": 503}, times=1)
    assert (await box.send()).status_code == 503


async def test_what_a_committed_fault_hides_may_be_a_refusal(box: Box) -> None:
    await add(box, {"malformed": True, "commit": True}, times=1)
    answer = await box.send("12345")
    assert answer.status_code == 400
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_faults_stand_behind_credential_and_rate_limit(box: Box) -> None:
    await box.freeze()
    await add(box, {"status": 503}, times=100)
    found = await statuses(box, 22)
    assert found == [503] * 20 + [429] * 2
    assert (await box.get("/_sandbox/faults"))["data"][0]["hits"] == 20


async def test_a_fault_without_an_account_is_everybodys(box: Box) -> None:
    added = await box.http.post("/_sandbox/faults", json={"effect": {"status": 503}, "times": 2})
    assert added.status_code == 201
    found = [(await account.send()).status_code for account in (box, box.other(), box.other())]
    assert found == [503, 503, 201]
    assert (await box.get("/_sandbox/faults"))["total"] == 0
    assert (await box.http.get("/_sandbox/faults")).json()["total"] == 1


async def test_other_accounts_neither_meet_nor_see_a_fault(box: Box) -> None:
    fault = await add(box, {"status": 503})
    other = box.other()
    assert await statuses(other, 1) == [201]
    assert (await other.get("/_sandbox/faults"))["total"] == 0
    assert (await other.call("GET", f"/_sandbox/faults/{fault['id']}")).status_code == 404
    assert (await other.call("DELETE", f"/_sandbox/faults/{fault['id']}")).status_code == 404
    assert await other.control("DELETE", "/faults") == {"deleted": 0}
    assert await statuses(box, 1) == [503]


async def test_a_reset_takes_faults_away_and_counts_magic_numbers_anew(box: Box) -> None:
    await add(box, {"status": 500})
    await box.send("+256700005031")
    await box.control("POST", "/reset")
    assert (await box.get("/_sandbox/faults"))["total"] == 0
    assert await statuses(box, 2, "+256700005031") == [503, 201]


async def test_spent_faults_are_listed_until_there_are_too_many(box: Box) -> None:
    fault = await add(box, {"status": 503}, times=1)
    await box.send()
    assert (await box.get("/_sandbox/faults"))["data"] == [fault | {"left": 0, "hits": 1}]


# Magic recipients


def sdk(box: Box, **headers: str) -> Sdk:
    """A client with the official patience, for which time passes on the account's clock."""

    async def sleep(seconds: float) -> None:
        await box.advance(seconds=seconds)

    return Sdk(box.http, {"Authorization": f"Bearer {box.token}", **headers}, sleep)


async def test_a_number_that_fails_twice_succeeds_on_the_third_try(box: Box) -> None:
    client = sdk(box)
    answer = await client.send("+256700005032")
    assert (answer.status_code, len(client.waited)) == (201, 2)
    assert await total(box) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_number_that_ends_in_0_never_succeeds(box: Box, status: int) -> None:
    client = sdk(box)
    answer = await client.send(f"+25670000{status}0")
    assert (answer.status_code, len(client.waited)) == (status, 3)
    assert await total(box) == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("count", range(1, 10))
async def test_the_last_digit_counts_the_failures(box: Box, status: int, count: int) -> None:
    found = await statuses(box, count + 2, f"+25670000{status}{count}")
    assert found == [status] * count + [201] * 2


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        ("4000", 400, "invalid_phone_number"),
        ("4010", 401, "unauthorized"),
        ("4030", 403, "forbidden"),
    ],
)
async def test_a_number_is_refused_every_time(box: Box, end: str, status: int, code: str) -> None:
    to = f"+25670000{end}"
    for _ in range(2):
        answer = await box.send(to)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    if status == 400:
        assert answer.json()["error"]["details"] == {
            "field": "to",
            "value": to,
            "expected": "+[country code][number]",
        }
    assert (await box.call("GET", "/api/v1/messages")).status_code == 200


async def test_a_magic_number_counts_for_each_account(box: Box) -> None:
    assert await statuses(box, 1, "+256700005031") == [503]
    assert await statuses(box.other(), 2, "+256700005031") == [503, 201]
    assert await statuses(box, 1, "+256700005031") == [201]


async def test_a_magic_number_is_shown_among_the_faults(box: Box) -> None:
    await box.send("+256700005023")
    [fault] = (await box.get("/_sandbox/faults"))["data"]
    assert (fault["magic"], fault["match"]["to"], fault["left"]) == (True, "+256700005023", 2)


async def test_one_magic_number_among_several_is_enough(box: Box) -> None:
    both = ["+256701234567", "+256700005001"]
    assert [(await box.send(both)).status_code for _ in range(2)] == [500, 201]


async def test_an_answer_that_is_lost_makes_duplicates_without_a_key(box: Box) -> None:
    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            await box.send("+256700004990")
    assert await total(box) == 3


async def test_an_answer_that_is_lost_is_found_with_a_key(box: Box) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990", key="k")
    again = await box.send("+256700004990", key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert await total(box) == 1


# Over a real connection


def test_a_real_connection_is_cut_without_an_answer() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_cut"}) as client:
        for when in ("before", "after"):
            fault = {"effect": {"drop": when}, "times": 1}
            assert client.post(f"{live.origin}/_sandbox/faults", json=fault).status_code == 201
            with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
                client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": when})
        answer = client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "now"})
        assert answer.status_code == 201
        listed = client.get(f"{live.base_url}/messages").json()
    assert [each["message"] for each in listed["data"]] == ["now", "after"]


def test_a_late_answer_meets_the_clients_timeout_and_the_message_is_there() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_late"}) as client:
        sent = {"to": "+256700004080", "message": "late"}
        key = {"Idempotency-Key": "k"}
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{live.origin}{SEND}", json=sent, headers=key, timeout=0.2)
        again = client.post(f"{live.origin}{SEND}", json=sent, headers=key, timeout=5)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert client.get(f"{live.base_url}/messages").json()["pagination"]["total"] == 1


def test_who_hangs_up_during_a_delay_is_not_served() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_gone"}) as client:
        client.post(f"{live.origin}/_sandbox/faults", json={"effect": {"delay": 0.3}, "times": 1})
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                f"{live.origin}{SEND}", json={"to": NUMBER, "message": "gone"}, timeout=0.05
            )
        # A later one that was delayed as long would show the earlier one, had it been served.
        client.post(f"{live.origin}/_sandbox/faults", json={"effect": {"delay": 0.4}, "times": 1})
        client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "stayed"})
        listed = client.get(f"{live.base_url}/messages").json()
    assert [each["message"] for each in listed["data"]] == ["stayed"]


def test_a_sandbox_that_is_told_to_stop_does_not_wait_for_delays() -> None:
    with serving() as live:
        headers = {"Authorization": "Bearer test_stop"}
        fault = {"effect": {"delay": 600}}
        httpx.post(f"{live.origin}/_sandbox/faults", json=fault, headers=headers)
        with httpx.Client(headers=headers, timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
            client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "late"})
        began = time.perf_counter()
        live.process.terminate()
        assert live.process.wait(timeout=10) == 0
        assert time.perf_counter() - began < 2


def test_faults_and_their_counts_outlive_a_restart(tmp_path: Any) -> None:
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


# Bad input


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({}, "effect"),
        ({"effect": "down"}, "effect"),
        ({"effect": {}}, "effect"),
        ({"effect": {"explode": True}}, "explode"),
        ({"effect": {"status": 200}}, "status"),
        ({"effect": {"status": 600}}, "status"),
        ({"effect": {"status": "503"}}, "status"),
        ({"effect": {"status": True}}, "status"),
        ({"effect": {"status": 503, "retryAfter": -1}}, "retryAfter"),
        ({"effect": {"delay": -0.1}}, "delay"),
        ({"effect": {"delay": 601}}, "delay"),
        ({"effect": {"delay": 0}}, "effect"),
        ({"effect": {"drop": "during"}}, "effect.drop"),
        ({"effect": {"drop": "after", "status": 503}}, "effect"),
        ({"effect": {"drop": "before", "commit": True}}, "effect"),
        ({"effect": {"malformed": "yes"}}, "malformed"),
        ({"effect": {"commit": True}}, "effect"),
        ({"effect": {"retryAfter": 1, "delay": 1}}, "effect"),
        ({"effect": {"status": 503, "code": "forbidden"}}, "effect"),
        ({"effect": {"webhook": "explode"}}, "webhook"),
        ({"effect": {"webhook": "plain"}}, "effect.webhook"),
        ({"effect": {"webhook": "delay"}}, "effect.delay"),
        ({"effect": {"webhook": "delay", "delay": -1}}, "delay"),
        ({"effect": {"webhook": "lose", "delay": 1}}, "effect.delay"),
        ({"effect": {"webhook": "lose", "status": 503}}, "status"),
        ({"effect": {"webhook": "lose"}, "match": {"path": "/messages"}}, "path"),
        ({"effect": {"webhook": "reorder"}, "match": {"event": "message.failed"}}, "match.event"),
        ({"effect": {"webhook": "lose"}, "match": {"event": "message.read"}}, "event"),
        ({"effect": {"status": 503}, "match": {"event": "message.sent"}}, "event"),
        ({"effect": {"status": 503}, "match": {"method": "FETCH"}}, "match.method"),
        ({"effect": {"status": 503}, "match": {"path": "messages"}}, "match.path"),
        ({"effect": {"status": 503}, "match": {"to": "0701234567"}}, "match.to"),
        ({"effect": {"status": 503}, "match": []}, "match"),
        ({"effect": {"status": 503}, "times": 0}, "times"),
        ({"effect": {"status": 503}, "times": 1.5}, "times"),
        ({"effect": {"status": 503}, "probability": 1.1}, "probability"),
        ({"effect": {"status": 503}, "probability": -0.1}, "probability"),
        ({"effect": {"status": 503}, "seed": "x"}, "seed"),
        ({"effect": {"status": 503}, "seed": 2**64}, "seed"),
        ({"effect": {"status": 503}, "time": 2}, "time"),
        ({"effect": {"drop": "before"}, "commit": True}, "effect"),
        ({"effect": {"webhook": "lose"}, "commit": True}, "commit"),
        ({"effect": {"status": 503}, "commit": 1}, "commit"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(box: Box, fault: Any, field: str) -> None:
    answer = await box.call("POST", "/_sandbox/faults", json=fault)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["details"]["field"]) == ("invalid_request", field)
    assert error["details"]["expected"]
    assert (await box.get("/_sandbox/faults"))["total"] == 0


async def test_there_is_an_end_to_how_many_faults_there_are(box: Box) -> None:
    for _ in range(1000):
        await add(box, {"status": 503}, match={"path": "/nowhere"})
    error = await add(box, {"status": 503}, status=400)
    assert error["error"]["details"]["field"] == "faults"
    assert (await box.send()).status_code == 201


async def test_a_recipient_that_is_named_often_is_one(box: Box) -> None:
    answer = await box.send([NUMBER] * 101 + ["+256700005030"])
    assert answer.status_code == 503
