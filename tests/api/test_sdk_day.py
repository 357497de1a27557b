"""Each official SDK of the Developers API through a day of use."""

import pytest
from box import NUMBER, Box, sandbox
from developer_sdk import DeveloperSdk, MsGineError
from sdk import GO, SDKS_2, TYPESCRIPT, Official, sdk_of
from sends import later

OTHER = "+256752345678"


def sdk(box: Box, official: Official) -> DeveloperSdk:
    return DeveloperSdk(sdk_of(box, official))


@pytest.mark.parametrize("official", SDKS_2, ids=lambda each: each.user_agent)
async def test_an_sdk_can_use_every_call_of_the_developers_api(official: Official) -> None:
    async with sandbox() as box:
        await box.freeze()
        client = sdk(box, official)

        # In the morning: a text, an email and a push, each of which arrives.
        await client.register_device("token-of-a-phone", "android", device_id="jane")
        await client.register_device("sandbox-refused", "web")
        text = await client.send_sms([NUMBER, OTHER], "Your code is 493817", from_="Shop")
        assert (text["status"], text["cost"], text["to"]) == ("pending", 60, [NUMBER, OTHER])
        email = await client.send_email(
            from_="Shop <shop@example.com>",
            to=["jane@example.com"],
            subject="Your order",
            html="<p>It is on its way</p>",
        )
        push = await client.send_push(title="Your order", body="It is on its way")
        assert (push["successCount"], push["failureCount"]) == (1, 1)
        await box.advance(seconds=2)
        for sent in (text, email, push):
            assert (await client.get(sent["id"]))["status"] == "delivered"

        # For the evening, once although it is asked for twice.
        evening = await later(box, hours=9)
        for _ in range(2):
            reminder = await client.send_sms(
                [NUMBER],
                "Collect it by 20:00",
                scheduled_for=evening,
                idempotency_key="reminder-1042",
            )
        assert reminder["status"] == "queued"

        # At noon the service is down for a while, and nothing is lost or doubled.
        await box.advance(hours=3)
        await box.add_fault({"status": 503}, times=2)
        await client.send_sms([OTHER], "Lunch is served", idempotency_key="lunch")
        assert client.waited == [1, 2]

        # In the afternoon there is more to send than a second allows.
        for _ in range(44):
            await client.send_sms([NUMBER], "One of many")
        assert max(client.waited[2:]) == 1
        pages = [await client.history("sms", page, limit=20) for page in (1, 2, 3)]
        assert [(page["page"], page["pages"], page["total"]) for page in pages] == [
            (1, 3, 47),
            (2, 3, 47),
            (3, 3, 47),
        ]
        listed = [each["id"] for page in pages for each in client.listed("sms", page)]
        if official is GO:  # it reads a member that the documented history has not
            assert listed == []
        else:
            assert len(set(listed)) == 47
            assert listed[-1] == text["id"]

        # In the evening the reminder goes out.
        assert (await client.get(reminder["id"]))["status"] == "queued"
        await box.advance(hours=7)
        assert (await client.get(reminder["id"]))["status"] == "delivered"

        # The phone is given away.
        await client.unregister_device("token-of-a-phone")
        late = await client.send_push(title="Goodbye", body="It was nice")
        assert (late["status"], late["recipientCount"], late["failureCount"]) == ("failed", 1, 1)
        with pytest.raises(MsGineError) as refused:
            await client.unregister_device("token-of-a-phone")
        assert (refused.value.status, refused.value.code) == (404, "not_found")
        assert refused.value.request_id.startswith("req_")
        assert refused.value.message

        # The day in numbers.
        overview = await client.overview()
        assert overview["channels"]["sms"] == {
            "sent": 48,
            "delivered": 48,
            "failed": 0,
            "cost": 48 * 30,
        }
        assert overview["channels"]["push"] == {"sent": 0, "failed": 1, "partial": 1}
        daily = await client.daily(2)
        days = daily if official is GO else daily["data"]
        assert sum(day["email"]["delivered"] for day in days) == 1


async def test_a_credential_that_may_not_send_may_still_read(box: Box) -> None:
    reader = sdk(box.other("test_readonly_1"), TYPESCRIPT)
    with pytest.raises(MsGineError) as refused:
        await reader.send_sms([NUMBER], "Hello")
    assert (refused.value.status, refused.value.code) == (403, "forbidden")
    assert (await reader.history("sms"))["total"] == 0


async def test_an_sdk_gives_up_after_three_retries(box: Box) -> None:
    await box.add_fault({"status": 502})
    client = sdk(box, GO)
    with pytest.raises(MsGineError) as refused:
        await client.send_sms([NUMBER], "Hello")
    assert (refused.value.code, client.waited) == ("bad_gateway", [1, 2, 4])
