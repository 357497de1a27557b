"""The scheduler under difficult conditions: backlogs, resets, failures, clocks set back."""

import asyncio
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from box import NUMBER, Box, boxed, sandbox
from hypothesis import given
from hypothesis import strategies as st
from receiver import Receiver

from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.settings import Settings

pytestmark = pytest.mark.both_loops


class Gate:
    """A response that a receiver sends only when it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        assert self.opened.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


def numbers(count: int) -> list[str]:
    return [f"+2567012{number:05d}" for number in range(count)]


async def arrived(box: Box, message: dict[str, Any]) -> None:
    """Wait, with real time, until a message is delivered."""
    await box.control("GET", f"/messages/wait?q={message['message']}&status=delivered&timeout=60")


async def seconds_ahead(box: Box) -> float:
    return (await box.control("GET", "/clock"))["aheadSeconds"]


async def test_a_backlog_with_webhooks_is_performed_completely(receiver: Receiver) -> None:
    async with sandbox(tier="unlimited", sent_after=0, delivered_after=0) as box:
        await box.listen(receiver.url)
        sent = [await box.accepted(numbers(10), f"message-{n}") for n in range(10)]
        for message in sent:
            await arrived(box, message)
            details = await box.details(message)
            assert {each["status"] for each in details["recipients"]} == {"delivered"}
        await receiver.until(200)


async def test_a_reset_ends_an_advance_in_progress(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    gate = Gate()
    receiver.answers = [gate]
    await box.listen(receiver.url)
    await box.accepted()
    advance = asyncio.create_task(box.advance(hours=1))
    await receiver.until(1)
    await box.control("POST", "/reset")
    await advance
    assert abs(await seconds_ahead(box)) < 1
    await box.freeze()
    message = await box.accepted()
    assert (await box.read(message))["status"] == "pending"
    gate.opened.set()


async def test_an_account_created_during_an_advance_of_the_whole_sandbox_is_as_far_ahead(
    box: Box,
) -> None:
    fresh = box.other()
    opening = asyncio.create_task(fresh.send())
    body = {"seconds": 3600}
    assert (await box.http.post("/_sandbox/clock/advance", json=body)).status_code == 200
    assert (await opening).status_code == 201
    assert await seconds_ahead(fresh) == 3600


async def test_a_client_that_cancels_an_advance_does_not_stop_the_account(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    gate = Gate()
    receiver.answers = [gate]
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    advance = asyncio.create_task(box.advance(hours=1))
    await receiver.until(1)
    advance.cancel()
    await asyncio.gather(advance, return_exceptions=True)
    gate.opened.set()
    later = await box.accepted(message="later")
    assert (await box.advance(seconds=2))["performed"] >= 2
    assert (await box.read(later))["status"] == "delivered"


async def test_a_step_that_fails_is_tried_again_and_others_are_performed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, receiver: Receiver
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.scheduler._RETRY_AFTER_FAILURE", 1000)
    built = Sandbox(Settings(sent_after=0, delivered_after=0))
    remove, failures = built.store.steps.remove, [OSError("the disk is full")]

    async def fail_once(steps: Any) -> int:
        if failures:
            raise failures.pop()
        return await remove(steps)

    monkeypatch.setattr(built.store.steps, "remove", fail_once)
    async with boxed(built) as box:
        await box.listen(receiver.url, events=["message.delivered"])
        await box.accepted(message="first")
        await receiver.until(1)
        await box.accepted(message="second")
        await receiver.until(2)
    assert receiver.events == ["message.delivered"] * 2
    assert "will be tried again" in caplog.text


async def test_a_message_with_many_webhooks_does_not_delay_another(receiver: Receiver) -> None:
    gate = Gate()
    receiver.answers = [gate]
    async with sandbox(sent_after=0, delivered_after=0, webhook_timeout=600) as box:
        urls = [f"{receiver.url}/{n}" for n in range(6)]
        endpoints = [{"url": url, "events": ["message.sent"]} for url in urls]
        await box.control("PUT", "/webhooks", {"endpoints": endpoints})
        large = await box.accepted(numbers(100), "large")
        await receiver.until(1)
        small = await box.accepted(message="small")
        await receiver.until(7)
        received = [each.content["id"] for each in receiver.received]
        assert received == [large["id"], *[small["id"]] * 6]
        await box.control("POST", "/reset")
        gate.opened.set()


async def test_an_advance_performs_each_step_with_a_webhook_once(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    await box.listen(receiver.url, events=["message.delivered"])
    for _ in range(10):
        await box.accepted(numbers(10))
        await box.advance(seconds=0.1)
    await box.advance(hours=1)
    assert len(receiver.received) == 100
    looked = [
        (each["status"], len(each["timeline"]))
        for message in (await box.control("GET", "/messages"))["data"]
        for each in message["recipients"]
    ]
    assert looked == [("delivered", 3)] * 100


async def test_an_advance_by_zero_changes_nothing(box: Box) -> None:
    before = await seconds_ahead(box)
    for _ in range(50):
        await box.advance(seconds=0)
    assert await seconds_ahead(box) == before == 0
    await box.advance(seconds=60)
    assert await seconds_ahead(box) == 60


async def test_accounts_do_not_share_cookies(box: Box, receiver: Receiver) -> None:
    receiver.answers = [(200, {"Set-Cookie": "session=mine"})]
    for account in (box, box.other()):
        await account.accepted("+256700000004", callbackUrl=receiver.url)
        await account.advance(seconds=1)
    assert [each.headers.get("cookie") for each in receiver.received] == [None, None]


async def test_a_compressed_response_to_a_webhook_is_not_decompressed(
    box: Box, receiver: Receiver
) -> None:
    packed = gzip.compress(gzip.compress(b"\0" * 10_000_000))

    def bomb(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip, gzip")
        handler.send_header("Content-Length", str(len(packed)))
        handler.end_headers()
        handler.wfile.write(packed)

    receiver.answers = [bomb]
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    await box.advance(seconds=1)
    [attempt] = await box.attempts()
    assert attempt["status"] == 200
    assert len(attempt["response"]["body"]) <= len(packed)
    assert receiver.received[0].headers["accept-encoding"] == "identity"


async def test_a_webhook_cannot_call_the_control_api(box: Box, receiver: Receiver) -> None:
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    await box.advance(seconds=1)
    agent = {"User-Agent": receiver.received[0].headers["user-agent"]}
    answer = await box.call("POST", "/_sandbox/reset", headers=agent)
    assert answer.status_code == 403
    assert (await box.control("GET", "/messages"))["total"] == 1


@given(
    st.lists(
        st.tuples(st.integers(-(10**7), 10**7), st.integers(0, 10**6)), min_size=1, max_size=30
    )
)
def test_real_time_never_goes_back_nor_stands_still(jumps: list[tuple[int, int]]) -> None:
    wall, steady = [10**15], [0]
    real = RealTime(lambda: wall[0], lambda: steady[0])
    before = real.now()
    for jump, passed in jumps:
        wall[0] += (jump + passed) * 1000
        steady[0] += passed * 1000
        now = real.now()
        assert now >= before + passed
        assert now >= wall[0] // 1000
        before = now


async def test_one_account_is_advanced_while_another_is_frozen(box: Box) -> None:
    other = box.other()
    frozen_at = (await other.freeze())["now"]
    mine, theirs = await box.accepted(NUMBER), await other.accepted(NUMBER)
    await box.advance(days=1)
    assert (await box.read(mine))["status"] == "delivered"
    assert (await other.read(theirs))["status"] == "pending"
    assert (await other.control("GET", "/clock"))["now"] == frozen_at


async def test_a_webhook_that_cannot_be_sent_does_not_stop_an_advance(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    built = Sandbox(Settings())

    async def fail(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(built.store.webhooks, "get", fail)
    async with boxed(built) as box:
        await box.freeze()
        await box.accepted("+256700000004", callbackUrl=receiver.url)
        assert (await box.advance(hours=1))["performed"] == 2


async def test_a_pause_of_the_process_while_a_timer_is_set_does_no_harm() -> None:
    def paused() -> int:
        time.sleep(0.02)  # as on a busy machine; it is longer than the shortest timer
        return time.time_ns()

    real = RealTime(wall=paused)
    built = Sandbox(Settings())
    queue = DueQueue(built.accounts, real)
    due = real.now()
    queue.wake_at(1, due + 1)
    queue.wake_at(2, due)
    accounts = [await asyncio.wait_for(queue.next_account(), 60) for _ in range(2)]
    assert accounts == [2, 1]
    queue.clear()
    built.store.close()


async def test_an_account_with_a_step_far_ahead_takes_no_more_memory_each_time_it_is_scheduled(
    receiver: Receiver,
) -> None:
    built = Sandbox(Settings(tier="unlimited"))
    async with boxed(built) as box:
        await box.listen(receiver.url)
        await box.developers(
            "POST", "/sms", {"to": NUMBER, "message": "Later", "scheduledFor": "2099-01-01T06:00Z"}
        )
        for _ in range(500):
            await box.advance(seconds=0)
        assert len(built.due_queue._heap) < 250
