"""Push messages and devices."""

from typing import Any

import pytest
from box import DEVELOPERS, Box, sandbox
from sends import PUSH


async def test_the_response_to_a_push_names_the_recipients_that_failed(box: Box) -> None:
    tokens = ["one", "sandbox-refused", "sandbox-bounce+1", "two", "sandbox-stuck"]
    sent = await box.developers("POST", "/push", PUSH | {"tokens": tokens})
    assert (sent["recipientCount"], sent["successCount"], sent["failureCount"]) == (5, 2, 2)
    assert sent["status"] == "pending"
    assert await box.developers("GET", f"/{sent['id']}") == sent


@pytest.mark.parametrize(
    ("tokens", "status"),
    [(["one"], "sent"), (["one", "sandbox-refused"], "sent"), (["sandbox-refused"], "failed")],
)
async def test_the_status_of_a_push_combines_its_devices(
    box: Box, tokens: list[str], status: str
) -> None:
    sent = await box.developers("POST", "/push", PUSH | {"tokens": tokens})
    assert sent["status"] == status
    assert ("sentAt" in sent) is (status == "sent")


async def test_a_topic_takes_precedence_over_users_and_tokens(box: Box) -> None:
    sent = await box.developers("POST", "/push", PUSH | {"topic": "news", "userIds": ["1", "2"]})
    assert (sent["topic"], sent["recipientCount"]) == ("news", 1)
    assert (await box.details(sent))["to"] == ["topic:news"]


async def test_users_and_tokens_are_recipients_alike(box: Box) -> None:
    sent = await box.developers("POST", "/push", PUSH | {"userIds": ["1", "2"]})
    assert sent["recipientCount"] == 3
    assert (await box.details(sent))["to"] == ["user:1", "user:2", "token-of-a-phone"]


async def test_a_device_is_registered_updated_removed_and_registered_again(box: Box) -> None:
    device = {"token": "token-of-a-phone", "platform": "android"}
    first = await box.call("POST", f"{DEVELOPERS}/push/device", json=device)
    assert (first.status_code, first.json()["isActive"]) == (201, True)
    again = await box.call("POST", f"{DEVELOPERS}/push/device", json=device | {"platform": "web"})
    assert (again.status_code, again.json()) == (200, first.json() | {"platform": "web"})
    gone = await box.developers("DELETE", "/push/device", {"token": "token-of-a-phone"})
    assert gone["message"]
    error = await box.developers_error("DELETE", "/push/device", {"token": "token-of-a-phone"})
    assert error["code"] == "not_found"
    back = await box.developers("POST", "/push/device", device)
    assert back == first.json()


async def test_a_push_to_a_removed_device_fails(box: Box) -> None:
    await box.developers("POST", "/push/device", {"token": "gone", "platform": "ios"})
    assert (await box.developers("POST", "/push", PUSH | {"tokens": ["gone"]}))["successCount"] == 1
    await box.developers("DELETE", "/push/device", {"token": "gone"})
    sent = await box.developers("POST", "/push", PUSH | {"tokens": ["gone", "other"]})
    assert (sent["successCount"], sent["failureCount"]) == (1, 1)
    assert (await box.details(sent))["recipients"][0]["reason"] == "The device is not registered"


async def test_a_device_belongs_to_one_account(box: Box) -> None:
    await box.developers("POST", "/push/device", {"token": "mine", "platform": "ios"})
    assert (await box.other().developers_error("DELETE", "/push/device", {"token": "mine"}))[
        "code"
    ] == ("not_found")


@pytest.mark.parametrize("platform", ["windows", "iOS", "", 1, ["ios"]])
async def test_an_unknown_platform_is_refused(box: Box, platform: Any) -> None:
    error = await box.developers_error("POST", "/push/device", {"token": "a", "platform": platform})
    assert error["details"] == {
        "field": "platform",
        "value": platform,
        "expected": "one of android, ios, web",
    }


async def test_with_manual_delivery_a_push_stays_pending() -> None:
    async with sandbox(delivery="manual") as box:
        sent = await box.developers("POST", "/push", PUSH)
        assert (sent["status"], sent["successCount"]) == ("pending", 0)
        await box.control("POST", f"/messages/{sent['id']}/status", {"status": "sent"})
        assert (await box.developers("GET", f"/{sent['id']}"))["successCount"] == 1


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ({"topic": "news", "tokens": ["sandbox-answered-500"]}, 201),
        ({"tokens": "a,sandbox-answered-500"}, 201),
        ({"tokens": "sandbox-answered-500"}, 500),
        ({"tokens": ["a"], "userIds": "sandbox-answered-500"}, 500),
    ],
)
async def test_a_magic_token_acts_only_if_the_push_is_sent_to_it(
    box: Box, to: Any, status: int
) -> None:
    answer = await box.call("POST", f"{DEVELOPERS}/push", json=PUSH | to)
    assert answer.status_code == status


@pytest.mark.parametrize("token", ["user:7", "topic:news"])
async def test_a_token_is_neither_a_user_nor_a_topic(box: Box, token: str) -> None:
    error = await box.developers_error("POST", "/push", PUSH | {"tokens": [token]})
    assert error["details"]["field"] == "tokens"
    device = {"token": token, "platform": "ios"}
    assert (await box.developers_error("POST", "/push/device", device))["details"][
        "field"
    ] == "token"


async def test_an_invalid_token_cannot_be_removed(box: Box) -> None:
    answer = await box.call(
        "DELETE",
        f"{DEVELOPERS}/push/device",
        content=b'{"token": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400


async def test_a_removed_device_gets_nothing_without_delays_either() -> None:
    async with sandbox(sent_after=0, delivered_after=0) as box:
        await box.developers("POST", "/push/device", {"token": "gone", "platform": "ios"})
        await box.developers("DELETE", "/push/device", {"token": "gone"})
        sent = await box.developers("POST", "/push", PUSH | {"tokens": ["gone"]})
        await box.advance(seconds=1)
        [recipient] = (await box.details(sent))["recipients"]
        assert [each["status"] for each in recipient["timeline"]] == ["pending", "failed"]
