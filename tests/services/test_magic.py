"""Magic recipients whose requests fail."""

from typing import Any

import httpx
import pytest
from box import NUMBER, Box
from matching import assert_refused
from messages_sdk import MessagesSdk
from sdk import TYPESCRIPT_1, sdk_of
from sends import EMAIL, PUSH, SMS


async def test_a_reset_removes_faults_and_counts_magic_numbers_anew(box: Box) -> None:
    await box.add_fault({"status": 500})
    await box.send("+256700005031")
    await box.control("POST", "/reset")
    assert (await box.get("/_sandbox/faults"))["total"] == 0
    assert await box.statuses(2, "+256700005031") == [503, 201]


async def test_a_number_that_fails_twice_succeeds_on_the_third_try(box: Box) -> None:
    client = MessagesSdk(sdk_of(box, TYPESCRIPT_1))
    answer = await client.send("+256700005032")
    assert (answer.status_code, len(client.waited)) == (201, 2)
    assert await box.message_count() == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_number_that_ends_in_0_never_succeeds(box: Box, status: int) -> None:
    client = MessagesSdk(sdk_of(box, TYPESCRIPT_1))
    answer = await client.send(f"+25670000{status}0")
    assert (answer.status_code, len(client.waited)) == (status, 3)
    assert await box.message_count() == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("count", range(1, 10))
async def test_the_last_digit_counts_the_failures(box: Box, status: int, count: int) -> None:
    found = await box.statuses(count + 2, f"+25670000{status}{count}")
    assert found == [status] * count + [201] * 2


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        ("4000", 400, "invalid_phone_number"),
        ("4010", 401, "unauthorized"),
        ("4030", 403, "forbidden"),
    ],
)
async def test_a_number_is_refused_every_time(box: Box, end: str, status: int, code: str) -> None:
    to = f"+25670000{end}"
    for _ in range(2):
        answer = await box.send(to)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    if status == 400:
        assert answer.json()["error"]["details"] == {
            "field": "to",
            "value": to,
            "expected": "+[country code][number]",
            "reason": "A fault or its magic number refuses it.",
        }
    assert (await box.call("GET", "/api/v1/messages")).status_code == 200


async def test_a_magic_number_counts_for_each_account(box: Box) -> None:
    assert await box.statuses(1, "+256700005031") == [503]
    assert await box.other().statuses(2, "+256700005031") == [503, 201]
    assert await box.statuses(1, "+256700005031") == [201]


async def test_a_magic_number_is_shown_among_the_faults(box: Box) -> None:
    await box.send("+256700005023")
    [fault] = (await box.get("/_sandbox/faults"))["data"]
    assert (fault["magic"], fault["match"]["to"], fault["left"]) == (True, "+256700005023", 2)


async def test_one_magic_number_among_several_recipients_is_enough(box: Box) -> None:
    both = ["+256701234567", "+256700005001"]
    assert [(await box.send(both)).status_code for _ in range(2)] == [500, 201]


async def test_dropped_responses_lead_to_duplicates_without_a_key(box: Box) -> None:
    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            await box.send("+256700004990")
    assert await box.message_count() == 3


async def test_a_dropped_response_is_replayed_with_a_key(box: Box) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990", key="k")
    again = await box.send("+256700004990", key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert await box.message_count() == 1


async def test_a_recipient_that_is_given_101_times_counts_once(box: Box) -> None:
    answer = await box.send([NUMBER] * 101 + ["+256700005030"])
    assert answer.status_code == 503


# Only recipients that the call has


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/messages/sms", {"to": "+256701234567,+256700005030", "message": "Hello"}),
        ("/messages/sms", {"to": ["+256701234567, +256700005030"], "message": "Hello"}),
        ("/messages/sms", {"to": [" +256700005030"], "message": "Hello"}),
        ("/messages/sms", {"to": "+256700005030 ", "message": "Hello"}),
        ("/developers/sms", {"to": ["+256701234567,+256700005030"], "message": "Hello"}),
    ],
)
async def test_what_is_no_number_is_refused_as_one_and_has_no_magic(
    box: Box, path: str, body: dict[str, Any]
) -> None:
    answer = await box.call("POST", f"/api/v1{path}", json=body)
    assert_refused(answer, 400, "invalid_phone_number")
    assert (await box.get("/_sandbox/faults"))["total"] == 0


@pytest.mark.parametrize("field", ["cc", "bcc", "tokens", "userIds", "topic"])
async def test_a_field_that_a_call_ignores_has_no_magic(box: Box, field: str) -> None:
    for magic in ("+256700005030", "answered-503@sandbox.msgine.test", "sandbox-answered-503"):
        await box.accepted(**{field: magic})
        await box.developers("POST", "/sms", SMS | {field: magic})


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_a_push_has_no_addresses(box: Box, field: str) -> None:
    await box.developers("POST", "/push", PUSH | {field: "answered-503@sandbox.msgine.test"})
    device = {"token": "a-device", "platform": "ios", field: "+256700005030"}
    await box.developers("POST", "/push/device", device)


async def test_an_email_goes_to_no_token(box: Box) -> None:
    await box.developers("POST", "/email", EMAIL | {"tokens": ["sandbox-answered-503"]})


async def test_a_push_to_a_topic_goes_to_no_token(box: Box) -> None:
    await box.developers("POST", "/push", PUSH | {"tokens": ["sandbox-answered-503"], "topic": "a"})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sms", SMS | {"to": "+256701234567 , +256700005030"}),
        ("/sms", SMS | {"to": [" +256700005030 "]}),
        ("/email", EMAIL | {"bcc": "a@example.com,answered-503@sandbox.msgine.test"}),
        ("/push", PUSH | {"tokens": "sandbox-answered-503"}),
        ("/push", PUSH | {"userIds": ["sandbox-answered-503"], "tokens": None}),
    ],
)
async def test_a_recipient_that_a_call_has_acts_however_it_is_written(
    box: Box, path: str, body: dict[str, Any]
) -> None:
    error = await box.developers_error("POST", path, body)
    assert error["code"] == "service_unavailable"


async def test_a_fault_for_a_recipient_acts_only_where_the_call_sends_to_it(box: Box) -> None:
    await box.add_fault({"status": 503}, match={"to": NUMBER})
    other = "+256701234568"
    assert (await box.send(other, cc=NUMBER, tokens=[NUMBER])).status_code == 201
    assert (await box.send(f"{other},{NUMBER}")).status_code == 400
    assert (await box.send([other, NUMBER])).status_code == 503
