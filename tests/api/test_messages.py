"""Sending, reading and listing messages."""

import re
from decimal import Decimal

import pytest
from box import NUMBER, Box, sandbox

THREE = ["+256701234567", "+256701234568", "+256701234569"]


async def test_a_sent_message_is_answered_as_documented(box: Box) -> None:
    answer = await box.send(NUMBER, "Hello from MsGine!")
    message = answer.json()
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"msg_[0-9a-f]{16}", message["id"])
    assert re.fullmatch(r"SM[0-9a-f]{16}", message["sid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", message["createdAt"])
    assert message["updatedAt"] == message["createdAt"]
    rest = {k: v for k, v in message.items() if k not in {"id", "sid", "createdAt", "updatedAt"}}
    assert rest == {
        "channel": "sms",
        "to": [NUMBER],
        "from": "MsGine",
        "message": "Hello from MsGine!",
        "content": "Hello from MsGine!",
        "status": "pending",
        "cost": 0.05,
        "currency": "USD",
    }


async def test_three_recipients_cost_exactly_three_times_as_much(box: Box) -> None:
    answer = await box.send(THREE)
    assert '"cost":0.15,' in answer.text
    assert answer.json()["to"] == THREE


async def test_a_recipient_given_twice_is_one(box: Box) -> None:
    message = await box.accepted([NUMBER, NUMBER])
    assert message["to"] == [NUMBER]
    assert message["cost"] == 0.05


@pytest.mark.parametrize(("length", "cost"), [(160, "0.05"), (161, "0.1"), (307, "0.15")])
async def test_a_long_text_costs_by_the_segment(box: Box, length: int, cost: str) -> None:
    message = await box.accepted(NUMBER, "a" * length)
    assert Decimal(str(message["cost"])) == Decimal(cost)


async def test_the_sender_is_the_requested_one(box: Box) -> None:
    assert (await box.accepted(**{"from": "MyApp"}))["from"] == "MyApp"


async def test_a_message_is_read_with_its_current_status(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    assert await box.read(message) == message
    await box.advance(seconds=3)
    assert (await box.read(message))["status"] == "delivered"


async def test_another_account_cannot_read_a_message(box: Box) -> None:
    message = await box.accepted()
    answer = await box.other().call("GET", f"/api/v1/messages/{message['id']}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


async def test_pages_are_newest_first_and_have_the_total() -> None:
    async with sandbox(tier="unlimited") as box:
        sent = [(await box.accepted(message=f"number {n}"))["id"] for n in range(47)]
        second = await box.get("/api/v1/messages", page=2, limit=20)
        assert [each["id"] for each in second["data"]] == sent[::-1][20:40]
        assert second["pagination"] == {"page": 2, "limit": 20, "total": 47, "pages": 3}
        last = await box.get("/api/v1/messages", page=3, limit=20)
        assert [each["id"] for each in last["data"]] == sent[::-1][40:]
        beyond = await box.get("/api/v1/messages", page=4, limit=20)
        assert beyond == {
            "data": [],
            "pagination": {"page": 4, "limit": 20, "total": 47, "pages": 3},
        }


async def test_the_default_is_the_first_page_of_twenty(box: Box) -> None:
    empty = await box.get("/api/v1/messages")
    assert empty == {"data": [], "pagination": {"page": 1, "limit": 20, "total": 0, "pages": 0}}


@pytest.mark.parametrize("token", ["test_free_1", "test_readonly_1", "test_sendonly_1"])
async def test_the_account_is_empty_and_has_the_rate_headers(box: Box, token: str) -> None:
    own = box.other(token)
    answer = await own.call("GET", "/api/v1/account")
    assert (answer.status_code, answer.json()) == (200, {})
    limit = 60 if "free" in token else 100
    assert answer.headers["x-ratelimit-limit"] == str(limit)
    assert answer.headers["x-ratelimit-remaining"] == str(limit - 1)
    assert int(answer.headers["x-ratelimit-reset"])
    [entry] = (await own.get("/_sandbox/requests"))["data"]
    assert (entry["path"], entry["status"], entry["warnings"]) == ("/api/v1/account", 200, [])


async def test_the_account_needs_a_credential_and_can_only_be_read(box: Box) -> None:
    assert (await box.anonymous.call("GET", "/api/v1/account")).status_code == 401
    answer = await box.call("POST", "/api/v1/account", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await box.call("HEAD", "/api/v1/account")).content == b""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("page", bad) for bad in ("0", "-1", "1.5", "x", "", "１", "9" * 40)],
        *[("limit", bad) for bad in ("0", "101", "-5", "all", "1e1")],
    ],
)
async def test_a_bad_page_is_refused_with_its_field(box: Box, name: str, value: str) -> None:
    answer = await box.call("GET", "/api/v1/messages", params={name: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_request")
    assert error["details"]["field"] == name
    assert error["details"]["value"] == value
