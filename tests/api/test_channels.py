"""Every channel can be sent, listed, scheduled, put into a scenario, counted and priced."""

import json
from pathlib import Path
from typing import Any

import pytest
from box import Box, boxed, sandbox
from sends import SENDS, later

from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.scenario import load
from msgine_sandbox.settings import Settings

CHANNELS = pytest.mark.parametrize("channel", Channel)


async def listed(box: Box, channel: Channel) -> list[dict[str, Any]]:
    """The history of a channel in the Developers API, whatever its list is called."""
    history = await box.developers("GET", f"/{channel}/history")
    [found] = [value for value in history.values() if isinstance(value, list)]
    return found


@CHANNELS
async def test_a_message_is_sent_read_and_listed(box: Box, channel: Channel) -> None:
    await box.freeze()
    sent = await box.developers("POST", f"/{channel}", SENDS[f"/{channel}"])
    assert sent["channel"] == channel
    assert await box.developers("GET", f"/{sent['id']}") == sent
    assert [each["id"] for each in await listed(box, channel)] == [sent["id"]]
    details = await box.details(sent)
    assert (details["channel"], details["status"]) == (channel, sent["status"])


@CHANNELS
async def test_a_message_is_delivered_by_the_clock(box: Box, channel: Channel) -> None:
    await box.freeze()
    sent = await box.developers("POST", f"/{channel}", SENDS[f"/{channel}"])
    await box.advance(minutes=1)
    assert (await box.details(sent))["status"] == "delivered"


@CHANNELS
async def test_a_message_is_scheduled(box: Box, channel: Channel) -> None:
    await box.freeze()
    body = SENDS[f"/{channel}"] | {"scheduledFor": await later(box, hours=1)}
    sent = await box.developers("POST", f"/{channel}", body)
    assert sent["status"] == "queued"
    await box.advance(hours=2)
    assert (await box.details(sent))["status"] == "delivered"


@CHANNELS
async def test_a_message_is_part_of_a_scenario(channel: Channel, tmp_path: Path) -> None:
    body = SENDS[f"/{channel}"] | {"channel": channel}
    account = {"token": "test_scenario", "messages": [body]}
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps({"accounts": [account]}))
    built = Sandbox(Settings())
    await built.lifecycle.start()
    await load(built, str(file))
    async with boxed(built) as box:
        found = await box.other("test_scenario").control("GET", "/messages")
    assert [message["channel"] for message in found["data"]] == [channel]


@CHANNELS
async def test_a_message_counts_in_analytics_and_coverage(box: Box, channel: Channel) -> None:
    await box.freeze()
    await box.developers("POST", f"/{channel}", SENDS[f"/{channel}"])
    await box.advance(minutes=1)
    overview = await box.developers("GET", "/analytics/overview")
    assert overview["channels"][channel]["sent"] == 1
    [day] = (await box.developers("GET", "/analytics/daily", days=1))["data"]
    assert day[channel]["sent"] == 1
    assert TRAITS[channel].accepted in (await box.get("/_sandbox/coverage"))["met"]


@CHANNELS
async def test_a_message_costs_what_the_account_pays(box: Box, channel: Channel) -> None:
    await box.control("PATCH", "/account", {"developerPrices": {channel: 7}})
    sent = await box.developers("POST", f"/{channel}", SENDS[f"/{channel}"])
    assert (await box.details(sent))["developerCost"] == 7


@CHANNELS
async def test_a_credential_needs_the_channels_scope(channel: Channel) -> None:
    async with sandbox() as box:
        for scopes, status in (([TRAITS[channel].scope], 201), (["READ_MESSAGES"], 403)):
            await box.control("PATCH", "/account", {"scopes": scopes})
            path = f"/api/v1/developers/{channel}"
            answer = await box.call("POST", path, json=SENDS[f"/{channel}"])
            assert answer.status_code == status


@CHANNELS
async def test_a_magic_recipient_fails_for_the_channels_own_reason(
    box: Box, channel: Channel
) -> None:
    await box.freeze()
    [magic] = [
        each for each in (await box.get("/_sandbox/magic"))["data"] if each["name"] == "refused"
    ]
    recipients = {magic["number"], magic["address"], magic["token"]}
    for recipient in recipients:
        body = SENDS[f"/{channel}"]
        field = "tokens" if "tokens" in body else "to"
        path = f"/api/v1/developers/{channel}"
        answer = await box.call("POST", path, json=body | {field: [recipient]})
        if answer.status_code == 201:
            sent = answer.json()
            await box.advance(minutes=1)
            reasons = [each["reason"] for each in (await box.details(sent))["recipients"]]
            if reasons == [TRAITS[channel].fails_without_sending]:
                return
    raise AssertionError("no magic recipient of the channel was refused")


def test_every_channel_has_its_traits_and_a_body_to_test_it_with() -> None:
    assert TRAITS.keys() == set(Channel)
    assert {path.removeprefix("/") for path in SENDS} == set(Channel)
