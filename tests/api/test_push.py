"""Push messages and devices."""

from typing import Any

import pytest
from box import DEVELOPERS, Box, sandbox
from sends import PUSH, later

TITLE_AND_BODY = {"title": "Your order", "body": "It is on its way"}


async def register(box: Box, *tokens: str) -> None:
    for token in tokens:
        await box.developers("POST", "/push/device", {"token": token, "platform": "ios"})


async def remove(box: Box, token: str) -> None:
    await box.developers("DELETE", "/push/device", {"token": token})


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


# Without a target


@pytest.mark.parametrize("target", [{}, {"userIds": None, "tokens": None, "topic": None}])
async def test_a_push_without_a_target_goes_to_the_accounts_active_devices(
    box: Box, target: dict[str, Any]
) -> None:
    await register(box, "phone", "sold", "tablet")
    await register(box.other(), "of somebody else")
    await remove(box, "sold")
    sent = await box.developers("POST", "/push", TITLE_AND_BODY | target)
    assert (sent["recipientCount"], sent["successCount"], sent["status"]) == (2, 2, "sent")
    assert (await box.details(sent))["to"] == ["phone", "tablet"]
    assert await box.warning_codes() == []


async def test_a_push_to_the_accounts_devices_fails_for_magic_ones(box: Box) -> None:
    await register(box, "phone", "sandbox-bounce")
    sent = await box.developers("POST", "/push", TITLE_AND_BODY)
    assert (sent["successCount"], sent["failureCount"]) == (1, 1)


async def test_a_push_without_a_target_needs_a_registered_device(box: Box) -> None:
    await register(box, "sold")
    await remove(box, "sold")
    error = await box.developers_error("POST", "/push", TITLE_AND_BODY)
    assert "register a device first" in error["message"]
    assert error["details"]["field"] == "userIds"
    assert await box.message_count() == 0
    await register(box, "sold")
    assert (await box.developers("POST", "/push", TITLE_AND_BODY))["recipientCount"] == 1


@pytest.mark.parametrize(
    ("target", "field"),
    [({"userIds": []}, "userIds"), ({"tokens": []}, "tokens"), ({"topic": ""}, "topic")],
)
async def test_an_empty_target_is_not_taken_for_all_devices(
    box: Box, target: dict[str, Any], field: str
) -> None:
    await register(box, "phone")
    error = await box.developers_error("POST", "/push", TITLE_AND_BODY | target)
    assert error["details"]["field"] == field


async def test_a_push_goes_to_at_most_a_hundred_devices() -> None:
    async with sandbox(tier="unlimited") as box:
        await register(box, *(f"phone {number}" for number in range(100)))
        assert (await box.developers("POST", "/push", TITLE_AND_BODY))["recipientCount"] == 100
        await register(box, "one more")
        error = await box.developers_error("POST", "/push", TITLE_AND_BODY)
        assert error["message"] == (
            "A push without userIds or a topic goes to all registered devices, which are 101: it "
            "can go to at most 100"
        )
        assert error["details"] == {
            "field": "userIds",
            "expected": "userIds or a topic, or at most 100 registered devices",
        }
        await remove(box, "phone 7")
        assert (await box.developers("POST", "/push", TITLE_AND_BODY))["recipientCount"] == 100


@pytest.mark.parametrize("target", ["userIds", "topic", "tokens"])
@pytest.mark.parametrize(
    "name", ["می\u200cخواهم", "\U0001f3f3\ufe0f\u200d\U0001f308", "a\u00a0b"], ids=ascii
)
async def test_a_target_may_have_characters_of_any_language(
    box: Box, target: str, name: str
) -> None:
    value = name if target == "topic" else [name]
    await box.add_fault({"status": 503}, match={"to": f"*{name}"}, times=1)
    body = TITLE_AND_BODY | {target: value}
    answer = await box.call("POST", f"{DEVELOPERS}/push", json=body)
    assert answer.status_code == 503
    assert (await box.developers("POST", "/push", body))["recipientCount"] == 1
    refused = TITLE_AND_BODY | {target: "a\u2028b" if target == "topic" else ["a\u2028b"]}
    error = await box.developers_error("POST", "/push", refused)
    assert (error["code"], error["details"]["field"]) == ("invalid_request", target)


async def test_a_scheduled_push_goes_to_the_devices_of_its_acceptance(box: Box) -> None:
    await box.freeze()
    await register(box, "phone", "tablet")
    body = TITLE_AND_BODY | {"scheduledFor": await later(box, hours=1)}
    sent = await box.developers("POST", "/push", body)
    assert (sent["recipientCount"], sent["status"]) == (2, "queued")
    await register(box, "new")
    await remove(box, "phone")
    await box.advance(hours=2)
    found = await box.developers("GET", f"/{sent['id']}")
    assert (found["recipientCount"], found["successCount"], found["failureCount"]) == (2, 1, 1)


# With a target


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


async def test_a_device_may_name_its_id(box: Box) -> None:
    device = {"token": "token-of-a-phone", "platform": "android"}
    first = await box.developers("POST", "/push/device", device | {"deviceId": "jane"})
    assert await box.developers("POST", "/push/device", device | {"deviceId": None}) == first
    assert await box.warning_codes() == []
    error = await box.developers_error("POST", "/push/device", device | {"deviceId": 7})
    assert error["details"] == {"field": "deviceId", "value": 7, "expected": "a string"}


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
