"""Scheduled messages of every channel."""

from datetime import datetime
from typing import Any

import pytest
from box import Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from sends import AS_SDKS_SEND, CHANNELS, PUSH, SENDS, SMS, later, micros

from msgine_sandbox.asgi.fields import time_of
from msgine_sandbox.model.clock import from_datetime, iso_micros, iso_seconds


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
        "2020-01-01T00:00:00",
        "2020-01-01T03:00:00+03:00",
        "2020-01-01T00:00Z",
        "2099-01-01",
        "2099-01-01 09:00:00",
        "2099-02-30T00:00:00",
        "2099-W01-1T00:00Z",
        "20990101T000000Z",
        "2099-001T00:00Z",
        "2099-01-01T09Z",
        "2099-01-01T24:00Z",
        "2099-01-01T24:00:00",
        "2099-01-01T23:59:60Z",
        "2099-01-01T09:00:00,5Z",
        "2099-01-01t09:00:00z",
        "+002099-01-01T09:00Z",
        "2099-01-01T09:00+3",
        "2099-01-01T09:00+03:00:00",
        "2099-01-01T09:00+24",
        "2099-01-01T09:00+03:60",
        "2099-01-01T09:00+0360",
        "2099-01-01T09:00-00:99",
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


@CHANNELS
@pytest.mark.parametrize("when", ["2099-01-01", "2099-02-30T00:00:00", "20990101T000000Z", "soon"])
async def test_the_error_of_a_time_says_that_no_offset_is_needed(
    box: Box, path: str, when: str
) -> None:
    error = await box.developers_error("POST", path, SENDS[path] | {"scheduledFor": when})
    expected = "a time in ISO 8601, with Z or an offset unless it is in UTC"
    assert error["message"] == f"scheduledFor must be {expected}"
    assert error["details"] == {"field": "scheduledFor", "value": when, "expected": expected}


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


# Without an offset


@CHANNELS
@pytest.mark.parametrize(
    "time", ["2099-01-31T09:00:00", "2099-01-31T09:00", "2099-01-31T09:00:00.0"]
)
async def test_a_time_without_an_offset_is_utc_with_a_warning(
    box: Box, path: str, time: str
) -> None:
    sent = await box.developers("POST", path, AS_SDKS_SEND[path] | {"scheduledFor": time})
    assert (sent["status"], sent["scheduledAt"]) == ("queued", "2099-01-31T09:00:00Z")
    [warning] = await box.warnings()
    assert warning["code"] == "time-without-offset"
    assert warning["message"].startswith(f"scheduledFor {time} has no offset")


@CHANNELS
@pytest.mark.parametrize(
    "time",
    [
        "2099-01-31T09:00:00Z",
        "2099-01-31T12:00+03:00",
        "2099-01-31T12:00:00+0300",
        "2099-01-31T12:00:00+03",
        "2099-01-31T00:00-09",
    ],
)
async def test_a_time_with_an_offset_causes_no_warning(box: Box, path: str, time: str) -> None:
    sent = await box.developers("POST", path, AS_SDKS_SEND[path] | {"scheduledFor": time})
    assert sent["scheduledAt"] == "2099-01-31T09:00:00Z"
    assert await box.warning_codes() == []


async def test_a_local_time_that_is_past_in_utc_is_warned_about(box: Box) -> None:
    # As sent by a client west of UTC that means its local time.
    await box.freeze()
    now = (await box.get("/_sandbox/clock"))["now"]
    time = iso_seconds(micros(now) - 10**6)[:-1]
    error = await box.developers_error("POST", "/sms", SMS | {"scheduledFor": time})
    assert error["details"]["value"] == time
    assert await box.warning_codes() == ["time-without-offset"]


async def test_the_control_api_still_asks_for_an_offset(box: Box) -> None:
    error = await box.control_error("POST", "/clock/advance", {"to": "2099-01-31T09:00:00"})
    assert error["details"]["value"] == "2099-01-31T09:00:00"
    assert error["details"]["expected"] == "a time in ISO 8601 with Z or an offset"


async def test_the_value_of_a_past_time_to_advance_to_is_what_was_sent(box: Box) -> None:
    error = await box.control_error("POST", "/clock/advance", {"to": "2020-01-01T03:00+03:00"})
    assert error["details"]["value"] == "2020-01-01T03:00+03:00"


@given(
    st.datetimes().filter(lambda moment: 1971 <= moment.year <= 9998),
    st.sampled_from(["", "Z", "+00:00", "-11:30", "+1400", "-03"]),
    st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
)
def test_a_time_means_the_same_with_its_offset_and_without(
    moment: datetime, offset: str, precision: str
) -> None:
    text = moment.isoformat(timespec=precision)
    instant, has_offset = time_of("scheduledFor", text + offset, "a time")
    assert has_offset is (offset != "")
    assert instant == from_datetime(datetime.fromisoformat(f"{text}{offset or 'Z'}"))
