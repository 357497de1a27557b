"""What the official clients' types require of an answer, in every state of a message."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from box import Box, sandbox
from msgspec import UNSET, Meta, Struct, UnsetType, convert, field

DEVELOPERS = "/api/v1/developers"

Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Count = Annotated[int, Meta(ge=0)]
Cost = Annotated[float, Meta(ge=0)]
Status = Literal["queued", "pending", "sent", "delivered", "failed"]


class Typed(Struct, rename="camel", forbid_unknown_fields=True):
    """A type of an SDK: what is optional may be absent; of all members only `sid` may be null."""


class Message(Typed, kw_only=True):
    id: str
    status: Status
    created_at: Time
    scheduled_at: Time | UnsetType = UNSET
    sent_at: Time | UnsetType = UNSET


class Text(Message):
    sid: str | None
    to: Annotated[list[str], Meta(min_length=1)]
    from_: str = field(name="from")
    content: str
    message: str
    cost: Cost
    currency: str
    updated_at: Time


class Sms(Text):
    channel: Literal["sms"]


class Email(Text):
    channel: Literal["email"]
    subject: str


class Push(Message):
    channel: Literal["push"]
    title: str
    body: str
    recipient_count: Count
    success_count: Count
    failure_count: Count
    data: dict[str, str] | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET


class History(Typed):
    total: Count
    page: Count
    pages: Count


class SmsHistory(History):
    messages: list[Sms]


class EmailHistory(History):
    messages: list[Email]


class PushHistory(History):
    notifications: list[Push]


class Device(Typed):
    id: str
    platform: Literal["android", "ios", "web"]
    is_active: bool
    created_at: Time


class Notice(Typed):
    message: str


class TextSums(Typed):
    sent: Count
    delivered: Count
    failed: Count
    cost: Cost


class Totals(TextSums):
    currency: str


class PushSums(Typed):
    sent: Count
    failed: Count


class AllPushSums(PushSums):
    partial: Count


class Channels(Typed):
    sms: TextSums | UnsetType = UNSET
    email: TextSums | UnsetType = UNSET
    push: AllPushSums | UnsetType = UNSET


class Period(Typed):
    from_: Date = field(name="from")
    to: Date


class Overview(Typed):
    period: Period
    totals: Totals
    channels: Channels


class Day(Typed):
    date: Date
    sms: TextSums
    email: TextSums
    push: PushSums


class Daily(Typed):
    days: Count
    data: list[Day]


ONE = {"sms": Sms, "email": Email, "push": Push}
HISTORY = {"sms": SmsHistory, "email": EmailHistory, "push": PushHistory}
ENDS = {
    "stuck": "pending",
    "unconfirmed": "sent",
    "ordinary": "delivered",
    "bounce": "failed",
    "refused": "failed",
}
"""What a message to each of the magic names has come to after a minute."""
NUMBERS = {
    "ordinary": "+256701234567",
    "bounce": "+256700000001",
    "refused": "+256700000002",
    "stuck": "+256700000003",
    "unconfirmed": "+256700000004",
}
AT_FIRST = {"sms": {"pending"}, "email": {"pending"}, "push": {"pending", "sent", "failed"}}
"""A push service takes or refuses before the request is answered."""
EVERY_CHANNEL = pytest.mark.parametrize("channel", ONE)
EVERY_END = pytest.mark.parametrize(("name", "end"), ENDS.items())


def draft(channel: str, *names: str) -> dict[str, Any]:
    """The least that can be sent to the magic recipients of these names."""
    match channel:
        case "sms":
            return {"to": [NUMBERS[name] for name in names], "message": "Hello"}
        case "email":
            to = [f"{name}@sandbox.msgine.test" for name in names]
            return {"from": "shop@example.com", "to": to, "subject": "Hello", "html": "<p>Hi</p>"}
        case _:
            users = [f"sandbox-{name}" for name in names]
            return {"userIds": users, "title": "Hello", "body": "Hello"}


async def typed(box: Box, kind: type[Any], method: str, path: str, body: Any = None) -> Any:
    """An answer as an SDK's type, which it has to fit."""
    answer = await box.call(method, DEVELOPERS + path, json=body)
    assert answer.is_success, answer.text
    return convert(answer.json(), kind, strict=True)


async def sent(box: Box, channel: str, body: dict[str, Any]) -> Any:
    return await typed(box, ONE[channel], "POST", f"/{channel}", body)


