"""Live events: in order, without delay, and again for clients that reconnect."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import httpx
import pytest
from command import LIMIT
from live import Live, serving

BASE = "/api/v1"
Event = dict[str, Any]


_clients: list["Client"] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what a test has opened."""
    yield
    while _clients:
        _clients.pop().http.close()


class Client:
    """One account's client of a live sandbox."""

    def __init__(self, live: Live, token: str) -> None:
        self.live = live
        self.headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=live.origin, headers=self.headers, timeout=LIMIT)
        _clients.append(self)

    def send(self, to: Any = "+256701234567", **fields: Any) -> httpx.Response:
        body = {"to": to, "message": "Hello", **fields}
        return self.http.post(f"{BASE}/messages/sms", json=body)

    def advance(self, seconds: float) -> None:
        self.http.post("/_sandbox/clock/advance", json={"seconds": seconds}).raise_for_status()

    @contextmanager
    def follow(
        self, after: str | None = None, *, changes: bool = False
    ) -> Iterator[Iterator[Event]]:
        """Follow the account; the block begins when the sandbox is sending.

        Without `changes`, events of control calls are left out.
        """
        headers = {} if after is None else {"Last-Event-ID": after}
        with self.http.stream("GET", "/_sandbox/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            assert next(lines) == "retry: 1000"
            found = events(lines)
            yield (each for each in found if changes or each["event"] != "changed")


def events(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        elif event:
            yield event
            event = {}


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with serving("--tier", "unlimited") as live:
        yield live


@pytest.fixture
def client(live: Live, request: pytest.FixtureRequest) -> Iterator[Client]:
    client = Client(live, f"test_{request.node.name[:40]}")
    with client.http:
        client.http.post("/_sandbox/clock/freeze")
        yield client


def take(following: Iterator[Event], count: int) -> list[Event]:
    return list(islice(following, count))


def test_a_message_its_request_and_its_statuses_come_in_order(client: Client) -> None:
    with client.follow() as following:
        sent = client.send()
        client.advance(10)
        found = take(following, 4)
    assert [each["event"] for each in found] == ["message", "request", "status", "status"]
    assert found[0]["data"]["id"] == sent.json()["id"]
    assert found[1]["data"]["id"] == sent.headers["x-request-id"]
    assert [each["data"]["status"] for each in found[2:]] == ["sent", "delivered"]
    assert {each["data"]["to"] for each in found[2:]} == {"+256701234567"}
    assert [each["id"] for each in found] == sorted({each["id"] for each in found})


def test_each_recipient_has_statuses_of_its_own(client: Client) -> None:
    with client.follow() as following:
        client.send(["+256701234567", "+256700000002"])
        client.advance(10)
        found = [each["data"] for each in take(following, 5) if each["event"] == "status"]
    assert sorted((each["to"], each["status"], each["reason"]) for each in found) == [
        ("+256700000002", "failed", "The carrier refuses the message"),
        ("+256701234567", "delivered", None),
        ("+256701234567", "sent", None),
    ]


def test_a_status_that_is_set_and_a_webhook_with_its_warning(client: Client) -> None:
    with client.follow() as following:
        sent = client.send("+256700000003", callbackUrl="http://localhost:9/").json()
        client.http.post(f"/_sandbox/messages/{sent['id']}/status", json={"status": "sent"})
        client.advance(1)
        found = take(following, 5)
    kinds = [each["event"] for each in found]
    assert kinds == ["message", "request", "status", "webhook", "warning"]
    assert found[3]["data"]["event"] == "message.sent"
    assert found[4]["data"]["warnings"][0]["code"] == "webhook-failed"


def test_a_status_change_that_was_overtaken_causes_no_event(client: Client) -> None:
    sent = client.send().json()
    client.http.post(f"/_sandbox/messages/{sent['id']}/status", json={"status": "failed"})
    with client.follow() as following:
        client.advance(10)
        client.send(message="the next")
        assert next(following)["data"]["message"] == "the next"


def test_events_of_other_accounts_are_not_sent(client: Client, live: Live) -> None:
    other = Client(live, "test_somebody_else")
    with other.http, client.follow() as following:
        other.send(message="theirs")
        client.send(message="mine")
        assert next(following)["data"]["message"] == "mine"


def test_without_an_account_events_of_all_accounts_are_sent(client: Client, live: Live) -> None:
    whole = Client(live, "")
    del whole.headers["Authorization"], whole.http.headers["Authorization"]
    with whole.http, whole.follow() as following:
        client.send(message="anybody's")
        assert next(following)["data"]["message"] == "anybody's"


def test_tokens_are_masked(live: Live) -> None:
    client = Client(live, "secret-of-a-follower")
    with client.follow() as following:
        client.send()
        found = json.dumps(take(following, 2))
    assert "secret-of" not in found


def test_a_client_that_reconnects_gets_the_missed_events_once(client: Client) -> None:
    with client.follow() as following:
        client.send(message="one")
        [seen] = take(following, 1)
    client.send(message="two")
    with client.follow(after=seen["id"]) as following:
        client.send(message="three")
        found = take(following, 5)
    kinds = [each["event"] for each in found]
    assert kinds == ["request", "message", "request", "message", "request"]
    texts = [each["data"]["message"] for each in found if each["event"] == "message"]
    assert texts == ["two", "three"]


def test_a_client_that_reconnects_after_a_restart_gets_a_gap_event() -> None:
    with serving() as live:
        client = Client(live, "test_gap")
        with client.http, client.follow() as following:
            client.send()
            [seen] = take(following, 1)
    with serving() as live:
        client = Client(live, "test_gap")
        with client.http, client.follow(after=seen["id"]) as following:
            client.send()
            assert [each["event"] for each in take(following, 2)] == ["gap", "message"]


def test_a_bad_id_is_refused(client: Client) -> None:
    answer = client.http.get("/_sandbox/events", headers={"Last-Event-ID": "seven"})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == "Last-Event-ID"


def test_head_has_no_events(client: Client) -> None:
    answer = client.http.head("/_sandbox/events")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_slow_reader_is_dropped_and_nobody_waits_for_it() -> None:
    few = (
        "from msgine_sandbox.sandbox import Bounds, Sandbox;"
        "Sandbox.__init__.__kwdefaults__.update(bounds=Bounds(feed_events=50));"
        "from msgine_sandbox.__main__ import main; main()"
    )
    with serving("--tier", "unlimited", "--delivery", "manual", program=("-c", few)) as live:
        client = Client(live, "test_slow")
        host, port = live.origin.removeprefix("http://").split(":")
        with client.http, socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect((host, int(port)))
            slow.sendall(f"GET /_sandbox/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert slow.recv(12) == b"HTTP/1.1 200"
            for _ in range(600):  # more than all buffers on the way take
                assert client.send(message="x" * 1600).status_code == 201
            read = b""
            while part := slow.recv(1 << 20):  # what was on its way, and then the end
                read += part
        assert 0 < read.count(b"event: message") < 600


def test_a_sandbox_that_is_stopped_ends_the_stream() -> None:
    with serving() as live:
        client = Client(live, "test_stop")
        with client.http, client.follow() as following:
            live.process.terminate()
            assert list(following) == []
        assert live.wait() == 0


@pytest.mark.parametrize("call", [("DELETE", "/messages"), ("POST", "/reset")])
def test_emptying_the_inbox_causes_an_event(live: Live, call: tuple[str, str]) -> None:
    client = Client(live, "test_emptied")
    sent = client.send("+256700000003").json()["id"]
    with client.follow() as happening:
        client.http.request(call[0], f"/_sandbox{call[1]}").raise_for_status()
        event = next(happening)
        assert (event["event"], event["data"]["account"]) == ("emptied", "test_emptied")
        assert event["data"]["upTo"] == sent


@pytest.mark.parametrize(
    ("method", "path", "body", "what"),
    [
        ("DELETE", "/requests", None, "requests"),
        ("POST", "/faults", {"effect": {"status": 503}}, "faults"),
        ("PUT", "/webhooks", {"endpoints": []}, "webhooks"),
        ("POST", "/clock/freeze", None, "clock"),
        ("PATCH", "/account", {"senderId": "Shop"}, "account"),
    ],
)
def test_a_call_that_changes_something_causes_an_event(
    live: Live, method: str, path: str, body: Any, what: str
) -> None:
    client = Client(live, "test_changed")
    with client.follow(changes=True) as happening:
        client.http.request(method, f"/_sandbox{path}", json=body).raise_for_status()
        event = next(happening)
        assert event["event"] == "changed"
        assert event["data"].items() >= {"account": "test_changed", "what": what}.items()


def test_a_change_for_all_accounts_is_an_event_of_each(live: Live) -> None:
    client = Client(live, "test_changed_for_all")
    with client.follow(changes=True) as happening:
        made = httpx.post(f"{live.origin}/_sandbox/faults", json={"effect": {"delay": 0.001}})
        event = next(happening)
        assert (event["event"], event["data"]["accountId"]) == ("changed", None)
        httpx.delete(f"{live.origin}/_sandbox/faults/{made.json()['id']}").raise_for_status()


def test_deleting_a_message_causes_an_event(live: Live) -> None:
    client = Client(live, "test_deleted")
    sent = client.send("+256700000003").json()["id"]
    with client.follow() as happening:
        client.http.request("DELETE", f"/_sandbox/messages/{sent}").raise_for_status()
        event = next(happening)
        assert event["event"] == "deleted"
        assert event["data"]["messageIds"] == [sent]
        assert event["data"].keys() == {"account", "accountId", "messageIds"}
