"""Calls about many messages, which leave the event loop to others in between."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from box import BASE_PATH, NUMBER, Box, bounded
from hypothesis import given, settings
from hypothesis import strategies as st
from iterations import iterations, until
from sync_box import sync_sandbox

COUNT = 60


async def filled(box: Box, count: int = COUNT) -> list[str]:
    """Send so many messages, and return their ids, newest first."""
    sent = [await box.accepted(message=f"number {n}") for n in range(count)]
    return [each["id"] for each in sent][::-1]


@pytest.fixture
async def short() -> AsyncIterator[Box]:
    """A sandbox whose slices are over at once, so that every pause between two parts is one."""
    async with bounded(slice_seconds=0, looked_at_together=1) as box:
        await box.freeze()  # a search by status looks at what is under way
        yield box


@pytest.mark.parametrize(
    "query",
    [{"status": "failed"}, {"to": "+256700000000"}, {"q": "nothing"}, {"matches": "nothing"}],
)
@pytest.mark.parametrize("wait", [{}, {"timeout": "0"}])
async def test_others_are_answered_after_each_message_that_a_search_looks_at(
    short: Box, query: dict[str, str], wait: dict[str, str]
) -> None:
    await filled(short)
    path = "/_sandbox/messages" + ("/wait" if wait else "")
    count, answer = await iterations(short.call("GET", path, params=query | wait))
    assert answer.status_code == (408 if wait else 200)
    assert count > COUNT


async def test_others_are_answered_after_each_message_of_a_list(short: Box) -> None:
    ids = await filled(short)
    count, found = await iterations(short.message_ids(limit=1000))
    assert found == ids
    assert count > COUNT


async def test_others_are_answered_between_the_parts_of_a_page(short: Box) -> None:
    ids = await filled(short)
    url = f"{BASE_PATH}/messages"
    few, _ = await iterations(short.call("GET", url, params={"limit": "20"}))
    count, answer = await iterations(short.call("GET", url, params={"limit": "60"}))
    assert [each["id"] for each in answer.json()["data"]] == ids
    assert count > few


async def test_one_message_is_found_without_looking_at_the_rest(short: Box) -> None:
    ids = await filled(short)
    count, found = await iterations(short.get("/_sandbox/messages", limit=1))
    assert ([found["data"][0]["id"]], found["total"]) == (ids[:1], COUNT)
    assert count < COUNT


async def test_a_search_is_about_what_there_is_when_it_begins(short: Box) -> None:
    ids = await filled(short)
    search = asyncio.create_task(short.get("/_sandbox/messages", q="number", limit=1000))
    for _ in range(COUNT // 2):
        await asyncio.sleep(0)
    assert not search.done()
    await short.accepted(message="number of more")
    found = await search
    assert [each["id"] for each in found["data"]] == ids
    assert found["total"] == COUNT


async def test_messages_that_are_deleted_during_a_search_are_left_out(short: Box) -> None:
    await filled(short)
    search = asyncio.create_task(short.get("/_sandbox/messages", q="number", limit=1000))
    for _ in range(COUNT // 2):
        await asyncio.sleep(0)
    assert not search.done()
    await short.control("DELETE", "/messages")
    found = await search
    assert found["data"] == []
    assert 0 < found["total"] < COUNT


async def test_searches_at_the_same_time_take_turns(short: Box) -> None:
    ids = await filled(short)
    searches = [short.message_ids(q=f"number {n}", limit=1000) for n in range(10, 20)]
    count, found = await iterations(asyncio.gather(*searches))
    assert found == [[ids[COUNT - 1 - n]] for n in range(10, 20)]
    assert count > 10 * COUNT


async def test_others_are_answered_after_each_wait_that_a_message_is_compared_with(
    short: Box,
) -> None:
    others = len(asyncio.all_tasks())
    waiting = [
        asyncio.create_task(short.get("/_sandbox/messages/wait", contains=f"<{n}>", timeout=60))
        for n in range(COUNT)
    ]
    # Each has a task that watches the connection.
    await until(lambda: len(asyncio.all_tasks()) == others + 2 * COUNT)
    last = short.accepted(message=f"<{COUNT - 1}>")
    count, (sent, found) = await iterations(asyncio.gather(last, waiting[-1]))
    assert found["id"] == sent["id"]
    assert count > COUNT
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


STATUSES = ["pending", "sent", "delivered", "failed"]
PATHS = {
    "pending": [],
    "sent": ["sent"],
    "delivered": ["sent", "delivered"],
    "failed": ["failed"],
}


@settings(max_examples=20)  # each is many calls
@given(
    st.lists(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=4), max_size=4),
    st.booleans(),
)
def test_a_search_by_status_finds_what_shows_it(messages: list[list[str]], scheduled: bool) -> None:
    with sync_sandbox() as sync:
        box = sync.box
        for statuses in messages:
            to = [f"+25670123456{n}" for n in range(len(statuses))]
            message = sync.run(box.accepted(to))
            for number, status in zip(to, statuses, strict=True):
                for each in PATHS[status]:
                    path = f"/messages/{message['id']}/status"
                    sync.run(box.control("POST", path, {"status": each, "to": number}))
        if scheduled:
            body = {"to": NUMBER, "message": "Later", "scheduledFor": "2099-01-01T00:00:00Z"}
            sync.run(box.developers("POST", "/sms", body))
        shown = sync.run(box.get("/_sandbox/messages"))["data"]
        for status in [*STATUSES, "queued"]:
            found = sync.run(box.message_ids(status=status))
            assert found == [each["id"] for each in shown if each["status"] == status]
            for to in {each["to"] for message in shown for each in message["recipients"]}:
                found = sync.run(box.message_ids(status=status, to=to))
                assert found == [
                    message["id"]
                    for message in shown
                    if any(
                        (each["to"], each["status"]) == (to, status)
                        for each in message["recipients"]
                    )
                ]