async def read(box: Box, channel: str, message: Any) -> Any:
    """The message by its id, which its history gives alike."""
    found = await typed(box, ONE[channel], "GET", f"/{message.id}")
    history = await typed(box, HISTORY[channel], "GET", f"/{channel}/history")
    assert found in (history.notifications if channel == "push" else history.messages)
    return found


async def in_an_hour(box: Box) -> str:
    now = datetime.fromisoformat((await box.freeze())["now"])
    return (now + timedelta(hours=1)).isoformat()


@EVERY_END
@EVERY_CHANNEL
async def test_a_message_fits_its_type_in_every_final_status(
    box: Box, channel: str, name: str, end: str
) -> None:
    await box.freeze()
    message = await sent(box, channel, draft(channel, name))
    assert message.status in AT_FIRST[channel]
    assert await read(box, channel, message) == message
    await box.advance(minutes=1)
    assert (await read(box, channel, message)).status == end


@EVERY_CHANNEL
async def test_a_message_with_a_uuid_fits_its_type(channel: str) -> None:
    async with sandbox(answers="observed") as box:
        await box.freeze()
        message = await sent(box, channel, draft(channel, "ordinary"))
        assert await read(box, channel, message) == message


@EVERY_END
@EVERY_CHANNEL
async def test_a_scheduled_message_fits_its_type_before_its_time_and_after(
    box: Box, channel: str, name: str, end: str
) -> None:
    later = {"scheduledFor": await in_an_hour(box)}
    message = await sent(box, channel, draft(channel, name) | later)
    assert (message.status, message.sent_at) == ("queued", UNSET)
    assert await read(box, channel, message) == message
    await box.advance(hours=2)
    after = await read(box, channel, message)
    assert (after.status, after.scheduled_at) == (end, message.scheduled_at)


@EVERY_END
@EVERY_CHANNEL
async def test_a_message_says_when_it_was_sent_only_once_it_was(
    box: Box, channel: str, name: str, end: str
) -> None:
    message = await sent(box, channel, draft(channel, name))
    await box.advance(minutes=1)
    has_left = end in {"sent", "delivered"} or (name == "bounce" and channel != "push")
    assert ((await read(box, channel, message)).sent_at is not UNSET) is has_left


@EVERY_CHANNEL
async def test_a_message_fits_its_type_while_its_recipients_differ(box: Box, channel: str) -> None:
    message = await sent(box, channel, draft(channel, *ENDS))
    await box.advance(minutes=1)
    assert (await read(box, channel, message)).status == "pending"


@pytest.mark.parametrize(
    "fields",
    [{"data": {"order": "42"}}, {"data": {}}, {"topic": "news"}, {"tokens": ["1", "2"]}],
    ids=str,
)
async def test_a_push_fits_its_type_with_every_option(box: Box, fields: dict[str, Any]) -> None:
    image = {"imageUrl": "https://example.com/a.png"}
    message = await sent(box, "push", draft("push", "ordinary") | image | fields)
    assert message.image_url == image["imageUrl"]
    assert message.data == (fields.get("data") or UNSET)
    assert message.topic == fields.get("topic", UNSET)
    assert message.success_count + message.failure_count == message.recipient_count


@EVERY_CHANNEL
async def test_an_empty_history_fits_its_type(box: Box, channel: str) -> None:
    history = await typed(box, HISTORY[channel], "GET", f"/{channel}/history")
    assert (history.total, history.page, history.pages) == (0, 1, 0)


@pytest.mark.parametrize("platform", ["android", "ios", "web"])
async def test_a_device_fits_its_type_new_and_known(box: Box, platform: str) -> None:
    body = {"token": "token-of-a-phone", "platform": platform}
    device = await typed(box, Device, "POST", "/push/device", body)
    assert (device.platform, device.is_active) == (platform, True)
    assert await typed(box, Device, "POST", "/push/device", body) == device
    assert (await typed(box, Notice, "DELETE", "/push/device", body)).message


@pytest.mark.parametrize("names", [[], list(ENDS)], ids=["nothing", "something"])
async def test_analytics_fit_their_types(box: Box, names: list[str]) -> None:
    for channel in ONE if names else ():
        await sent(box, channel, draft(channel, *names))
    await box.advance(minutes=1)
    overview = await typed(box, Overview, "GET", "/analytics/overview")
    assert (overview.totals.currency, overview.totals.cost > 0) == ("UGX", bool(names))
    daily = await typed(box, Daily, "GET", "/analytics/daily?days=90")
    sms = overview.channels.sms
    assert sum(day.sms.sent for day in daily.data) == (0 if sms is UNSET else sms.sent)
    assert daily.days == len(daily.data) == 90
