"""`create_app()` in the process of the tests: under many event loops, one after the other."""

import asyncio
import gc
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import Account, LoopClient
from matching import assert_refused
from receiver import Receiver
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from msgine_sandbox.app import create_app
from msgine_sandbox.settings import Settings

AT_ONCE = {"sent_after": 0, "delivered_after": 0}
CLIENTS = ["TestClient", "TestClient in with", "TestClient on uvloop", "ASGITransport"]


def app_with(**settings: Any) -> ASGIApp:
    return create_app(Settings(**settings))


@contextmanager
def calling(app: ASGIApp, client: str = "TestClient") -> Iterator[Account]:
    """Return an account that is called by a kind of client."""
    with ExitStack() as stack:
        if client == "ASGITransport":
            yield Account(LoopClient(app))
        elif client == "TestClient in with":
            yield Account(stack.enter_context(TestClient(app)))
        else:
            yield Account(TestClient(app, backend_options={"use_uvloop": "uvloop" in client}))


@pytest.fixture
def by_hand() -> Account:
    """An account whose event loops run during requests only, and whose steps are due at once."""
    return Account(TestClient(app_with(**AT_ONCE)))


# Every client


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_is_sent_read_and_delivered(client: str) -> None:
    with calling(app_with(), client) as account:
        account.control("POST", "/clock/freeze")
        message = account.accepted()
        assert account.status(message) == "pending"
        assert account.advance(2)["performed"] == 2
        assert account.status(message) == "delivered"


@pytest.mark.parametrize("client", CLIENTS)
def test_advance_sends_webhooks_before_it_answers(client: str, receiver: Receiver) -> None:
    with calling(app_with(), client) as account:
        account.accepted(callbackUrl=receiver.url)
        account.advance(2)
        assert receiver.events == ["message.sent", "message.delivered"]
        attempts = account.get("/_sandbox/webhooks/attempts")["data"]
        assert [each["status"] for each in attempts] == [200, 200]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wait_lets_the_message_be_delivered_by_itself(client: str) -> None:
    with calling(app_with(sent_after=0.05, delivered_after=0.1), client) as account:
        account.delivered(account.accepted())


@pytest.mark.parametrize("client", CLIENTS)
def test_all_state_carries_over_to_the_next_event_loop(client: str) -> None:
    with calling(app_with(), client) as account:
        first = account.send(key="order-1")
        account.control("POST", "/clock/freeze")
        time = account.advance(3600)["now"]
        account.control("POST", "/faults", {"effect": {"status": 503}, "times": 1})
        assert account.send().status_code == 503
        again = account.send(key="order-1")
        assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", first.json())
        assert account.control("GET", "/clock")["now"] == time
        journal = account.get("/_sandbox/requests")["data"]
        assert [each["status"] for each in journal] == [201, 503, 201]


def test_webhooks_leave_nothing_open_when_an_event_loop_ends(receiver: Receiver) -> None:
    for client in ("TestClient", "ASGITransport"):
        with calling(app_with(), client) as account:
            account.accepted(callbackUrl=receiver.url)
            account.advance(2)
    gc.collect()  # an open socket or database would cause a warning, which fails the test
    assert len(receiver.received) == 4


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("testserver", 200),
        ("test", 200),
        ("sandbox:8256", 200),
        ("MSGINE", 200),
        ("localhost", 200),
        ("api.msgine.net", 421),
        ("sandbox.evil.example", 421),
        ("evil.", 421),
        ("test@evil", 421),
        ("", 421),
    ],
)
def test_any_name_without_a_dot_is_a_host_in_process(host: str, status: int) -> None:
    client = TestClient(create_app())
    answer = client.get("/_sandbox/health", headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert "allowed_host=" in answer.json()["error"]["message"]


def test_a_public_name_can_be_allowed_in_process() -> None:
    client = TestClient(
        app_with(allowed_host=("api.msgine.net",)), base_url="https://api.msgine.net"
    )
    assert client.get("/_sandbox/health").status_code == 200


def test_a_failed_webhook_is_not_blamed_on_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgine_sandbox.sandbox.runs_in_container", lambda: True)
    account = Account(TestClient(create_app()))
    account.accepted("+256700000004", callbackUrl="http://localhost:9/hooks")
    account.advance(1)
    [entry] = account.get("/_sandbox/requests")["data"]
    assert [each["code"] for each in entry["warnings"]] == ["webhook-failed"]


# Without a running event loop


def test_without_a_loop_nothing_happens_until_the_clock_is_advanced(
    by_hand: Account, receiver: Receiver
) -> None:
    message = by_hand.accepted(callbackUrl=receiver.url)
    # A request that takes long, as any may on a slow machine: longer than the shortest timer.
    by_hand.control("POST", "/faults", {"effect": {"delay": 0.1}, "times": 1})
    assert by_hand.status(message) == "pending"
    assert (by_hand.status(message), receiver.events) == ("pending", [])
    assert by_hand.advance(0)["performed"] == 4
    assert by_hand.status(message) == "delivered"
    assert receiver.events == ["message.sent", "message.delivered"]


def test_a_wait_for_a_message_that_is_there_performs_nothing(by_hand: Account) -> None:
    message = by_hand.accepted()
    assert by_hand.get("/_sandbox/messages/wait")["id"] == message
    assert by_hand.status(message) == "pending"


def test_an_event_stream_lets_things_happen_while_it_lasts(by_hand: Account) -> None:
    message = by_hand.accepted()
    assert message
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_sandbox/events",
        "query_string": b"",
        "headers": [(b"host", b"test"), (b"authorization", b"Bearer " + by_hand.token.encode())],
        "extensions": {"http.response.debug": {}},
    }

    async def stream() -> None:
        changed = asyncio.Event()

        async def receive() -> Message:
            await changed.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if b'"messageStatus":"delivered"' in message.get("body", b""):
                changed.set()

        async with asyncio.timeout(60):
            await by_hand.client.app(scope, receive, send)

    asyncio.run(stream())
    assert by_hand.status(message) == "delivered"


