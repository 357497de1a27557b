"""Waiting for a message."""

import asyncio
from typing import Any

import pytest
from box import NUMBER, Box, boxed, sandbox
from matching import assert_refused

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

OTHER = "+256752345678"


async def test_a_wait_returns_the_newest_message_that_exists_already(box: Box) -> None:
    await box.freeze()
    await box.accepted(message="first")
    newest = await box.accepted(message="second")
    await box.accepted(OTHER)
    found = await box.get("/_sandbox/messages/wait", to=NUMBER, timeout=0)
    assert found["id"] == newest["id"]
    assert found["recipients"][0]["status"] == "pending"


async def test_a_wait_ends_with_the_message_that_is_sent_meanwhile(box: Box) -> None:
    waiting = asyncio.create_task(
        box.get("/_sandbox/messages/wait", to=OTHER, matches="[0-9]{6}", timeout=60)
    )
    await box.accepted(OTHER, "no digits")
    await box.accepted(NUMBER, "493817")
    message = await box.accepted(OTHER, "Your code is 493817")
    assert (await waiting)["id"] == message["id"]


async def test_a_wait_ends_with_the_status_that_is_reached_meanwhile(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    waiting = asyncio.create_task(
        box.get("/_sandbox/messages/wait", status="delivered", timeout=60)
    )
    await box.advance(seconds=2)
    found = await waiting
    assert (found["id"], found["status"]) == (message["id"], "delivered")


async def test_fifty_clients_can_wait_for_different_messages() -> None:
    async with sandbox(tier="unlimited") as box:
        waiting = [
            asyncio.create_task(box.get("/_sandbox/messages/wait", contains=f"<{n}>", timeout=60))
            for n in range(50)
        ]
        sent = [await box.accepted(message=f"<{n}>") for n in range(50)]
        found = await asyncio.gather(*waiting)
        assert [each["id"] for each in found] == [each["id"] for each in sent]


async def test_a_wait_without_a_credential_is_for_a_message_of_any_account(box: Box) -> None:
    waiting = asyncio.create_task(box.anonymous.control("GET", "/messages/wait?timeout=60"))
    message = await box.other().accepted()
    assert (await waiting)["id"] == message["id"]


async def test_a_wait_does_not_return_messages_of_other_accounts(box: Box) -> None:
    await box.other().accepted()
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0")
    error = assert_refused(answer, 408, "wait_timed_out")
    assert error["details"] == {"arrived": [], "nearest": []}


async def test_a_wait_that_times_out_lists_the_messages_that_exist(box: Box) -> None:
    sent = [await box.accepted(message=f"number {n}") for n in range(3)]
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0.01&contains=never")
    error = assert_refused(answer, 408, "wait_timed_out")
    arrived = error["details"]["arrived"]
    assert [each["id"] for each in arrived] == [each["id"] for each in sent[::-1]]
    assert arrived[0]["message"] == "number 2"
    assert "0.01 s" in error["message"]
    assert "frozen" not in error["message"]


async def test_a_wait_that_times_out_mentions_a_frozen_clock(box: Box) -> None:
    await box.freeze()
    await box.accepted()
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0.01&status=delivered")
    error = assert_refused(answer, 408, "wait_timed_out")
    assert "frozen" in error["message"]
    assert error["details"]["arrived"][0]["status"] == "pending"


async def test_a_wait_on_a_sandbox_that_is_stopping_ends_at_once() -> None:
    built = Sandbox(Settings())
    async with boxed(built) as box:
        await box.accepted(message="first")
        built.lifecycle.stop()
        answer = await box.call("GET", "/_sandbox/messages/wait?contains=second&timeout=60")
        assert_refused(answer, 408, "wait_timed_out")
        found = await box.get("/_sandbox/messages/wait", contains="first", timeout=60)
        assert found["message"] == "first"


# What a wait returns of a message

CODE = "Your code is 493817. Not you? https://a.example/x"


async def text(box: Box, **params: Any) -> str:
    """Wait for a message, and return what is answered as plain text."""
    answer = await box.call("GET", "/_sandbox/messages/wait", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.text


async def test_a_wait_returns_the_codes_and_links_of_the_message(box: Box) -> None:
    message = await box.accepted(message=CODE)
    for found in (await box.get("/_sandbox/messages/wait"), await box.details(message)):
        assert (found["code"], found["codes"]) == ("493817", ["493817"])
        assert found["links"] == ["https://a.example/x"]
    await box.accepted(OTHER, "No digits")
    found = await box.get("/_sandbox/messages/wait", to=OTHER)
    assert (found["code"], found["codes"], found["links"]) == (None, [], [])


async def test_the_most_likely_code_comes_first(box: Box) -> None:
    await box.accepted(message="Your code is 493817, the code for Shop 5561")
    found = await box.get("/_sandbox/messages/wait")
    assert (found["code"], found["codes"]) == ("493817", ["493817", "5561"])


async def test_the_codes_and_links_of_an_email_may_stand_in_its_subject_and_html(box: Box) -> None:
    mail = {"from": "a@b.example", "to": "jane@example.com", "subject": "493817 is your code"}
    html = '<a href="https://a.example/x?a=1&amp;b=2">Verify</a>'
    await box.developers("POST", "/email", mail | {"html": html, "text": "https://a.example/y"})
    found = await box.get("/_sandbox/messages/wait")
    assert found["code"] == "493817"
    assert found["links"] == ["https://a.example/y", "https://a.example/x?a=1&b=2"]


async def test_one_field_is_answered_as_plain_text(box: Box) -> None:
    message = await box.accepted(message=f"🎉 {CODE}")
    assert await text(box, field="code") == "493817"
    assert await text(box, field="link") == "https://a.example/x"
    assert await text(box, field="text") == f"🎉 {CODE}"
    assert await text(box, field="id") == message["id"]


async def test_a_wait_for_a_code_passes_over_messages_without_one(box: Box) -> None:
    await box.accepted(message="Welcome")
    waiting = asyncio.create_task(text(box, field="code", timeout=60))
    await box.accepted(message="Hello")
    await box.accepted(message=CODE)
    assert await waiting == "493817"
    await box.accepted(message="Goodbye")
    assert await text(box, field="code", timeout=0) == "493817"


async def test_the_code_of_a_very_long_email_is_found_while_others_are_answered(box: Box) -> None:
    mail = {"from": "a@b.example", "to": "jane@example.com", "subject": "Hello"}
    await box.developers("POST", "/email", mail | {"text": f"{CODE} " * 3000})
    waiting = asyncio.create_task(text(box, field="code"))
    answered = 0
    while not waiting.done():
        assert (await box.call("GET", "/_sandbox/health")).status_code == 200
        answered += 1
        await asyncio.sleep(0)
    assert (await waiting, answered > 3) == ("493817", True)


@pytest.mark.parametrize(
    ("field", "value"), [("field", "subject"), ("field", ""), ("jump", "1"), ("jump", "")]
)
async def test_an_invalid_field_or_jump_is_refused(box: Box, field: str, value: str) -> None:
    answer = await box.call("GET", "/_sandbox/messages/wait", params={field: value})
    error = assert_refused(answer, 400, "invalid_request")
    assert (error["details"]["field"], error["details"]["value"]) == (field, value)


# Near misses


async def nearest(box: Box, query: str) -> list[dict[str, Any]]:
    answer = await box.call("GET", f"/_sandbox/messages/wait?timeout=0&{query}")
    return assert_refused(answer, 408, "wait_timed_out")["details"]["nearest"]


def differs(field: str, expected: str, actual: Any) -> dict[str, Any]:
    return {"field": field, "expected": expected, "actual": actual}


async def test_a_wait_that_times_out_says_which_field_differs(box: Box) -> None:
    await box.freeze()
    message = await box.accepted([NUMBER, OTHER], "Your order is on its way. " * 10)
    text = ("Your order is on its way. " * 10)[:100]
    [miss] = await nearest(box, f"to={NUMBER}&status=delivered")
    assert miss == {
        "id": message["id"],
        "to": [NUMBER, OTHER],
        "status": "pending",
        "message": text,
        "differs": [differs("status", "delivered", "pending")],
    }
    for query, expected in {
        "id=msg_0000000000000001": differs("id", "msg_0000000000000001", message["id"]),
        "to=+256701000009": differs("to", "+256701000009", [NUMBER, OTHER]),
        "channel=email": differs("channel", "email", "sms"),
        "contains=code+is": differs("contains", "code is", text),
        "q=code": differs("q", "code", text),
        "matches=^code": differs("matches", "^code", text),
        "field=code": differs("code", "a code", None),
        "field=link": differs("link", "a link", None),
        f"before={message['id']}": differs("before", message["id"], message["id"]),
    }.items():
        [miss] = await nearest(box, query)
        assert miss["differs"] == [expected], query
    [miss] = await nearest(box, "since=2099-01-01T00:00:00Z")
    assert [each["field"] for each in miss["differs"]] == ["since"]


async def test_a_recipient_with_a_space_is_named_as_it_was_asked_for(box: Box) -> None:
    await box.accepted()
    for given, expected in {
        "user:jane%20doe": "user:jane doe",
        "user:jane+doe": "user:jane+doe",
        "+256701000009": "+256701000009",
        "%2B256701000009": "+256701000009",
        "jane+news@example.com": "jane+news@example.com",
    }.items():
        [miss] = await nearest(box, f"to={given}")
        assert [each["expected"] for each in miss["differs"]] == [expected], given


async def test_the_nearest_differ_in_the_fewest_fields_and_are_newest_first(box: Box) -> None:
    await box.freeze()
    for to, text in [(NUMBER, "code"), (OTHER, "code"), (OTHER, "hello"), (NUMBER, "hello")]:
        await box.accepted(to, text)
    found = await nearest(box, f"to={NUMBER}&contains=code&status=sent")
    assert [[each["field"] for each in miss["differs"]] for miss in found] == [
        ["status"],
        ["status", "contains"],
        ["to", "status"],
    ]


async def test_of_those_that_differ_in_one_field_the_one_without_a_code_comes_first(
    box: Box,
) -> None:
    wanted = await box.accepted(message="There is no code for you")
    for number in (493817, 493818, 493819):
        await box.accepted(message=f"Your code is {number}")
    found = await nearest(box, "contains=no+code&field=code")
    assert [[each["field"] for each in miss["differs"]] for miss in found] == [
        ["code"],
        ["contains"],
        ["contains"],
    ]
    assert found[0]["id"] == wanted["id"]


async def test_an_expression_that_takes_too_long_is_left_out_of_the_differences(box: Box) -> None:
    await box.accepted(message="a" * 40 + "!")
    [miss] = await nearest(box, f"to={OTHER}&matches=(a|a)*$")
    assert [each["field"] for each in miss["differs"]] == ["to"]
