"""Waiting for a message."""

import asyncio

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
    assert error["details"] == {"arrived": []}


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
