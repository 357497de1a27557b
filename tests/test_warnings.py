"""Each warning, by a client that deserves it and a client that does not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import BASE_PATH, NUMBER, Box, boxed, sandbox
from receiver import Receiver
from sdk import Sdk

from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

SEND = f"{BASE_PATH}/messages/sms"
FIXED_LINE = "+256414123456"
UNASSIGNED = "+256100123456"


async def warnings(box: Box) -> list[dict[str, str]]:
    """All warnings of an account, the oldest first."""
    found = (await box.get("/_sandbox/requests", limit=1000))["data"]
    return [warning for entry in reversed(found) for warning in entry["warnings"]]


async def codes(box: Box) -> list[str]:
    return [warning["code"] for warning in await warnings(box)]


async def fault(box: Box, effect: dict[str, Any], **fields: Any) -> None:
    answer = await box.call("POST", "/_sandbox/faults", json={"effect": effect, **fields})
    assert answer.status_code == 201, answer.text


async def lose(box: Box, **fields: Any) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990", **fields)


async def test_an_ordinary_client_is_not_warned(box: Box) -> None:
    answer = await box.send(
        NUMBER, "Hello", key="k", callbackUrl="http://localhost:9/", **{"from": "Me"}
    )
    await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1, "limit": 10})
    await box.read(answer.json())
    assert await codes(box) == []
    assert "x-sandbox-warning" not in answer.headers


async def test_a_warning_says_what_and_where_to_read_on(box: Box) -> None:
    await box.send(priority="high")
    assert await warnings(box) == [
        {
            "code": "unknown-field",
            "message": "The body has what this call ignores: priority",
            "advice": "Check the spelling of the name.",
            "docs": "docs/warnings.md#unknown-field",
        }
    ]


async def test_the_answer_names_each_code_once(box: Box) -> None:
    answer = await box.send([FIXED_LINE, UNASSIGNED], priority="high")
    assert answer.headers["x-sandbox-warning"] == "unknown-field, number-not-mobile"
    assert await codes(box) == ["unknown-field", "number-not-mobile", "number-not-mobile"]


async def test_a_refusal_carries_warnings_too(box: Box) -> None:
    answer = await box.send("12345", priority="high")
    assert (answer.status_code, answer.headers["x-sandbox-warning"]) == (400, "unknown-field")


# retried-too-early


async def test_who_comes_before_retry_after_is_warned(box: Box) -> None:
    await fault(box, {"status": 429, "retryAfter": 5}, times=1)
    await box.freeze()
    await box.send()
    await box.advance(seconds=4.999)
    assert (await box.send()).headers["x-sandbox-warning"] == "retried-too-early"
    assert "Retry-After: 5" in (await warnings(box))[0]["message"]


async def test_who_waits_for_retry_after_is_not(box: Box) -> None:
    await fault(box, {"status": 429, "retryAfter": 5}, times=1)
    await box.freeze()
    await box.send()
    await box.advance(seconds=5)
    assert "x-sandbox-warning" not in (await box.send()).headers


async def test_who_comes_again_before_the_window_has_room_is_warned(box: Box) -> None:
    await box.freeze()
    for _ in range(22):
        await box.send()
    assert await codes(box) == ["retried-too-early"]


async def test_who_asks_for_something_else_meanwhile_is_not(box: Box) -> None:
    await fault(box, {"status": 503, "retryAfter": 5}, times=1)
    await box.send(message="one")
    await box.send(message="two")
    await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1})
    assert await codes(box) == []


async def test_two_pages_are_not_one_request(box: Box) -> None:
    await fault(box, {"status": 429, "retryAfter": 60}, match={"method": "GET"}, times=1)
    for page in (1, 2):
        await box.call("GET", f"{BASE_PATH}/messages", params={"page": page})
    assert await codes(box) == []


# post-retried-without-idempotency-key


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_post_that_failed_and_comes_again_without_a_key(box: Box, status: int) -> None:
    await fault(box, {"status": status}, times=1)
    for _ in range(2):
        await box.send()
    [warning] = await warnings(box)
    assert warning["code"] == "post-retried-without-idempotency-key"
    assert f"was answered {status}" in warning["message"]


async def test_a_lost_answer_that_makes_a_duplicate_is_named(box: Box) -> None:
    await lose(box)
    await lose(box)
    listed = (await box.get("/_sandbox/messages"))["data"]
    [warning] = await warnings(box)
    assert warning["code"] == "post-retried-without-idempotency-key"
    assert "got no answer, and the same POST came again" in warning["message"]
    assert f"{listed[-1]['id']} was accepted" in warning["message"]
    assert len(listed) == 2


async def test_with_a_key_it_is_one_message_and_no_warning(box: Box) -> None:
    await lose(box, key="k")
    assert (await box.send("+256700004990", key="k")).status_code == 201
    assert await codes(box) == []
    assert (await box.get("/_sandbox/messages"))["total"] == 1


async def test_a_429_did_nothing_so_no_key_is_missed(box: Box) -> None:
    await fault(box, {"status": 429}, times=1)
    await box.send()
    await box.advance(seconds=1)
    await box.send()
    assert await codes(box) == []


async def test_a_get_may_come_again(box: Box) -> None:
    await fault(box, {"status": 503}, times=1)
    for _ in range(2):
        await box.call("GET", f"{BASE_PATH}/messages")
    assert await codes(box) == []


async def test_the_same_text_again_after_a_success_is_no_retry(box: Box) -> None:
    await fault(box, {"status": 503}, times=1)
    for _ in range(3):
        await box.send()
    assert await codes(box) == ["post-retried-without-idempotency-key"]


async def test_an_official_client_on_a_bad_day_is_told_once_for_each_retry(box: Box) -> None:
    async def sleep(seconds: float) -> None:
        await box.advance(seconds=seconds)

    client = Sdk(box.http, {"Authorization": f"Bearer {box.token}"}, sleep)
    await client.send("+256700005030")
    assert await codes(box) == ["post-retried-without-idempotency-key"] * 3


# idempotency-key-reused-with-another-body


async def test_a_key_with_another_body(box: Box) -> None:
    await box.send(message="one", key="k")
    answer = await box.send(message="two", key="k")
    assert (answer.json()["message"], answer.headers["x-sandbox-warning"]) == (
        "one",
        "idempotency-key-reused-with-another-body",
    )


async def test_a_key_with_another_body_under_the_strict_setting() -> None:
    async with sandbox(strict_idempotency=True) as box:
        await box.send(message="one", key="k")
        answer = await box.send(message="two", key="k")
    assert answer.status_code == 422
    assert answer.headers["x-sandbox-warning"] == "idempotency-key-reused-with-another-body"


async def test_a_key_with_the_same_body(box: Box) -> None:
    for _ in range(2):
        await box.send(message="one", key="k")
    assert await codes(box) == []


# bearer-missing


async def test_a_token_without_bearer(box: Box) -> None:
    await box.call("GET", f"{BASE_PATH}/messages", headers={"Authorization": box.token})
    assert await codes(box) == ["bearer-missing"]


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key"])
async def test_a_token_as_documented(box: Box, name: str) -> None:
    value = f"Bearer {box.token}" if name == "Authorization" else box.token
    await box.http.get(f"{BASE_PATH}/messages", headers={name: value})
    assert await codes(box) == []


# unknown-field


async def test_a_parameter_that_a_list_does_not_have(box: Box) -> None:
    answer = await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1, "page_size": 5})
    assert answer.headers["x-sandbox-warning"] == "unknown-field"
    assert "query" in (await warnings(box))[0]["message"]


async def test_what_a_client_calls_its_fields_may_be_anything(box: Box) -> None:
    names = ["\ud800", "x" * 1000, *map(str, range(20))]
    body = json.dumps({"to": NUMBER, "message": "Hello", **dict.fromkeys(names, 1)})
    answer = await box.call(
        "POST", SEND, content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201
    [warning] = await warnings(box)
    assert "\\ud800, xxx" in warning["message"]
    assert warning["message"].endswith(", 7 and 12 more")


# number-not-mobile


@pytest.mark.parametrize(
    ("number", "words"),
    [(FIXED_LINE, "is not a mobile number"), (UNASSIGNED, "is not assigned to anybody")],
)
async def test_a_number_that_gets_no_sms(box: Box, number: str, words: str) -> None:
    await box.accepted(number)
    [warning] = await warnings(box)
    assert warning["code"] == "number-not-mobile"
    assert number in warning["message"]
    assert words in warning["message"]


@pytest.mark.parametrize("number", [NUMBER, "+256700000000", "+254712345678", "+12025550123"])
async def test_a_number_that_may_be_a_mobile(box: Box, number: str) -> None:
    await box.accepted(number)
    assert await codes(box) == []


# text-forced-to-ucs2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It’s", "U+2019 (right single quotation mark)"),
        ("😀" + "a" * 159, "3 segments instead of 1"),
        ("–" * 70, "1 segment instead of 1"),
        ("a\ue000", "U+E000 (unnamed)"),
    ],
)
async def test_a_text_that_one_character_makes_dear(box: Box, text: str, words: str) -> None:
    await box.accepted(message=text)
    [warning] = await warnings(box)
    assert warning["code"] == "text-forced-to-ucs2"
    assert words in warning["message"]


@pytest.mark.parametrize("text", ["It's", "{[€]}", "a" * 1600, "Ωåñ@"])
async def test_a_text_in_gsm(box: Box, text: str) -> None:
    await box.accepted(message=text)
    assert await codes(box) == []


# webhook-slow, webhook-failed, webhook-localhost-in-container


async def test_a_receiver_that_takes_its_time(receiver: Receiver) -> None:
    def slow(handler: Any) -> None:
        asyncio.run(asyncio.sleep(0.6))
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    async with sandbox(webhook_timeout=1.5) as box:
        receiver.answers = [slow]
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        [warning] = await warnings(box)
    assert warning["code"] == "webhook-slow"
    assert receiver.url in warning["message"]


async def test_a_receiver_that_does_not_take_it(box: Box, receiver: Receiver) -> None:
    receiver.answers = [500]
    answer = await box.send(callbackUrl=receiver.url)
    await box.advance(seconds=1)
    assert "x-sandbox-warning" not in answer.headers  # it was not known yet
    [warning] = await warnings(box)
    assert warning["code"] == "webhook-failed"
    assert "message.sent: it answered 500" in warning["message"]


async def test_a_receiver_that_fails_often_is_told_of_once(box: Box, receiver: Receiver) -> None:
    receiver.answers = [500] * 20
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(hours=10)
    assert await codes(box) == ["webhook-failed"]


async def test_a_good_receiver(box: Box, receiver: Receiver) -> None:
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=10)
    assert await codes(box) == []


@pytest.mark.parametrize("end", ["0008", "0009"])
async def test_what_nobody_could_take_is_not_warned_about(
    box: Box, receiver: Receiver, end: str
) -> None:
    await box.listen(receiver.url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    receiver.answers = [401, 401]
    await box.accepted(f"+25670000{end}")
    await box.advance(seconds=3)
    assert await codes(box) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "app.localhost"])
async def test_localhost_is_the_container_itself(host: str) -> None:
    async with boxed(Sandbox(Settings(), in_container=True)) as box:
        await box.accepted(callbackUrl=f"http://{host}:9/hooks")
        await box.advance(seconds=1)
        assert await codes(box) == ["webhook-failed", "webhook-localhost-in-container"]


async def test_localhost_outside_of_a_container() -> None:
    async with boxed(Sandbox(Settings(), in_container=False)) as box:
        await box.accepted(callbackUrl="http://localhost:9/hooks")
        await box.advance(seconds=1)
        assert await codes(box) == ["webhook-failed"]


async def test_a_receiver_in_the_same_container_is_fine(receiver: Receiver) -> None:
    async with boxed(Sandbox(Settings(), in_container=True)) as box:
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        assert await codes(box) == []


# looks-live


@pytest.mark.parametrize(
    "token",
    [
        "msgine_live_4f5a",
        "sk_live_x",
        "prod-1",
        "PRODUCTION_KEY",
        "aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA",
    ],
)
async def test_a_token_that_looks_like_production(box: Box, token: str) -> None:
    account = box.other(token)
    await account.send()
    [warning] = await warnings(account)
    assert warning["code"] == "looks-live"
    assert token not in warning["message"]


@pytest.mark.parametrize(
    "token",
    ["test_me", "x", "olive", "product", "delivery_1", "test_aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA"],
)
async def test_a_token_that_does_not(box: Box, token: str) -> None:
    account = box.other(token)
    await account.send()
    assert await codes(account) == []


# polls-instead-of-webhook


async def test_a_message_that_is_read_again_and_again(box: Box) -> None:
    message = await box.accepted("+256700000003")
    for _ in range(4):
        await box.read(message)
    assert await codes(box) == []
    await box.read(message)
    assert await codes(box) == ["polls-instead-of-webhook"]


async def test_a_message_that_has_arrived_may_be_read_often(box: Box) -> None:
    message = await box.accepted()
    await box.advance(seconds=10)
    for _ in range(10):
        await box.read(message)
    assert await codes(box) == []


@pytest.mark.parametrize("how", ["callbackUrl", "endpoint"])
async def test_who_has_a_webhook_may_look_as_well(box: Box, receiver: Receiver, how: str) -> None:
    if how == "endpoint":
        await box.listen(receiver.url)
    url = {"callbackUrl": receiver.url} if how == "callbackUrl" else {}
    message = await box.accepted("+256700000003", **url)
    for _ in range(10):
        await box.read(message)
    assert await codes(box) == []


def test_every_code_is_tried_here() -> None:
    content = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in WarningCode if f'"{code}"' not in content] == []
