"""Faults over a real connection: cut, late, and given up by the client."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from box import NUMBER
from command import LIMIT
from live import Live, serving

SEND = "/api/v1/messages/sms"


def test_a_dropped_connection_is_closed_without_a_response() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_cut"}) as client:
        for when in ("before", "after"):
            fault = {"effect": {"drop": when}, "times": 1}
            assert client.post(f"{live.origin}/_sandbox/faults", json=fault).status_code == 201
            with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
                client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": when})
        answer = client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "now"})
        assert answer.status_code == 201
        listed = client.get(f"{live.base_url}/messages").json()
    assert [each["message"] for each in listed["data"]] == ["now", "after"]


def test_a_late_response_exceeds_the_clients_timeout_and_the_message_exists() -> None:
    with serving() as live, account(live, "test_late") as client:
        key = {"Idempotency-Key": "k"}
        with posted(live, "test_late", to="+256700004080", **key) as connection:
            assert client.get("/_sandbox/messages/wait?timeout=60").status_code == 200
            assert connection.sock is not None
            connection.sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.getresponse()
        again = client.post(SEND, json={"to": "+256700004080", "message": "Hello"}, headers=key)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert client.get("/_sandbox/messages").json()["total"] == 1


def test_a_request_whose_client_disconnects_during_a_delay_is_not_performed() -> None:
    with serving() as live, account(live, "test_gone") as client:
        fault = add_delay(client)
        with posted(live, "test_gone"):
            until(lambda: client.get(fault).json()["hits"] == 1)
        # Its entry in the journal is written when the request is over, long before the delay is.
        until(lambda: client.get("/_sandbox/requests").json()["total"] == 1)
        assert client.get("/_sandbox/messages").json()["total"] == 0


def test_a_sandbox_that_is_stopped_does_not_wait_for_delays() -> None:
    with serving() as live, account(live, "test_stop") as client:
        fault = add_delay(client)
        with posted(live, "test_stop"):
            until(lambda: client.get(fault).json()["hits"] == 1)
            live.process.terminate()
            assert live.wait() == 0  # it waits for less than the delay


def account(live: Live, token: str) -> httpx.Client:
    """Return a client of an account."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=live.origin, headers=headers, timeout=LIMIT)


def add_delay(client: httpx.Client) -> str:
    """Delay the next request by ten minutes, and return the path of the fault."""
    fault = {"effect": {"delay": 600}, "times": 1}
    added = client.post("/_sandbox/faults", json=fault)
    assert added.status_code == 201
    return f"/_sandbox/faults/{added.json()['id']}"


@contextmanager
def posted(
    live: Live, token: str, to: str = NUMBER, **headers: str
) -> Iterator[http.client.HTTPConnection]:
    """Send a request, do not read its response, and disconnect at the end of the block."""
    connection = http.client.HTTPConnection(urlsplit(live.origin).netloc, timeout=LIMIT)
    connection.request(
        "POST",
        SEND,
        json.dumps({"to": to, "message": "Hello"}),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers},
    )
    with closing(connection):
        yield connection


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again until a condition is true; the timeout of the test ends a hang."""
    while not condition():
        pass