# Under a running event loop


def test_in_with_the_sandbox_works_by_itself(receiver: Receiver) -> None:
    with calling(app_with(**AT_ONCE), "TestClient in with") as account:
        message = account.accepted(callbackUrl=receiver.url)
        asyncio.run(receiver.until(2))  # while no request runs
        assert account.status(message) == "delivered"


def test_in_a_loop_of_the_tests_the_sandbox_works_by_itself(receiver: Receiver) -> None:
    app = app_with(**AT_ONCE)
    with asyncio.Runner() as runner:
        Account(LoopClient(app, runner.run)).accepted(callbackUrl=receiver.url)
        runner.run(receiver.until(2))


def test_mounted_in_an_application_it_works_by_itself_from_the_second_request_on(
    receiver: Receiver,
) -> None:
    # Starlette runs no lifespan of what is mounted.
    parent = Starlette(routes=[Mount("/", app_with(**AT_ONCE))])
    with TestClient(parent) as client:
        account = Account(client)
        account.accepted(callbackUrl=receiver.url)
        assert account.message_count() == 1
        asyncio.run(receiver.until(2))


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_an_application_can_be_entered_again_and_goes_on(kind: str, tmp_path: Path) -> None:
    app = app_with(database=str(tmp_path / "my.db") if kind == "file" else None)
    ids = []
    for count in (1, 2, 3):
        with calling(app, "TestClient in with") as account:
            ids.append(account.accepted())
            assert account.message_count() == count
    account = Account(TestClient(app))
    assert (account.message_count(), sorted(ids)) == (3, ids)
    account.advance(2)
    assert {account.status(message) for message in ids} == {"delivered"}


def test_between_two_blocks_the_file_is_free_for_another_sandbox(tmp_path: Path) -> None:
    file = str(tmp_path / "my.db")
    app = app_with(database=file)
    with calling(app, "TestClient in with") as account:
        account.accepted()
    with calling(app_with(database=file), "TestClient in with") as account:
        account.accepted()
        Account(account.client, "test_unlimited_other").accepted()
        error = assert_refused(Account(TestClient(app)).send(), 503, "service_unavailable")
        assert "is in use by another sandbox" in error["message"]
    with calling(app, "TestClient in with") as account:
        assert account.message_count() == 2
        assert Account(account.client, "test_unlimited_other").message_count() == 1


def test_after_a_block_a_new_file_in_its_place_is_used_as_it_is(tmp_path: Path) -> None:
    app = app_with(database=str(tmp_path / "my.db"))
    with calling(app, "TestClient in with") as account:
        account.accepted()
    (tmp_path / "my.db").unlink()
    with calling(app, "TestClient in with") as account:
        assert account.message_count() == 0
        account.accepted()
        assert account.message_count() == 1


# Two event loops at the same time


def assert_in_use(answer: Any) -> None:
    error = assert_refused(answer, 503, "service_unavailable")
    assert "another event loop" in error["message"]


def test_a_second_loop_is_refused_while_the_first_goes_on() -> None:
    app = app_with()
    with calling(app, "TestClient in with") as first:
        first.accepted()
        for client in ("TestClient", "ASGITransport"):
            with calling(app, client) as second:
                assert_in_use(second.send())
        with pytest.raises(Exception, match="another event loop"), TestClient(app):
            pass
        first.accepted()
        assert len(first.get("/_sandbox/requests")["data"]) == 2
    assert Account(TestClient(app)).message_count() == 2


