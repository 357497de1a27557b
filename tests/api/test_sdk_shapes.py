"""What the official SDKs send, and what they make of an answer, or of none."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, boxed, sandbox
from developer_sdk import DeveloperSdk, MsGineError
from messages_sdk import MessagesSdk
from sdk import GO, PYTHON, SDKS_2, TYPESCRIPT, TYPESCRIPT_1, LosesAnswers, Official, sdk_of

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

OTHER = "+256752345678"
EVERY_2 = pytest.mark.parametrize("official", SDKS_2, ids=lambda each: each.user_agent)
EVERY = pytest.mark.parametrize(
    "official", [TYPESCRIPT_1, *SDKS_2], ids=lambda each: each.user_agent
)


def sdk_1(box: Box) -> MessagesSdk:
    return MessagesSdk(sdk_of(box, TYPESCRIPT_1))


def sdk_2(box: Box, official: Official = TYPESCRIPT) -> DeveloperSdk:
    return DeveloperSdk(sdk_of(box, official))


async def send(box: Box, official: Official, key: str | None = None) -> Any:
    """Send an SMS with an SDK; the first one takes no key, and gives an answer of any status."""
    if official is TYPESCRIPT_1:
        return (await sdk_1(box).send()).json()
    return await sdk_2(box, official).send_sms([NUMBER], "Hello", idempotency_key=key)


async def bodies(box: Box) -> list[Any]:
    """Return the contents of the account's requests that have a body, the oldest first."""
    entries = (await box.get("/_sandbox/requests"))["data"]
    found = [each["request"]["body"] for each in reversed(entries)]
    return [json.loads(body) for body in found if body]


# What they send


async def test_sdk_1_sends_its_bare_token_one_recipient_and_the_text(box: Box) -> None:
    await box.freeze()
    answer = await sdk_1(box).send()
    assert answer.status_code == 201
    assert await box.read(answer.json()) == answer.json()
    assert await bodies(box) == [{"to": NUMBER, "message": "Hello"}]
    assert await box.warning_codes() == ["bearer-missing"]


async def test_sdk_1_is_refused_under_strict_auth() -> None:
    async with sandbox(strict_auth=True) as box:
        answer = await sdk_1(box).send()
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        assert (await sdk_2(box).send_sms([NUMBER], "Hello"))["id"]


async def test_a_batch_of_sdk_1_is_as_many_requests_at_once(box: Box) -> None:
    await box.freeze()
    numbers = [f"+2567012345{n:02d}" for n in range(25)]
    client = sdk_1(box)
    answers = await client.send_batch(numbers, "Hello")
    assert [each.status_code for each in answers] == [201] * 25
    assert [each.json()["to"] for each in answers] == [[number] for number in numbers]
    assert set(client.waited) == {1}  # a second's limit is twenty


@EVERY_2
async def test_an_sdk_2_joins_recipients_with_commas(box: Box, official: Official) -> None:
    client = sdk_2(box, official)
    text = await client.send_sms([NUMBER, OTHER], "Hello")
    assert text["to"] == [NUMBER, OTHER]
    people = ["jane@example.com", "joe@example.com"]
    email = await client.send_email(
        from_="shop@example.com", to=people, cc=people[:1], subject="Hello", text="Hello"
    )
    assert email["to"] == people
    sms, mail = await bodies(box)
    assert sms["to"] == f"{NUMBER},{OTHER}"
    assert mail["to"] == "jane@example.com,joe@example.com"
    assert await box.warning_codes() == []


@EVERY_2
async def test_an_sdk_2_sends_its_key_and_uses_the_same_account(
    box: Box, official: Official
) -> None:
    await box.freeze()
    message = await sdk_2(box, official).send_sms([NUMBER], "Hello")
    assert (await box.read(message))["id"] == message["id"]
    assert await box.warning_codes() == []


@EVERY_2
async def test_a_push_of_an_sdk_2_without_a_target_goes_to_the_devices(
    box: Box, official: Official
) -> None:
    client = sdk_2(box, official)
    with pytest.raises(MsGineError, match="register a device first"):
        await client.send_push(title="Your order", body="It is on its way")
    await client.register_device("token-of-a-phone", "android", device_id="jane")
    push = await client.send_push(title="Your order", body="It is on its way")
    assert (push["recipientCount"], push["successCount"]) == (1, 1)
    assert await box.warning_codes() == []


# What they read


async def test_an_sdk_reads_a_message_as_json_that_is_not_wrapped(box: Box) -> None:
    first = await sdk_1(box).send()
    assert first.headers["content-type"] == "application/json"
    for official in SDKS_2:
        message = await sdk_2(box, official).send_sms([NUMBER], "Hello")
        assert message["content"] == "Hello"
        assert message.keys() == first.json().keys()


