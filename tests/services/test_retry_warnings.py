"""Warnings about several requests: retries, keys that come again, and polling."""

from typing import Any

import httpx
import pytest
from box import BASE_PATH, DEVELOPERS, Box, sandbox
from messages_sdk import MessagesSdk
from receiver import Receiver
from sdk import TYPESCRIPT_1, sdk_of
from sends import AS_SDKS_SEND, CHANNELS


async def lose(box: Box, **fields: Any) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990", **fields)


# retried-too-early


async def test_a_retry_before_retry_after_causes_a_warning(box: Box) -> None:
    await box.add_fault({"status": 429, "retryAfter": 500}, times=1)
    await box.freeze()
    await box.send()
    await box.advance(seconds=499.999)
    assert (await box.send()).headers["x-sandbox-warning"] == "retried-too-early"
    assert "Retry-After: 500" in (await box.warnings())[0]["message"]


async def test_a_retry_after_retry_after_causes_no_warning(box: Box) -> None:
    await box.add_fault({"status": 429, "retryAfter": 5}, times=1)
    await box.freeze()
    await box.send()
    await box.advance(seconds=5)
    assert "x-sandbox-warning" not in (await box.send()).headers


async def test_a_retry_before_the_window_has_room_causes_a_warning(box: Box) -> None:
    await box.freeze()
    await box.control("PATCH", "/account", {"limits": {"perMinute": 1}})
    for _ in range(3):
        await box.send()
    assert await box.warning_codes() == ["retried-too-early"]


async def test_another_request_before_retry_after_causes_no_warning(box: Box) -> None:
    await box.add_fault({"status": 503, "retryAfter": 5}, times=1)
    await box.send(message="one")
    await box.send(message="two")
    await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1})
    assert await box.warning_codes() == []


async def test_two_pages_are_not_one_request(box: Box) -> None:
    await box.add_fault({"status": 429, "retryAfter": 60}, match={"method": "GET"}, times=1)
    for page in (1, 2):
        await box.call("GET", f"{BASE_PATH}/messages", params={"page": page})
    assert await box.warning_codes() == []


async def test_a_new_key_for_each_attempt_does_not_hide_a_retry(box: Box) -> None:
    fault = {"status": 503, "retryAfter": 60, "commit": True}
    await box.add_fault(fault, times=1)
    first = await box.send(key="attempt-1")
    second = await box.send(key="attempt-2")
    assert (first.status_code, second.status_code) == (503, 201)
    assert await box.warning_codes() == ["retried-too-early"]
    report = await box.get("/_sandbox/report")
    assert (report["retries"]["total"], report["duplicates"]["total"]) == (1, 1)


# post-retried-without-idempotency-key


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_failed_post_that_is_retried_without_a_key_causes_a_warning(
    box: Box, status: int
) -> None:
    await box.add_fault({"status": status}, times=1)
    for _ in range(2):
        await box.send()
    [warning] = await box.warnings()
    assert warning["code"] == "post-retried-without-idempotency-key"
    assert f"was answered {status}" in warning["message"]


async def test_the_warning_names_the_message_that_was_accepted_already(box: Box) -> None:
    await lose(box)
    await lose(box)
    listed = (await box.get("/_sandbox/messages"))["data"]
    [warning] = await box.warnings()
    assert warning["code"] == "post-retried-without-idempotency-key"
    assert "got no answer, and the same POST came again" in warning["message"]
    assert f"{listed[-1]['id']} was accepted" in warning["message"]
    assert len(listed) == 2


async def test_with_a_key_it_is_one_message_and_no_warning(box: Box) -> None:
    await lose(box, key="k")
    assert (await box.send("+256700004990", key="k")).status_code == 201
    assert await box.warning_codes() == []
    assert (await box.get("/_sandbox/messages"))["total"] == 1


async def test_a_retry_after_429_needs_no_key(box: Box) -> None:
    await box.add_fault({"status": 429}, times=1)
    await box.send()
    await box.advance(seconds=1)
    await box.send()
    assert await box.warning_codes() == []


async def test_a_device_may_be_registered_again(box: Box) -> None:
    await box.add_fault({"status": 503}, times=2)
    device = {"token": "a-device", "platform": "ios"}
    for _ in range(2):
        await box.call("POST", f"{DEVELOPERS}/push/device", json=device)
        await box.call("POST", f"{BASE_PATH}/nowhere", json=device)
    assert await box.warning_codes() == []


@CHANNELS
async def test_a_failed_send_of_every_channel_that_is_retried_causes_a_warning(
    box: Box, path: str
) -> None:
    await box.add_fault({"status": 503}, times=1)
    for _ in range(2):
        await box.call("POST", DEVELOPERS + path, json=AS_SDKS_SEND[path])
    assert await box.warning_codes() == ["post-retried-without-idempotency-key"]


async def test_a_get_may_be_retried(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    for _ in range(2):
        await box.call("GET", f"{BASE_PATH}/messages")
    assert await box.warning_codes() == []


async def test_the_same_text_again_after_a_success_is_no_retry(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    for _ in range(3):
        await box.send()
    assert await box.warning_codes() == ["post-retried-without-idempotency-key"]


async def test_an_official_client_gets_one_warning_for_each_retry(box: Box) -> None:
    await MessagesSdk(sdk_of(box, TYPESCRIPT_1)).send("+256700005030")
    found = [each for each in await box.warning_codes() if each != "bearer-missing"]
    assert found == ["post-retried-without-idempotency-key"] * 3


# idempotency-key-reused-with-another-body


async def test_a_key_with_another_body_causes_a_warning(box: Box) -> None:
    await box.send(message="one", key="k")
    answer = await box.send(message="two", key="k")
    assert (answer.json()["message"], answer.headers["x-sandbox-warning"]) == (
        "one",
        "idempotency-key-reused-with-another-body",
    )


async def test_a_key_with_another_body_causes_a_warning_under_the_strict_setting() -> None:
    async with sandbox(strict_idempotency=True) as box:
        await box.send(message="one", key="k")
        answer = await box.send(message="two", key="k")
    assert answer.status_code == 422
    assert answer.headers["x-sandbox-warning"] == "idempotency-key-reused-with-another-body"


async def test_a_key_with_the_same_body_causes_no_warning(box: Box) -> None:
    for _ in range(2):
        await box.send(message="one", key="k")
    assert await box.warning_codes() == []


# polls-instead-of-webhook


async def test_polling_a_pending_message_causes_a_warning(box: Box) -> None:
    message = await box.accepted("+256700000003")
    for _ in range(4):
        await box.read(message)
    assert await box.warning_codes() == []
    await box.read(message)
    assert await box.warning_codes() == ["polls-instead-of-webhook"]


async def test_polling_a_delivered_message_causes_no_warning(box: Box) -> None:
    message = await box.accepted()
    await box.advance(seconds=10)
    for _ in range(10):
        await box.read(message)
    assert await box.warning_codes() == []


@pytest.mark.parametrize("how", ["callbackUrl", "endpoint"])
async def test_polling_with_a_webhook_causes_no_warning(
    box: Box, receiver: Receiver, how: str
) -> None:
    if how == "endpoint":
        await box.listen(receiver.url)
    url = {"callbackUrl": receiver.url} if how == "callbackUrl" else {}
    message = await box.accepted("+256700000003", **url)
    for _ in range(10):
        await box.read(message)
    assert await box.warning_codes() == []
