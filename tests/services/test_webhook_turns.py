"""Webhooks in flight: bounded over all accounts, with fair turns."""

import asyncio
import http.client
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, boxed
from hypothesis import given
from hypothesis import strategies as st
from iterations import iterations, until
from live import Live, serving
from receiver import LIMIT, Receiver

from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.services.webhooks.turns import Endings, Turns
from msgine_sandbox.settings import Settings

pytestmark = pytest.mark.both_loops

FLAGS: dict[str, Any] = {
    "tier": "unlimited",
    "sent_after": 0,
    "delivered_after": 0,
    "webhook_timeout": 600,  # none of those that are held ends by itself
}


class Hanging:
    """A receiver that answers only when it is told to."""

    def __init__(self, changed: asyncio.Event) -> None:
        self.held: list[asyncio.StreamWriter] = []
        self.answers = False
        self.total = 0
        self.most_held = 0
        self.url = ""
        self.changed = changed

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; it is checked as this or another receiver is called."""
        async with asyncio.timeout(LIMIT):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
        self.total += 1
        if self.answers:
            self.answer(writer)
        else:
            self.held.append(writer)
            self.most_held = max(self.most_held, len(self.held))
        self.changed.set()

    def answer(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    def answer_one(self) -> None:
        self.answer(self.held.pop(0))

    def answer_all(self) -> None:
        self.answers = True
        while self.held:
            self.answer_one()


@asynccontextmanager
async def hanging(beside: Hanging | None = None) -> AsyncIterator[Hanging]:
    """Run a receiver; `until` of it and of the one beside it notice calls of both."""
    receiver = Hanging(asyncio.Event() if beside is None else beside.changed)
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield receiver
    finally:
        receiver.answer_all()
        server.close()


def bounded(most: int, **settings: Any) -> AbstractAsyncContextManager[Box]:
    """Run a sandbox with so many webhooks in flight at most."""
    return boxed(Sandbox(Settings(**FLAGS, **settings), bounds=Bounds(webhooks_in_flight=most)))


async def send(box: Box, receiver: Hanging, count: int) -> None:
    """Send messages with one webhook each, which is due at once."""
    for _ in range(count):
        await box.accepted("+256700000004", callbackUrl=receiver.url)


async def test_webhooks_in_flight_are_bounded_over_all_accounts() -> None:
    async with hanging() as receiver, bounded(8) as box:
        for account in [box, *[box.other() for _ in range(9)]]:
            await send(account, receiver, 10)
        for count in range(100):
            await receiver.until(lambda count=count: receiver.total > count)
            receiver.answer_one()
        assert receiver.total == 100
        assert receiver.most_held <= 8


async def test_receivers_that_hang_leave_room_for_other_accounts() -> None:
    async with hanging() as receiver, hanging(receiver) as other, bounded(64) as box:
        for count in range(1, 11):
            await send(box.other(), receiver, 40)
            await receiver.until(lambda count=count: receiver.total >= 4 * count)
        await send(box, other, 1)
        await other.until(lambda: other.total == 1)
        assert receiver.total < 64


async def test_with_more_accounts_than_places_they_take_turns() -> None:
    async with hanging() as receiver, hanging(receiver) as other, bounded(1) as box:
        await send(box, receiver, 100)
        await receiver.until(lambda: receiver.total == 1)
        waiting = box.other()
        await waiting.freeze()
        await send(waiting, other, 1)
        move = asyncio.create_task(waiting.advance(seconds=1))
        while not other.total:
            receiver.answer_one()
            total = receiver.total
            await receiver.until(lambda total=total: receiver.total > total or other.total > 0)
        # Without turns it would come after all hundred. The move takes a while to get so far.
        assert receiver.total < 50
        other.answer_all()
        # The webhook, and the status before it unless it was performed as it fell due at once.
        assert (await move)["performed"] >= 1


async def test_moving_all_clocks_comes_to_an_end_with_one_webhook_in_flight() -> None:
    async with hanging() as receiver, bounded(1) as box:
        receiver.answer_all()
        accounts = [box, *[box.other() for _ in range(9)]]
        for account in accounts:
            await account.freeze()
            await send(account, receiver, 3)
        await box.anonymous.advance(hours=1)
        assert receiver.total == 30
        for account in accounts:
            assert [each["status"] for each in await account.attempts()] == [200] * 3


async def test_a_webhook_whose_message_is_gone_when_its_turn_comes_is_not_sent() -> None:
    async with hanging() as receiver, hanging(receiver) as other, bounded(1) as box:
        await send(box, receiver, 1)
        await receiver.until(lambda: receiver.total == 1)
        waiting = box.other()
        await waiting.freeze()
        await send(waiting, other, 1)
        move = asyncio.create_task(waiting.advance(seconds=1))
        await asyncio.sleep(0)
        await waiting.control("POST", "/reset")
        await move
        receiver.answer_all()
        await send(waiting, receiver, 1)  # comes after what waited before
        await receiver.until(lambda: receiver.total == 2)
        assert other.total == 0


async def test_a_resend_waits_for_its_turn() -> None:
    async with hanging() as receiver, hanging(receiver) as other, bounded(1) as box:
        other.answer_all()
        await box.freeze()
        await send(box, other, 1)
        await box.advance(seconds=1)
        [attempt] = await box.attempts()
        await send(box.other(), receiver, 1)
        await receiver.until(lambda: receiver.total == 1)
        resend = asyncio.create_task(
            box.control("POST", f"/webhooks/attempts/{attempt['id']}/resend")
        )
        await asyncio.sleep(0)
        assert other.total == 1
        receiver.answer_all()
        assert (await resend)["status"] == 200
        assert other.total == 2


@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["begin", "end", "cancel"]))),
)
async def test_nobody_waits_who_may_begin(most: int, events: list[tuple[int, str]]) -> None:
    turns, tasks, in_flight = Turns(most), list[asyncio.Task[None]](), Counter[int]()
    ends = list[asyncio.Event]()

    async def webhook(account: int, ended: asyncio.Event) -> None:
        async with turns.turn(account):
            in_flight[account] += 1
            assert in_flight.total() <= most
            try:
                await ended.wait()
            finally:
                in_flight[account] -= 1

    for account, event in events:  # each account and event is also a choice among what there is
        if event == "begin":
            ends.append(asyncio.Event())
            tasks.append(asyncio.create_task(webhook(account, ends[-1])))
        elif event == "end" and ends:
            ends.pop(account % len(ends)).set()
        elif tasks:
            tasks[account % len(tasks)].cancel()
        if account % 2:  # else several events come in one turn of the event loop
            await settled()
    for each in ends:
        each.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in results} <= {type(None), asyncio.CancelledError}
    assert turns.room(1) == Turns(most).room(1)  # nothing is in flight any more


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


NOW = ("--sent-after", "0", "--delivered-after", "0", "--quiet")
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
if {plain}:
    sys.modules["uvloop"] = None
from msgine_sandbox.cli import main
main()
"""