async def test_the_go_sdk_takes_data_for_the_whole_answer(box: Box) -> None:
    for official in SDKS_2:
        client = sdk_2(box, official)
        push = await client.send_push(title="T", body="B", topic="news", data={"order": "1042"})
        daily = await client.daily(2)
        if official is GO:
            assert (push, len(daily)) == ({"order": "1042"}, 2)
        else:
            assert (push["data"], daily["days"]) == ({"order": "1042"}, 2)


@pytest.mark.parametrize("channel", ["sms", "email", "push"])
async def test_all_but_the_go_sdk_find_the_messages_of_a_history(box: Box, channel: str) -> None:
    typescript = sdk_2(box)
    await typescript.send_sms([NUMBER], "Hello")
    await typescript.send_email(
        from_="shop@example.com", to=["jane@example.com"], subject="Hello", text="Hello"
    )
    await typescript.send_push(title="Hello", body="Hello", user_ids=["1042"])
    for official in SDKS_2:
        client = sdk_2(box, official)
        history = await client.history(channel)
        # It reads `items`, which no document names.
        found = 0 if official is GO else 1
        assert (history["total"], len(client.listed(channel, history))) == (1, found)


@EVERY_2
async def test_an_sdk_finds_the_request_id_in_an_error(box: Box, official: Official) -> None:
    with pytest.raises(MsGineError) as refused:
        await sdk_2(box, official).send_sms(["0701234567"], "Hello")
    [entry] = (await box.get("/_sandbox/requests"))["data"]
    error = refused.value
    assert (error.status, error.code) == (400, "invalid_phone_number")
    assert error.request_id == entry["id"]
    answer = await sdk_1(box).send("0701234567")
    assert answer.json()["meta"]["requestId"] == answer.headers["x-request-id"]
    assert answer.json()["meta"]["timestamp"].endswith("Z")


# When they try again


@EVERY
async def test_an_sdk_retries_three_times_after_one_two_and_four_seconds(
    box: Box, official: Official
) -> None:
    await box.freeze()
    await box.add_fault({"status": 503}, times=3)
    assert (await send(box, official))["id"]
    await box.add_fault({"status": 503}, times=4)
    if official is TYPESCRIPT_1:
        assert (await sdk_1(box).send()).status_code == 503
    else:
        with pytest.raises(MsGineError, match="service_unavailable"):
            await send(box, official)


@EVERY
async def test_no_sdk_waits_for_retry_after(box: Box, official: Official) -> None:
    await box.freeze()
    await box.add_fault({"status": 429, "retryAfter": 60}, times=1)
    await send(box, official)
    assert "retried-too-early" in await box.warning_codes()


@EVERY
@pytest.mark.parametrize("key", [None, "order-1042"])
async def test_only_the_go_sdk_repeats_a_send_whose_connection_was_cut(
    box: Box, official: Official, key: str | None
) -> None:
    await box.add_fault({"drop": "after"}, times=1)
    if official is not GO:
        with pytest.raises(httpx.RemoteProtocolError):
            await send(box, official, key)
        assert await box.message_count() == 1
        return
    assert (await send(box, official, key))["id"]
    assert await box.message_count() == (2 if key is None else 1)
    expected = ["post-retried-without-idempotency-key"] if key is None else []
    assert await box.warning_codes() == expected


@asynccontextmanager
async def losing_answers() -> AsyncIterator[Box]:
    """An account whose client waits too long for its first answer, which it has then missed."""
    built = Sandbox(Settings())
    async with boxed(built) as box:
        transport = LosesAnswers(httpx.ASGITransport(app_of(built)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Box(http, box.token)


@EVERY
@pytest.mark.parametrize("key", [None, "order-1042"])
async def test_all_but_the_python_sdk_repeat_a_send_whose_answer_came_too_late(
    official: Official, key: str | None
) -> None:
    async with losing_answers() as box:
        if official is PYTHON:
            with pytest.raises(httpx.ReadTimeout):
                await send(box, official, key)
            assert await box.message_count() == 1
            return
        assert (await send(box, official, key))["id"]
        has_key = key is not None and official is not TYPESCRIPT_1
        assert await box.message_count() == (1 if has_key else 2)


@EVERY_2
async def test_an_sdk_that_bursts_gets_in_with_its_first_retry(
    box: Box, official: Official
) -> None:
    await box.freeze()
    client = sdk_2(box, official)
    for _ in range(20):
        await client.send_sms([NUMBER], "Hello")
    refused = await box.send()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    await client.send_sms([NUMBER], "Hello")
    assert client.waited == [1]


async def test_an_sdk_gives_up_before_the_minute_is_over_and_gets_in_after_it(box: Box) -> None:
    await box.freeze()
    client = sdk_1(box)
    for _ in range(5):
        for _ in range(20):
            assert (await client.send()).status_code == 201
        await box.advance(seconds=1)
    refused = await client.send()
    assert (refused.status_code, client.waited) == (429, [1, 2, 4])
    assert refused.json()["error"]["retryAfter"] == int(refused.headers["retry-after"]) == 48
    await box.advance(seconds=48)
    assert (await client.send()).status_code == 201