def test_of_many_loops_at_once_each_is_served_or_refused() -> None:
    app = app_with()
    threads = 4
    together = threading.Barrier(threads)

    def send(_: int) -> list[int]:
        account = Account(TestClient(app))
        together.wait(60)
        answers = [account.send() for _ in range(25)]
        for answer in answers:
            if answer.status_code != 201:
                assert_in_use(answer)
        return [answer.status_code for answer in answers]

    with ThreadPoolExecutor(threads) as pool:
        statuses = [status for each in pool.map(send, range(threads)) for status in each]
    account = Account(TestClient(app))
    account.accepted()
    assert account.message_count() == statuses.count(201) + 1
    assert len(account.get("/_sandbox/requests?limit=1000")["data"]) == statuses.count(201) + 1


def test_another_thread_may_use_it_once_the_loop_has_ended() -> None:
    account = Account(TestClient(app_with()))
    with ThreadPoolExecutor(1) as pool:
        message = pool.submit(account.accepted).result(60)
    assert account.status(message) == "pending"


# Another event loop than asyncio's


def test_without_asyncio_requests_and_lifespan_are_refused_with_a_sentence() -> None:
    app, sent = create_app(), []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    def run(scope: dict[str, Any]) -> None:
        # As trio would, without an event loop of asyncio: nothing here waits for anything.
        app(scope, receive, send).send(None)

    http = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    with pytest.raises(StopIteration):
        run(http)
    assert sent[0]["status"] == 503
    assert "asyncio" in json.loads(sent[1]["body"])["error"]["message"]
    with pytest.raises(Exception, match="asyncio"):
        run({"type": "lifespan"})
    assert sent[-1]["type"] == "lifespan.startup.failed"


# Any sequence


LOOPS = ("fresh", "thread", "run", "long", "with")
CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/messages/sms", {"to": "+256701234567", "message": "Hello"}),
    ("POST", "/api/v1/messages/sms", {"to": "+256700005032", "message": "Twice 503"}),
    ("POST", "/api/v1/messages/sms", {"to": "12", "message": "No number"}),
    ("POST", "/_sandbox/clock/advance", {"seconds": 1}),
    ("POST", "/_sandbox/clock/advance", {"seconds": 90_000}),
    ("POST", "/_sandbox/faults", {"effect": {"status": 502}, "times": 1}),
    ("DELETE", "/_sandbox/messages", None),
    ("POST", "/_sandbox/reset", None),
    ("POST", "/_sandbox/clock/freeze", None),
    ("GET", "/api/v1/messages", None),
    ("GET", "/_sandbox/messages", None),
    ("GET", "/_sandbox/requests", None),
    ("GET", "/_sandbox/coverage", None),
]
_VOLATILE = re.compile(
    r'[0-9a-f]{16}|\d{4}-\d\d-\d\dT[\d:.]+Z|"(durationMs|aheadSeconds|x-ratelimit-reset)":"?-?[\d.]+|'
    r'"(host|user-agent|accept[a-z-]*|connection)":"[^"]*",?'
)


class Loops:
    """One application, and clients that call it in event loops of every kind."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._app = app_with()
        self._calls: dict[str, Callable[..., Any]] = {
            "fresh": TestClient(self._app).request,
            "thread": self._in_thread,
            "run": LoopClient(self._app).request,
            "long": LoopClient(self._app, runner.run).request,
            "with": self._in_with,
        }
        self.call("long", "POST", "/_sandbox/clock/freeze")

    def call(self, loop: str, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """Return the status and the content of a response, without ids and times."""
        headers = {"Authorization": "Bearer test_unlimited_any"}
        if key and method == "POST" and path.startswith("/api"):
            headers["Idempotency-Key"] = key
        answer = self._calls[loop](method, path, json=body, headers=headers)
        if path == "/_sandbox/reset":  # it lets the clock run, and time would depend on the machine
            self.call(loop, "POST", "/_sandbox/clock/freeze")
        assert answer.headers.get("Idempotent-Replayed", "true") == "true"
        return answer.status_code, _VOLATILE.sub("", answer.text)

    def _in_thread(self, *args: Any, **kwargs: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(TestClient(self._app).request, *args, **kwargs).result(60)

    def _in_with(self, *args: Any, **kwargs: Any) -> Any:
        with TestClient(self._app) as client:
            return client.request(*args, **kwargs)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(LOOPS), st.sampled_from(CALLS), st.sampled_from(["", "k1"])),
        max_size=12,
    )
)
def test_any_sequence_is_answered_over_many_loops_as_over_one(
    steps: list[tuple[str, tuple[str, str, Any], str]],
) -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        long, many = Loops(one), Loops(other)
        for loop, call, key in steps:
            assert many.call(loop, *call, key) == long.call("long", *call, key)
