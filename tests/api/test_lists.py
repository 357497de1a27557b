"""A list shows of each message what reading it alone shows, however often it was listed."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from time import time
from typing import Any

import pytest
from box import DEVELOPERS, Box
from hypothesis import given, settings
from hypothesis import strategies as st
from stored_sms import ACCOUNT, sms
from sync_box import sync_sandbox

from msgine_sandbox.api.handlers import ShownMessages
from msgine_sandbox.model.bound import Bound
from msgine_sandbox.model.clock import Clock, Clocks, RealTime
from msgine_sandbox.model.message import Message
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.storage.store import Store

NUMBERS = ["+256701234567", "+256700000001", "+256700000002", "+256700000003", "+256700000005"]
STATUSES = ["pending", "sent", "delivered", "failed"]
LISTED = [("sms", "messages"), ("email", "messages"), ("push", "notifications")]

TEN_YEARS = 315_000_000
IN_TEN_YEARS = datetime.fromtimestamp(time() + TEN_YEARS - 60, UTC).isoformat()
MAIL = {"from": "a@b.example", "to": "c@d.example", "subject": "Hi", "text": "Mail"}
PUSH = {"title": "Hi", "body": "Push", "topic": "all"}
LATER = {"to": NUMBERS[0], "message": "Later", "scheduledFor": IN_TEN_YEARS}

ACTIONS = st.one_of(
    st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True),
    st.sampled_from([("/sms", LATER), ("/email", MAIL), ("/push", PUSH)]),
    st.sampled_from([0, 0.3, 0.6, 1.5, 3, TEN_YEARS]),
    st.tuples(st.just("POST"), st.integers(0, 4), st.just("/status"), st.sampled_from(STATUSES)),
    st.tuples(st.just("DELETE"), st.integers(0, 4), st.just(""), st.none()),
    st.just("empty"),
)


async def act(box: Box, action: Any) -> None:
    match action:
        case list(to):
            await box.accepted(to)
        case path, body:
            await box.call("POST", f"{DEVELOPERS}{path}", json=body)  # refused once it is past
        case method, number, path, status:
            for message in (await box.message_ids())[number : number + 1]:
                # The lifecycle may refuse a status.
                body = status and {"status": status}
                await box.call(method, f"/_sandbox/messages/{message}{path}", json=body)
        case "empty":
            await box.control("DELETE", "/messages")
        case seconds:
            await box.advance(seconds=seconds)


async def check(box: Box) -> None:
    listed = (await box.get(f"{BASE_PATH}/messages", limit=100))["data"]
    assert listed == [await box.read(each) for each in listed]
    ids: list[str] = []
    for channel, member in LISTED:
        listed = (await box.get(f"{DEVELOPERS}/{channel}/history", limit=100))[member]
        assert listed == [await box.get(f"{DEVELOPERS}/{each['id']}") for each in listed]
        ids += [each["id"] for each in listed]
    assert sorted(ids, reverse=True) == await box.message_ids(limit=1000)


@settings(max_examples=40)  # each is many calls
@given(st.sampled_from(["auto", "manual"]), st.lists(ACTIONS, min_size=1, max_size=15))
def test_a_list_shows_what_reading_each_message_shows(
    delivery: str, actions: Sequence[Any]
) -> None:
    with sync_sandbox(delivery=delivery) as sync:
        sync.run(sync.box.freeze())
        for action in actions:
            sync.run(act(sync.box, action))
            sync.run(check(sync.box))


def test_a_list_follows_the_clock_without_being_told() -> None:
    with sync_sandbox(delivery="auto", sent_after=1, delivered_after=2) as sync:
        box, run = sync.box, sync.run
        run(box.freeze())
        run(box.accepted())
        seen = []
        for _ in range(4):
            (message,) = run(box.get(f"{BASE_PATH}/messages"))["data"]
            seen.append(message["status"])
            run(box.advance(seconds=0.999999))
        assert seen == ["pending", "pending", "sent", "delivered"]


@pytest.mark.parametrize("kept", [Bound(3, 10_000), Bound(100, 3 * 310)])
async def test_as_many_messages_are_remembered_as_the_bound_allows(kept: Bound) -> None:
    clocks, encoded = Clocks(RealTime()), []
    clocks.of[ACCOUNT] = Clock()

    def view(message: Message) -> str:
        encoded.append(message.id)
        return "." * 8  # ten bytes as JSON

    with closing(Store(clocks)) as store:
        store.enter(asyncio.get_running_loop())
        async with store.write():
            for number in range(1, 7):
                await store.messages.add(sms(number))
        shown = ShownMessages(store.messages, view, kept=kept)

        async def encoded_for(*numbers: int) -> list[int]:
            encoded.clear()
            versions = [(each, sms(each).timelines.form.text) for each in numbers]
            listed = await shown.of(versions, clocks.seen(ACCOUNT))
            assert list(map(bytes, listed)) == [b'"........"'] * len(numbers)
            return [*encoded]

        assert await encoded_for(3, 2, 1) == [3, 2, 1]
        assert await encoded_for(1, 2, 3) == []
        assert await encoded_for(4, 3) == [4]  # in place of 3, which was encoded first
        assert await encoded_for(3) == [3]
        assert await encoded_for(6, 5, 4, 3, 2, 1) == [6, 5, 2]
