"""Event loops that end, or pause, in the middle of requests: the next loop is not affected."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import NUMBER, Account, LoopClient
from receiver import LIMIT, Receiver
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from msgine_sandbox.app import create_app
from msgine_sandbox.settings import Settings

try:
    from uvloop import new_event_loop as new_uvloop
except ModuleNotFoundError:
    new_uvloop = asyncio.new_event_loop

HOUR = 3600
KEY = "order-1"
SEND = "/api/v1/messages/sms"
SMS = {"to": NUMBER, "message": "Hello"}


@pytest.fixture
def app() -> ASGIApp:
    return create_app(Settings(sent_after=0, delivered_after=0, webhook_timeout=600))


@pytest.fixture
def slow(receiver: Receiver) -> Iterator[Receiver]:
    """A receiver whose first answer takes until the end of the test."""
    ended = Event()

    def answer_late(handler: BaseHTTPRequestHandler) -> None:
        ended.wait(LIMIT)
        handler.close_connection = True

    receiver.answers = [answer_late]
    yield receiver
    ended.set()


class LeftLoop:
    """An event loop that a test stops in the middle of requests."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.account = Account(LoopClient(app, loop.run_until_complete))
        self._client = LoopClient(app, loop.create_task)

    def begin(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """Begin a request, and return its task."""
        headers = {"Authorization": f"Bearer {self.account.token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self._client.request(method, path, json=body, headers=headers)

    def iterate(self, times: int = 1) -> None:
        """Run so many iterations of the loop."""
        for _ in range(times):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()

    def until(self, receiver: Receiver, count: int) -> None:
        """Run until a receiver has so many webhooks."""
        self.loop.run_until_complete(receiver.until(count))


async def cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def left(app: ASGIApp, *, uvloop: bool = False, cancel: bool = False) -> Iterator[LeftLoop]:
    """Return an event loop that is closed after the block, with what runs in it pending.

    With `cancel`, its tasks are cancelled first, as `asyncio.run` does.
    """
    loop = new_uvloop() if uvloop else asyncio.SelectorEventLoop()
    loop.set_exception_handler(lambda *_: None)  # of tasks that are destroyed, which is the point
    try:
        yield LeftLoop(app, loop)
        if cancel:
            loop.run_until_complete(cancel_others())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


ENDS = [{}, {"cancel": True}, {"uvloop": True}, {"uvloop": True, "cancel": True}]
ends = pytest.mark.parametrize("how", ENDS)
# With a socket in use, uvloop cannot be closed before its tasks have been cancelled.
ends_with_sockets = pytest.mark.parametrize("how", [how for how in ENDS if how != {"uvloop": True}])
# asyncio warns of a connection that is freed after its loop was closed, because only the loop could
# have closed it: of its transport or of its socket, whichever is freed first.
unclosed = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@given(iterations=st.integers(0, 12), key=st.sampled_from([KEY, None]), cancel=st.booleans())
def test_a_send_that_is_left_anywhere_is_stored_whole_or_not_at_all(
    iterations: int, key: str | None, cancel: bool
) -> None:
    # An hour, because statuses begin by themselves until the next loop is used, however late.
    app = create_app(Settings(sent_after=HOUR, delivered_after=HOUR + 1))
    with left(app, cancel=cancel) as loop:
        loop.begin("POST", SEND, SMS, key)
        loop.iterate(iterations)
    account = Account(TestClient(app))
    stored = account.message_count()
    assert stored <= 1
    answer = account.send(key=key)
    assert answer.status_code == 201
    assert account.message_count() == (1 if key else stored + 1)
    assert account.advance(HOUR + 1)["performed"] == 2 * account.message_count()
    del loop
    gc.collect()
    assert account.send(key=KEY).status_code == 201


@unclosed
@ends_with_sockets
def test_a_webhook_in_flight_is_sent_again(
    app: ASGIApp, slow: Receiver, how: dict[str, bool]
) -> None:
    with left(app, **how) as loop:
        message = loop.account.accepted("+256700000004", callbackUrl=slow.url)
        loop.until(slow, 1)
    account = Account(TestClient(app))
    assert account.get("/_sandbox/webhooks/attempts")["data"] == []
    account.advance()
    assert account.status(message) == "sent"
    assert slow.events == ["message.sent", "message.sent"]
    attempts = account.get("/_sandbox/webhooks/attempts")["data"]
    assert [(each["attempt"], each["status"]) for each in attempts] == [(1, 200)]
    del loop
    gc.collect()


@unclosed
@ends_with_sockets
def test_a_webhook_whose_receiver_does_not_start_tls_is_left(
    app: ASGIApp, how: dict[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"

        def accept() -> socket.socket:
            peer, _ = listener.accept()
            peer.settimeout(LIMIT)
            peer.recv(1)  # the handshake has begun
            return peer

        with left(app, **how) as loop:
            loop.account.accepted(callbackUrl=url)
            peer = loop.loop.run_until_complete(asyncio.to_thread(accept))
        peer.close()
    del loop
    gc.collect()
    account = Account(TestClient(app))
    account.advance(1)
    attempts = account.get("/_sandbox/webhooks/attempts")["data"]
    assert {"refused" in each["error"] for each in attempts} == {True}
    assert caplog.records == []


@unclosed
@ends_with_sockets
def test_a_clock_move_in_progress_is_finished_by_the_next(
    app: ASGIApp, slow: Receiver, how: dict[str, bool]
) -> None:
    with left(app, **how) as loop:
        loop.account.control("POST", "/clock/freeze")
        later = loop.account.accepted("+256700000005")
        loop.account.accepted("+256700000004", callbackUrl=slow.url)
        time = loop.account.control("GET", "/clock")["now"]
        loop.begin("POST", "/_sandbox/clock/advance", {"seconds": 7200})
        loop.until(slow, 1)
    account = Account(TestClient(app))
    # The time is not held any more where the move had come to, and nothing is locked.
    assert account.control("GET", "/clock")["now"] > time
    account.advance(0)
    assert account.status(later) == "delivered"
    assert slow.events == ["message.sent", "message.sent"]
    del loop
    gc.collect()


@ends
def test_waits_and_streams_do_not_disturb_what_they_waited_for(
    app: ASGIApp, how: dict[str, bool]
) -> None:
    with left(app, **how) as loop:
        loop.begin("GET", "/_sandbox/messages/wait?contains=never")
        loop.begin("GET", "/_sandbox/events")
        loop.iterate(10)
    account = Account(TestClient(app))
    message = account.accepted()
    account.advance()
    assert account.status(message) == "delivered"
    del loop
    gc.collect()
    account.accepted()


@ends
def test_a_request_that_waits_for_a_key_does_not_keep_it(
    app: ASGIApp, how: dict[str, bool]
) -> None:
    with left(app, **how) as loop:
        for _ in range(3):
            loop.begin("POST", SEND, SMS, KEY)
        loop.iterate(2)
    account = Account(TestClient(app))
    assert account.send(key=KEY).status_code == 201
    del loop
    gc.collect()
    assert account.send(key=KEY).headers["Idempotent-Replayed"] == "true"
    assert account.message_count() == 1


def test_a_loop_that_pauses_can_be_used_again(
    app: ASGIApp, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with asyncio.Runner() as first, asyncio.Runner() as second:
        for runner in (first, second, first, second):
            account = Account(LoopClient(app, runner.run))
            account.accepted(callbackUrl=receiver.url)
            account.get("/_sandbox/messages/wait?status=delivered")
            runner.run(receiver.until(2))
            receiver.received.clear()
            Account(TestClient(app)).accepted("+256700000003")
            # Its tasks are cancelled, because another loop was used; how many iterations that takes
            # depends on the connections that they close.
            if tasks := asyncio.all_tasks(runner.get_loop()):
                runner.run(asyncio.wait(tasks, timeout=LIMIT))
            assert asyncio.all_tasks(runner.get_loop()) == set()
    assert caplog.records == []


@pytest.mark.parametrize(("other_is_used", "status"), [(False, 201), (True, 503)])
def test_a_request_of_a_paused_loop_goes_on_unless_another_loop_was_used(
    app: ASGIApp, other_is_used: bool, status: int
) -> None:
    with left(app, cancel=True) as loop:
        loop.account.control("POST", "/faults", {"effect": {"delay": 0.5}, "times": 1})
        request = loop.begin("POST", SEND, SMS)
        loop.iterate(10)
        if other_is_used:
            Account(TestClient(app), "test_unlimited_other").accepted()
        assert loop.loop.run_until_complete(request).status_code == status
    assert Account(TestClient(app)).message_count() == (status == 201)
