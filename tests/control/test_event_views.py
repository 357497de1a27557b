"""What events say of messages and requests that have changed since, and what they cost."""

import sqlite3
import sys
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import pytest
from box import NUMBER, Box, boxed
from following import Event, following
from receiver import Receiver

from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.settings import Settings


class Scene:
    """A sandbox whose feed has begun, and an account on it whose clock stands still."""

    def __init__(self, sandbox: Sandbox, box: Box) -> None:
        self.sandbox = sandbox
        self.box = box
        self.start = ""

    async def replay(self, count: int) -> list[Event]:
        """Return the events since the scene began, as a client gets them that reads them now."""
        async with following(self.sandbox, self.box.token, self.start) as follower:
            return (await follower.until(count))[:count]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    built = Sandbox(Settings(tier="unlimited"))
    async with boxed(built) as box:
        scene = Scene(built, box)
        await box.freeze()
        async with following(built, box.token) as follower:
            await box.send("12345")
            [event] = await follower.until(1)
            scene.start = event["id"]
        yield scene


def kinds(events: list[Event]) -> list[str]:
    return [each["event"] for each in events]


async def test_a_message_that_was_delivered_since_is_shown_as_it_was_accepted(scene: Scene) -> None:
    async with following(scene.sandbox, scene.box.token) as follower:
        await scene.box.send([NUMBER, "+256700000001"])
        live = (await follower.until(2))[0]
    await scene.box.advance(seconds=10)
    late = (await scene.replay(1))[0]
    assert late == live
    assert late["data"]["status"] == "pending"
    assert {each["status"] for each in late["data"]["recipients"]} == {"pending"}


async def test_a_push_is_shown_with_the_statuses_that_it_was_accepted_with(scene: Scene) -> None:
    body = {"tokens": ["device-1", "sandbox-refused"], "title": "T", "body": "B"}
    await scene.box.developers("POST", "/push", body)
    await scene.box.advance(seconds=10)
    data = (await scene.replay(1))[0]["data"]
    assert [(each["status"], each["reason"] is None) for each in data["recipients"]] == [
        ("sent", True),
        ("failed", False),
    ]


async def test_a_status_event_has_the_status_of_the_message_at_that_time(scene: Scene) -> None:
    message = await scene.box.accepted([NUMBER, "+256700000001", "+256700000003"])
    await scene.box.advance(seconds=1)
    await scene.box.advance(seconds=9)
    await scene.box.control(
        "POST", f"/messages/{message['id']}/status", {"status": "failed", "to": "+256700000003"}
    )
    found = [each["data"] for each in await scene.replay(7)][2:]
    assert [(each["to"][-1], each["status"], each["messageStatus"]) for each in found] == [
        ("7", "sent", "pending"),
        ("1", "sent", "pending"),
        ("7", "delivered", "pending"),
        ("1", "failed", "pending"),
        ("3", "failed", "delivered"),
    ]


async def test_two_changes_at_one_time_each_have_their_own_status(scene: Scene) -> None:
    message = await scene.box.accepted("+256700000003")
    for status in ("sent", "delivered"):
        await scene.box.control("POST", f"/messages/{message['id']}/status", {"status": status})
    found = [each["data"]["messageStatus"] for each in (await scene.replay(4))[2:]]
    assert found == ["sent", "delivered"]


async def test_a_request_has_the_warnings_that_it_had(scene: Scene) -> None:
    await scene.box.send(callbackUrl="http://localhost:9/", priority="high")
    await scene.box.advance(seconds=1)
    events = await scene.replay(5)
    assert kinds(events) == ["message", "request", "status", "webhook", "warning"]
    codes = [[each["code"] for each in events[n]["data"]["warnings"]] for n in (1, 4)]
    assert codes == [["unknown-field"], ["unknown-field", "webhook-failed"]]


async def test_of_what_was_deleted_since_only_its_statuses_are_reported(
    scene: Scene, receiver: Receiver
) -> None:
    message = await scene.box.accepted(callbackUrl=receiver.url)
    await scene.box.advance(seconds=1)
    await scene.box.control("DELETE", "/messages")
    await scene.box.control("DELETE", "/requests")
    await scene.box.accepted(message="the next")
    events = await scene.replay(4)
    assert kinds(events) == ["status", "emptied", "message", "request"]
    status = events[0]["data"]
    assert (status["messageId"], status["status"]) == (message["id"], "sent")
    assert (status["to"], status["messageStatus"]) == (None, None)
    assert events[2]["data"]["message"] == "the next"


async def test_followers_of_the_account_and_of_all_get_the_same_events(scene: Scene) -> None:
    async with (
        following(scene.sandbox, scene.box.token) as one,
        following(scene.sandbox) as other,
    ):
        await scene.box.send()
        await scene.box.advance(seconds=10)
        assert await one.until(4) == await other.until(4)


async def test_events_too_large_to_be_shared_are_sent_all_the_same() -> None:
    built = Sandbox(Settings(tier="unlimited"), bounds=Bounds(feed_bytes=0))
    async with (
        boxed(built) as box,
        following(built, box.token) as one,
        following(built, box.token) as other,
    ):
        await box.send()
        assert kinds(await one.until(2)) == kinds(await other.until(2)) == ["message", "request"]


async def test_a_stream_ends_while_the_disk_fails_and_is_resumed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as failing:
        async with following(scene.sandbox, scene.box.token) as follower:
            failing.setattr(scene.sandbox.store.messages, "get", fail)
            await scene.box.send()
            await follower.until_the_end()
            assert follower.events == []
    assert kinds(await scene.replay(2)) == ["message", "request"]


async def sent_to(scene: Scene, recipients: int) -> int:
    """Send a message to so many recipients; return how many events that causes."""
    await scene.box.accepted([f"+2567012{number:05}" for number in range(recipients)])
    await scene.box.advance(seconds=10)
    return 2 + 2 * recipients


async def calls_of(scene: Scene, events: int) -> int:
    """Return how many functions of the package are called for a client that reads the events."""
    counted = 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        if event == "call" and frame.f_globals.get("__name__", "").startswith("msgine_sandbox."):
            counted += 1

    sys.setprofile(profile)
    try:
        await scene.replay(events)
    finally:
        sys.setprofile(None)
    return counted


async def test_events_of_a_message_cost_in_proportion_to_its_recipients(scene: Scene) -> None:
    events = await sent_to(scene, 20)
    twenty = await calls_of(scene, events)
    events += await sent_to(scene, 100)
    both = await calls_of(scene, events)
    assert 0 < both < 10 * twenty  # 6 times as many events


async def test_a_second_follower_costs_a_fraction_of_the_first(scene: Scene) -> None:
    events = await sent_to(scene, 100)
    first = await calls_of(scene, events)
    async with (
        following(scene.sandbox, scene.box.token, scene.start) as one,
        following(scene.sandbox, scene.box.token, scene.start) as other,
    ):
        await one.until(events)
        await other.until(events)
        second = await calls_of(scene, events)
    assert 0 < second < first / 3
