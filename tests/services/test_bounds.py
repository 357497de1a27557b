"""What is kept is bounded in entries and in bytes; nothing is refused because of a bound."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from box import BASE_PATH, NUMBER, Box, bounded, boxed
from following import following
from receiver import Receiver

from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.settings import Settings

MEGABYTE = 1024 * 1024
LIST = f"{BASE_PATH}/messages"
ATTEMPTS = "/_sandbox/webhooks/attempts"


async def ask(box: Box, size: int = 0) -> str:
    """Send a request whose headers have so many bytes; return its id."""
    answer = await box.call("GET", LIST, headers={"X-Trace": "x" * size})
    assert answer.status_code == (200 if box.token else 401)
    return answer.headers["x-request-id"]


async def kept(box: Box) -> list[str]:
    found = await box.get("/_sandbox/requests", limit=10_000)
    assert found["total"] == len(found["data"])
    return [each["id"] for each in found["data"]][::-1]


async def test_the_bounds_are_those_of_the_docs() -> None:
    defaults = Bounds()
    assert (defaults.journal_per_account, defaults.journal_bytes_per_account) == (
        10_000,
        16 * MEGABYTE,
    )
    assert (defaults.journal_entries, defaults.journal_bytes) == (100_000, 32 * MEGABYTE)
    assert (defaults.journal_without_account, defaults.journal_bytes_without_account) == (
        1_000,
        2 * MEGABYTE,
    )
    assert (defaults.attempts_per_account, defaults.attempt_bytes_per_account) == (
        10_000,
        16 * MEGABYTE,
    )
    assert (defaults.attempts, defaults.attempt_bytes) == (100_000, 64 * MEGABYTE)
    assert (defaults.feed_events, defaults.feed_bytes) == (10_000, MEGABYTE)


# The journal


async def test_ten_thousand_ordinary_requests_take_less_than_the_bound() -> None:
    room_for_twenty = Bounds().journal_bytes_per_account // 500
    async with bounded(journal_bytes_per_account=room_for_twenty) as box:
        for number in range(20):
            await box.accepted(message=f"Your code is 4938{number:02}", key=f"order-{number}")
        assert len(await kept(box)) == 20


async def test_an_account_keeps_its_newest_requests_in_so_many_bytes() -> None:
    async with bounded(journal_bytes_per_account=50_000) as box:
        asked = [await ask(box, 10_000) for _ in range(9)]
        assert await kept(box) == asked[-4:]
        small = [await ask(box) for _ in range(20)]
        found = await kept(box)
        assert found[-20:] == small
        assert 20 < len(found) < 24


async def test_a_request_that_is_too_large_to_be_kept_is_answered() -> None:
    async with bounded(journal_bytes_per_account=5_000) as box:
        await ask(box)
        await ask(box, 10_000)
        assert await kept(box) == []
        small = await ask(box)
        assert await kept(box) == [small]


async def test_in_all_the_accounts_idle_longest_lose_their_oldest_requests_by_bytes() -> None:
    async with bounded(journal_bytes=65_000) as idle:
        busy = idle.other("test_unlimited_bytes")
        first = [await ask(idle, 10_000) for _ in range(3)]
        second = [await ask(busy, 10_000) for _ in range(4)]
        assert (await kept(idle), await kept(busy)) == (first[-1:], second)


async def test_requests_without_a_credential_have_a_bound_of_their_own() -> None:
    async with bounded(journal_without_account=3, journal_bytes_without_account=50_000) as box:
        own = await ask(box)
        nobody = box.anonymous
        asked = [await ask(nobody) for _ in range(5)]
        assert await kept(nobody) == [own, *asked[-3:]]
        large = [await ask(nobody, 20_000) for _ in range(4)]
        assert await kept(nobody) == [own, *large[-2:]]
        assert await kept(box) == [own]


async def test_a_warning_counts_and_an_emptied_journal_takes_no_room(receiver: Receiver) -> None:
    async with bounded(journal_bytes=30_000, journal_bytes_per_account=20_000) as box:
        for _ in range(3):
            asked = [await ask(box, 5_000) for _ in range(3)]
            assert (await kept(box))[-3:] == asked
            await box.control("DELETE", "/requests")
        receiver.answers = [500] * 10
        await box.freeze()
        sent = await box.send([NUMBER], callbackUrl=receiver.url)
        await box.advance(seconds=10)
        assert await kept(box) == [sent.headers["x-request-id"]]
        assert await box.warning_codes() == ["webhook-failed"]
        asked = [await ask(box, 5_000) for _ in range(3)]
        assert (await kept(box))[-3:] == asked


async def test_followers_go_on_past_requests_that_are_not_kept() -> None:
    built = Sandbox(Settings(tier="unlimited"), bounds=Bounds(journal_bytes=5_000))
    async with boxed(built) as box, following(built, box.token) as follower:
        await ask(box, 10_000)
        small = await ask(box)
        [event] = await follower.until(1)
        assert event["data"]["id"] == small


# Attempts


async def attempt(box: Box, receiver: Receiver, size: int = 0) -> str:
    """Send a message with one webhook, whose answer has headers of so many bytes."""
    receiver.answers.append((200, {"X-Trace": "x" * size}))
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    await box.advance(seconds=1)
    return (await box.get(ATTEMPTS, limit=1))["data"][0]["id"]


async def attempts(box: Box) -> list[str]:
    found = await box.get(ATTEMPTS, limit=1000)
    assert found["total"] == len(found["data"])
    return [each["id"] for each in found["data"]][::-1]


@asynccontextmanager
async def with_attempts(**bounds: int) -> AsyncIterator[Box]:
    async with bounded(**bounds) as box:
        await box.freeze()
        yield box


@pytest.mark.parametrize(
    ("bounds", "size", "count"),
    [
        ({"attempts_per_account": 3}, 0, 3),
        ({"attempts": 3}, 0, 3),
        ({"attempt_bytes_per_account": 35_000}, 10_000, 3),
        ({"attempt_bytes": 35_000}, 10_000, 3),
        ({"attempt_bytes": 100}, 0, 0),
    ],
)
async def test_the_newest_attempts_are_kept(
    receiver: Receiver, bounds: Mapping[str, int], size: int, count: int
) -> None:
    async with with_attempts(**bounds) as box:
        made = []
        for _ in range(5):
            receiver.answers.append((200, {"X-Trace": "x" * size}))
            await box.accepted("+256700000004", callbackUrl=receiver.url)
            await box.advance(seconds=1)
            made += [each for each in await attempts(box) if each not in made]
        found = await attempts(box)
        assert len(found) == count
        assert found == made[len(made) - count :]
        assert len(receiver.received) == 5


async def test_an_account_cannot_displace_the_attempts_of_another(receiver: Receiver) -> None:
    async with with_attempts(attempts_per_account=2) as box:
        other = box.other("test_unlimited_attempts")
        await other.freeze()
        own = await attempt(box, receiver)
        for _ in range(4):
            await attempt(other, receiver)
        assert await attempts(box) == [own]
        assert len(await attempts(other)) == 2


async def test_attempts_that_were_deleted_take_no_room(receiver: Receiver) -> None:
    async with with_attempts(attempts=3, attempts_per_account=3) as box:
        other = box.other("test_unlimited_attempts")
        await other.freeze()
        kept_on = await attempt(other, receiver)
        for call in (("DELETE", "/messages"), ("POST", "/reset")):
            for _ in range(2):
                await attempt(box, receiver)
            await box.control(*call)
            await box.freeze()
        for _ in range(2):
            await attempt(box, receiver)
            [message] = (await box.get("/_sandbox/messages"))["data"]
            await box.control("DELETE", f"/messages/{message['id']}")
        made = [await attempt(box, receiver) for _ in range(2)]
        assert (await attempts(other), await attempts(box)) == ([kept_on], made)


async def test_attempts_are_numbered_on_after_the_first_are_gone(receiver: Receiver) -> None:
    async with with_attempts(attempts_per_account=1) as box:
        receiver.answers = [500, 500, 500]
        await box.accepted("+256700000004", callbackUrl=receiver.url)
        await box.advance(minutes=1)
        await attempt(box, receiver)  # of another message, which takes the place of all others
        receiver.answers = [200]
        await box.advance(minutes=5)
        [newest] = (await box.get(ATTEMPTS))["data"]
        assert newest["attempt"] == 4
        again = await box.control("POST", f"/webhooks/attempts/{newest['id']}/resend")
        assert again["attempt"] == 5


async def test_a_file_with_more_attempts_than_the_bound_comes_down_to_it(
    receiver: Receiver, tmp_path: Any
) -> None:
    settings = Settings(tier="unlimited", database=str(tmp_path / "sandbox.db"))
    async with boxed(Sandbox(settings)) as box:
        token = box.token
        await box.freeze()
        for _ in range(4):
            await attempt(box, receiver)
    async with boxed(Sandbox(settings, bounds=Bounds(attempts=2))) as again:
        box = again.other(token)
        newest = await attempt(box, receiver)
        found = await attempts(box)
        assert (len(found), found[-1]) == (2, newest)