def is_healthy(live: Live) -> bool:
    """Return whether a new connection is served."""
    port = int(live.origin.rpartition(":")[2])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as client:
        client.request("GET", "/_sandbox/health")
        return client.getresponse().status == 200


@pytest.mark.live
@pytest.mark.parametrize("plain", [False, True])
def test_hanging_receivers_leave_descriptors_for_clients(plain: bool, receiver: Receiver) -> None:
    gate = threading.Event()
    receiver.answers = [lambda _: gate.wait(LIMIT)] * 320
    program = ("-c", LIMITED.format(plain=plain))
    with serving("--tier", "unlimited", "--webhook-timeout", "600", *NOW, program=program) as live:
        with httpx.Client() as client:
            for number in range(320):
                body = {"to": NUMBER, "message": "Hello", "callbackUrl": receiver.url}
                headers = {"Authorization": f"Bearer test_{number % 10}"}
                answer = client.post(f"{live.base_url}/messages/sms", json=body, headers=headers)
                assert answer.status_code == 201
        while len(receiver.received) < 30:
            assert is_healthy(live)
        assert all(is_healthy(live) for _ in range(100))
        assert len(receiver.received) <= 64
        gate.set()


def ending(count: int) -> tuple[list[asyncio.Task[None]], list[int]]:
    """Return so many webhooks, two coming in each turn of the event loop, and those that ended."""
    endings, ended = Endings(), []

    async def webhook(number: int) -> None:
        for _ in range(number // 2):
            await asyncio.sleep(0)
        await endings.wait()
        ended.append(number)

    return [asyncio.create_task(webhook(number)) for number in range(count)], ended


async def test_webhooks_that_come_shortly_after_each_other_end_together() -> None:
    tasks, ended = ending(6)
    await until(lambda: bool(ended))
    assert ended == list(range(6))
    await asyncio.gather(*tasks)


async def test_a_webhook_without_others_ends_in_a_few_turns_of_the_event_loop() -> None:
    endings = Endings()
    for _ in range(2):
        passed, _ = await iterations(endings.wait())
        assert passed < 5


async def test_webhooks_end_together_sixteen_at_most() -> None:
    tasks, ended = ending(40)
    await until(lambda: bool(ended))
    assert 16 <= len(ended) < 24
    await asyncio.gather(*tasks)
    assert len(ended) == 40


async def test_a_webhook_that_is_cancelled_leaves_those_with_which_it_would_end() -> None:
    endings = Endings()
    tasks = [asyncio.create_task(endings.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), asyncio.CancelledError, type(None)]
    passed, _ = await iterations(endings.wait())
    assert passed < 5
