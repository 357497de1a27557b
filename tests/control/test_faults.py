"""The list of faults: adding, removing, limits, and what is refused."""

import json
from typing import Any

import pytest
from box import Box, bounded

from msgine_sandbox.sandbox import Bounds


async def test_without_times_it_acts_until_it_is_removed(box: Box) -> None:
    fault = await box.add_fault({"status": 500})
    assert await box.statuses(3) == [500] * 3
    assert await box.control("DELETE", f"/faults/{fault['id']}") == {"deleted": 1}
    assert await box.statuses(1) == [201]
    assert (await box.call("DELETE", f"/_sandbox/faults/{fault['id']}")).status_code == 404


async def test_a_fault_without_an_account_applies_to_all_accounts(box: Box) -> None:
    added = await box.http.post("/_sandbox/faults", json={"effect": {"status": 503}, "times": 2})
    assert added.status_code == 201
    found = [(await account.send()).status_code for account in (box, box.other(), box.other())]
    assert found == [503, 503, 201]
    assert (await box.get("/_sandbox/faults"))["total"] == 0
    assert (await box.http.get("/_sandbox/faults")).json()["total"] == 1


async def test_a_fault_of_one_account_neither_applies_to_nor_is_shown_to_another(box: Box) -> None:
    fault = await box.add_fault({"status": 503})
    other = box.other()
    assert await other.statuses(1) == [201]
    assert (await other.get("/_sandbox/faults"))["total"] == 0
    assert (await other.call("GET", f"/_sandbox/faults/{fault['id']}")).status_code == 404
    assert (await other.call("DELETE", f"/_sandbox/faults/{fault['id']}")).status_code == 404
    assert await other.control("DELETE", "/faults") == {"deleted": 0}
    assert await box.statuses(1) == [503]


async def test_a_used_up_fault_is_still_listed(box: Box) -> None:
    fault = await box.add_fault({"status": 503}, times=1)
    await box.send()
    assert (await box.get("/_sandbox/faults"))["data"] == [fault | {"left": 0, "hits": 1}]


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({}, "effect"),
        ({"effect": "down"}, "effect"),
        ({"effect": {}}, "effect"),
        ({"effect": {"explode": True}}, "effect.explode"),
        ({"effect": {"status": 200}}, "effect.status"),
        ({"effect": {"status": 600}}, "effect.status"),
        ({"effect": {"status": "503"}}, "effect.status"),
        ({"effect": {"status": True}}, "effect.status"),
        ({"effect": {"status": 503, "retryAfter": -1}}, "effect.retryAfter"),
        ({"effect": {"delay": -0.1}}, "effect.delay"),
        ({"effect": {"delay": 601}}, "effect.delay"),
        ({"effect": {"delay": 0}}, "effect"),
        ({"effect": {"drop": "during"}}, "effect.drop"),
        ({"effect": {"drop": "after", "status": 503}}, "effect"),
        ({"effect": {"drop": "before", "commit": True}}, "effect"),
        ({"effect": {"malformed": "yes"}}, "effect.malformed"),
        ({"effect": {"commit": True}}, "effect"),
        ({"effect": {"retryAfter": 1, "delay": 1}}, "effect"),
        ({"effect": {"status": 503, "code": "forbidden"}}, "effect"),
        ({"effect": {"status": 408, "code": "wait_timed_out"}}, "effect"),
        ({"effect": {"status": 599, "code": "http_599"}}, "effect"),
        ({"effect": {"status": 400, "code": "invalid_message", "envelope": False}}, "effect"),
        ({"effect": {"drop": "before", "envelope": False}}, "effect"),
        ({"effect": {"envelope": False}}, "effect"),
        ({"effect": {"status": 503, "envelope": "no"}}, "effect.envelope"),
        ({"effect": {"webhook": "explode"}}, "effect.webhook"),
        ({"effect": {"webhook": "plain"}}, "effect.webhook"),
        ({"effect": {"webhook": "delay"}}, "effect.delay"),
        ({"effect": {"webhook": "delay", "delay": -1}}, "effect.delay"),
        ({"effect": {"webhook": "lose", "delay": 1}}, "effect.delay"),
        ({"effect": {"webhook": "lose", "status": 503}}, "effect.status"),
        ({"effect": {"webhook": "lose"}, "match": {"path": "/messages"}}, "match.path"),
        ({"effect": {"webhook": "reorder"}, "match": {"event": "message.failed"}}, "match.event"),
        ({"effect": {"webhook": "lose"}, "match": {"event": "message.read"}}, "match.event"),
        ({"effect": {"status": 503}, "match": {"event": "message.sent"}}, "match.event"),
        ({"effect": {"status": 503}, "match": {"method": "FETCH"}}, "match.method"),
        ({"effect": {"status": 503}, "match": {"path": "messages"}}, "match.path"),
        ({"effect": {"status": 503}, "match": {"path": "/\ud800"}}, "match.path"),
        ({"effect": {"status": 503}, "match": {"path": "/" + "a" * 400_000}}, "match.path"),
        ({"effect": {"status": 503}, "match": {"to": "0701234567"}}, "match.to"),
        ({"effect": {"status": 503}, "match": {"to": "*a" * 200_000}}, "match.to"),
        ({"effect": {"webhook": "lose"}, "match": {"to": "\ud800*"}}, "match.to"),
        ({"effect": {"status": 503}, "match": {"to": ["+256701234567"]}}, "match.to"),
        ({"effect": {"status": 503}, "match": {"to": ""}}, "match.to"),
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
async def test_an_invalid_fault_is_refused(box: Box, fault: Any, field: str) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(fault)  # which httpx would not write with half of a surrogate pair
    answer = await box.call("POST", "/_sandbox/faults", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert (error["code"], error["details"]["field"]) == ("invalid_request", field)
    assert error["details"]["expected"]
    assert (await box.get("/_sandbox/faults"))["total"] == 0


async def test_the_number_of_faults_is_limited() -> None:
    async with bounded(faults=3) as box:
        for _ in range(3):
            await box.add_fault({"status": 503}, match={"path": "/nowhere"})
        error = await box.control_error("POST", "/faults", {"effect": {"status": 503}})
        assert (error["details"]["field"], error["details"]["expected"]) == (
            "faults",
            "at most 3 at a time",
        )
        await box.anonymous.add_fault({"status": 503}, match={"path": "/nowhere"})
        assert (await box.send()).status_code == 201


def test_a_sandbox_keeps_a_thousand_faults_of_an_account() -> None:
    assert Bounds().faults == 1000


async def test_a_request_that_met_a_magic_recipient_names_it(box: Box) -> None:
    await box.send("+256700005031")
    added = await box.add_fault({"status": 500}, times=1)
    await box.send()
    decisions = [
        [each for each in entry["decisions"] if each["by"] == "fault"]
        for entry in (await box.get("/_sandbox/requests"))["data"]
    ]
    [[of_call], [of_magic]] = decisions
    assert (of_call["id"], "magic" in of_call) == (added["id"], False)
    assert of_magic["magic"] == "+256700005031"


async def test_a_fault_says_whose_it_is(box: Box) -> None:
    await box.add_fault({"status": 500})
    await box.anonymous.add_fault({"status": 502})
    own, shared = (await box.anonymous.get("/_sandbox/faults"))["data"]
    assert (own["account"], own["accountId"][:4]) == (box.token, "acc_")
    assert (shared["account"], shared["accountId"]) == (None, None)
