"""Scheduled messages of every channel."""

from typing import Any

import pytest
from box import Box, sandbox
from sends import CHANNELS, PUSH, SENDS, SMS, later, micros

from msgine_sandbox.model.clock import iso_micros, iso_seconds


@CHANNELS
async def test_a_scheduled_message_is_queued_until_its_time(box: Box, path: str) -> None:
    await box.freeze()
    at = await later(box, hours=1)
    sent = await box.developers("POST", path, SENDS[path] | {"scheduledFor": at})
    assert (sent["status"], sent["scheduledAt"], "sentAt" in sent) == ("queued", at, False)
    await box.control("POST", "/clock/advance", {"to": iso_seconds(micros(at) - 10**6)})
    assert (await box.developers("GET", f"/{sent['id']}"))["status"] == "queued"
    await box.control("POST", "/clock/advance", {"to": at})
    status = "sent" if path == "/push" else "pending"  # a push service takes it at once
    assert (await box.developers("GET", f"/{sent['id']}"))["status"] == status
    await box.advance(seconds=2)
    arrived = await box.developers("GET", f"/{sent['id']}")
    assert (arrived["status"], arrived["scheduledAt"]) == ("delivered", at)
    assert micros(arrived["sentAt"]) >= micros(at)


async def test_a_scheduled_message_waits_for_its_time_under_manual_delivery() -> None:
    async with sandbox(delivery="manual") as box:
        sent = await box.developers(
            "POST", "/sms", SMS | {"scheduledFor": await later(box, hours=1)}
        )
        await box.advance(hours=2)
        assert (await box.developers("GET", f"/{sent['id']}"))["status"] == "pending"


async def test_the_messages_api_shows_a_scheduled_message_as_pending(box: Box) -> None:
    sent = await box.developers("POST", "/sms", SMS | {"scheduledFor": await later(box, hours=1)})
    read = await box.read(sent)
    assert (read["status"], read["cost"], read["currency"]) == ("pending", 0.05, "USD")
    assert "scheduledAt" not in read


@CHANNELS
@pytest.mark.parametrize(
    "when",
    [
        "tomorrow",
        "2020-01-01T00:00:00Z",
        "2099-01-01T00:00:00",
        "2099-01-01",
        "2099-W01-1T00:00Z",
        "20990101T000000Z",
        "2099-02-30T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "",
        5,
    ],
)
async def test_an_invalid_or_past_time_is_refused(box: Box, path: str, when: Any) -> None:
    error = await box.developers_error("POST", path, SENDS[path] | {"scheduledFor": when})
    assert error["code"] == "invalid_request"
    assert (error["details"]["field"], error["details"]["value"]) == ("scheduledFor", when)
    assert error["details"]["expected"]


async def test_the_current_time_is_not_in_the_future(box: Box) -> None:
    await box.freeze()
    now = (await box.get("/_sandbox/clock"))["now"]
    error = await box.developers_error("POST", "/sms", SMS | {"scheduledFor": now})
    assert error["details"]["field"] == "scheduledFor"
    await box.developers("POST", "/sms", SMS | {"scheduledFor": iso_micros(micros(now) + 1)})


async def test_a_device_that_is_removed_before_the_scheduled_time_gets_nothing(box: Box) -> None:
    await box.developers("POST", "/push/device", {"token": "gone", "platform": "ios"})
    body = PUSH | {"tokens": ["gone", "other"], "scheduledFor": await later(box, hours=1)}
    sent = await box.developers("POST", "/push", body)
    await box.developers("DELETE", "/push/device", {"token": "gone"})
    await box.advance(hours=2)
    read = await box.developers("GET", f"/{sent['id']}")
    assert (read["successCount"], read["failureCount"], read["status"]) == (1, 1, "delivered")
