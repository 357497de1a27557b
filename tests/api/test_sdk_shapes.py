"""What the official clients send, and what they expect of an answer."""

from typing import Any

import pytest
from box import Box, sandbox
from sdk import Sdk

BASE = "/api/v1"
SDK_1 = "@msgine/sdk/1.0.0"
SDKS_2 = ["@msgine/sdk/2.0.0", "msgine-python/2.0.0", "msgine-go/2.0.0"]


def sdk_1(box: Box) -> Sdk:
    """Return SDK 1.0, which sends its token without a scheme."""
    return _sdk(box, {"Authorization": box.token, "User-Agent": SDK_1})


def sdk_2(box: Box, user_agent: str = SDKS_2[0]) -> Sdk:
    """Return an SDK 2.0, which sends a key."""
    return _sdk(box, {"X-Api-Key": box.token, "User-Agent": user_agent})


def _sdk(box: Box, headers: dict[str, str]) -> Sdk:
    async def sleep(seconds: float) -> None:
        await box.advance(seconds=seconds)

    return Sdk(box.http, headers, sleep)


async def test_sdk_1_sends_its_bare_token(box: Box) -> None:
    await box.freeze()
    answer = await sdk_1(box).send()
    assert answer.status_code == 201
    assert await box.read(answer.json()) == answer.json()


async def test_sdk_1_is_refused_under_strict_auth() -> None:
    async with sandbox(strict_auth=True) as box:
        answer = await sdk_1(box).send()
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        assert (await sdk_2(box).send()).status_code == 201


@pytest.mark.parametrize("user_agent", SDKS_2)
async def test_an_sdk_2_sends_its_key_and_uses_the_same_account(box: Box, user_agent: str) -> None:
    await box.freeze()
    answer = await sdk_2(box, user_agent).send()
    assert answer.status_code == 201
    assert await box.read(answer.json()) == answer.json()


@pytest.mark.parametrize("client", [sdk_1, sdk_2])
async def test_an_sdk_reads_a_message_as_json_that_is_not_wrapped(box: Box, client: Any) -> None:
    answer = await client(box).send(["+256701234567", "+256701234568"])
    assert answer.headers["content-type"] == "application/json"
    assert "data" not in answer.json()
    assert answer.json()["to"] == ["+256701234567", "+256701234568"]
    assert answer.json()["content"] == answer.json()["message"] == "Hello"


@pytest.mark.parametrize("client", [sdk_1, sdk_2])
async def test_an_sdk_finds_the_request_id_in_an_error(box: Box, client: Any) -> None:
    answer = await client(box).send("0701234567")
    assert answer.status_code == 400
    assert answer.json()["meta"]["requestId"] == answer.headers["x-request-id"]
    assert answer.json()["meta"]["timestamp"].endswith("Z")


@pytest.mark.parametrize("client", [sdk_1, sdk_2])
async def test_an_sdk_that_bursts_gets_in_with_its_first_retry(box: Box, client: Any) -> None:
    await box.freeze()
    sdk = client(box)
    for _ in range(20):
        assert (await sdk.send()).status_code == 201
    refused = await box.send()
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert (await sdk.send()).status_code == 201
    assert sdk.waited == [1]


async def test_an_sdk_gives_up_before_the_minute_is_over_and_gets_in_after_it(box: Box) -> None:
    await box.freeze()
    sdk = sdk_2(box)
    for _ in range(5):
        for _ in range(20):
            assert (await sdk.send()).status_code == 201
        await box.advance(seconds=1)
    refused = await sdk.send()
    assert (refused.status_code, sdk.waited) == (429, [1, 2, 4])
    assert refused.json()["error"]["retryAfter"] == int(refused.headers["retry-after"]) == 48
    await box.advance(seconds=48)
    assert (await sdk.send()).status_code == 201
