"""Coverage: the documented behaviours that a client has met, and those that it has not."""

import re
from typing import Any

import httpx
import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from project import DOCS
from receiver import Receiver
from sends import EMAIL, PUSH, SMS

from msgine_sandbox.model.behaviour import ALL, OF_DEVELOPERS
from msgine_sandbox.model.choices import Answers

CONTRACT = DOCS / "fidelity.md"


async def met(box: Box) -> list[str]:
    return (await box.get("/_sandbox/coverage"))["met"]


async def test_a_new_account_has_met_nothing(box: Box) -> None:
    found = await box.get("/_sandbox/coverage")
    assert found == {"met": [], "unmet": list(ALL), "percent": 0.0}


async def test_a_met_behaviour_is_no_longer_listed_as_unmet(box: Box) -> None:
    await box.accepted()
    found = await box.get("/_sandbox/coverage")
    assert found["met"] == ["message accepted"]
    assert sorted(found["met"] + found["unmet"]) == sorted(ALL)
    assert found["percent"] == round(100 / len(ALL), 1)


async def test_the_name_of_an_accepted_message_is_true_under_both_answers() -> None:
    for answers, status in ((Answers.DOCUMENTED, 201), (Answers.OBSERVED, 200)):
        async with sandbox(answers=answers) as box:
            assert (await box.send()).status_code == status
            assert await met(box) == ["message accepted"]


async def send(box: Box, *args: Any, **kwargs: Any) -> None:
    await box.send(*args, **kwargs)


async def read(box: Box) -> None:
    await box.read(await box.accepted())


async def listed(box: Box, **params: Any) -> None:
    await box.call("GET", f"{BASE_PATH}/messages", params=params)


async def replayed(box: Box) -> None:
    for _ in range(2):
        await box.send(key="k")


async def waited(box: Box) -> None:
    await box.freeze()
    for _ in range(21):
        await box.send()
    await box.advance(seconds=1)
    await box.send()


ACTIONS = {
    "message accepted": send,
    "200 message read": read,
    "200 messages listed": listed,
    "200 a page past the first": lambda box: listed(box, page=2),
    "several recipients": lambda box: send(box, [NUMBER, "+256701234568"]),
    "callbackUrl": lambda box: send(box, callbackUrl="http://localhost:9"),
    "idempotent replay": replayed,
    "success after waiting for Retry-After": waited,
    "400 invalid_phone_number": lambda box: send(box, "0701234567"),
    "400 invalid_message": lambda box: send(box, message=""),
    "400 invalid_sender_id": lambda box: send(box, **{"from": "-"}),
    "401 unauthorized": lambda box: send(box, "+256700004010"),
    "403 forbidden": lambda box: send(box, "+256700004030"),
    "404 not_found": lambda box: box.call("GET", f"{BASE_PATH}/messages/msg_0"),
    "429 rate_limit_exceeded": lambda box: send(box, "+256700004290"),
    "500 internal_error": lambda box: send(box, "+256700005000"),
    "502 bad_gateway": lambda box: send(box, "+256700005020"),
    "503 service_unavailable": lambda box: send(box, "+256700005030"),
}


@pytest.mark.parametrize("behaviour", ACTIONS)
async def test_each_behaviour_of_the_messages_api_can_be_met(box: Box, behaviour: str) -> None:
    assert behaviour not in await met(box)
    await ACTIONS[behaviour](box)
    assert behaviour in await met(box)
    assert await met(box.other()) == []


DEVELOPERS_ACTIONS: dict[str, Any] = {
    "message accepted": ("POST", "/sms", SMS),
    "email accepted": ("POST", "/email", EMAIL),
    "push accepted": ("POST", "/push", PUSH),
    "a push that fails for some": ("POST", "/push", PUSH | {"tokens": ["a", "sandbox-refused"]}),
    "a message for later": ("POST", "/sms", SMS | {"scheduledFor": "2099-01-01T00:00:00Z"}),
    "device registered": ("POST", "/push/device", {"token": "a", "platform": "ios"}),
    "200 analytics overview": ("GET", "/analytics/overview", None),
    "200 analytics by day": ("GET", "/analytics/daily", None),
    "200 messages listed": ("GET", "/push/history", None),
    "200 a page past the first": ("GET", "/sms/history?page=2", None),
}


@pytest.mark.parametrize("behaviour", DEVELOPERS_ACTIONS)
async def test_each_behaviour_of_the_developers_api_can_be_met(box: Box, behaviour: str) -> None:
    await box.developers(*DEVELOPERS_ACTIONS[behaviour])
    assert behaviour in await met(box)


async def test_reading_the_account_meets_nothing(box: Box) -> None:
    await box.get(f"{BASE_PATH}/account")
    assert await met(box) == []


async def test_a_removed_device_and_a_read_message_are_met(box: Box) -> None:
    await box.developers("POST", "/push/device", {"token": "a", "platform": "ios"})
    await box.developers("DELETE", "/push/device", {"token": "a"})
    sent = await box.developers("POST", "/email", EMAIL)
    await box.developers("GET", f"/{sent['id']}")
    assert {"200 device removed", "200 message read"} <= set(await met(box))


async def test_the_developers_api_counts_for_accounts_that_call_it(box: Box) -> None:
    await box.accepted()
    found = await box.get("/_sandbox/coverage")
    assert {*found["met"], *found["unmet"]} == set(ALL)
    await box.developers("GET", "/sms/history")
    found = await box.get("/_sandbox/coverage")
    assert {*found["met"], *found["unmet"]} == {*ALL, *OF_DEVELOPERS}
    await box.control("POST", "/reset")
    found = await box.get("/_sandbox/coverage")
    assert found["unmet"] == list(ALL)


@pytest.mark.parametrize(
    ("to", "events"),
    [
        (NUMBER, ["message.sent webhook", "message.delivered webhook"]),
        ("+256700000002", ["message.failed webhook"]),
        ("+256700000009", []),
    ],
)
async def test_an_event_is_met_when_a_receiver_takes_it(
    box: Box, receiver: Receiver, to: str, events: list[str]
) -> None:
    await box.listen(receiver.url)
    await box.accepted(to)
    await box.advance(seconds=10)
    assert [each for each in await met(box) if each.endswith("webhook")] == events


async def test_an_event_that_the_receiver_refuses_is_not_met(box: Box, receiver: Receiver) -> None:
    receiver.answers = [500]
    await box.freeze()
    await box.listen(receiver.url, events=["message.sent"])
    await box.accepted()
    await box.advance(seconds=1)
    assert "message.sent webhook" not in await met(box)
    await box.advance(seconds=10)
    assert "message.sent webhook" in await met(box)


async def test_a_retry_before_retry_after_is_not_a_success_after_waiting(box: Box) -> None:
    await box.add_fault({"status": 429, "retryAfter": 600}, times=1)
    for _ in range(2):
        await box.send()
    assert "success after waiting for Retry-After" not in await met(box)


async def test_a_lost_answer_is_not_met(box: Box) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990")
    assert await met(box) == []


async def test_page_one_is_not_past_the_first(box: Box) -> None:
    for page in ("1", "01"):
        await listed(box, page=page)
    await listed(box, page="0")
    assert "200 a page past the first" not in await met(box)


async def test_without_an_account_coverage_is_of_all_accounts(box: Box) -> None:
    await box.accepted()
    await box.http.get(f"{BASE_PATH}/messages")
    found = (await box.http.get("/_sandbox/coverage")).json()
    assert found["met"] == ["message accepted", "401 unauthorized"]


async def test_a_reset_clears_the_coverage_of_its_account(box: Box) -> None:
    await box.accepted()
    other = box.other()
    await other.accepted()
    await box.control("POST", "/reset")
    assert await met(box) == []
    assert await met(other) == ["message accepted"]


def test_every_documented_status_and_code_is_counted() -> None:
    """The fidelity page's table of errors says which are documented; all of these count."""
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|.*\| ([^|]*) \|$", CONTRACT.read_text(), re.M)
    documented = {f"{status} {code}" for status, code, source in rows if "documented" in source}
    assert documented == {each for each in ALL if re.match(r"[45]\d\d ", each)}


def test_every_behaviour_can_be_met() -> None:
    events = {each for each in ALL if each.endswith(" webhook")}
    assert set(ACTIONS) | events == set(ALL)
