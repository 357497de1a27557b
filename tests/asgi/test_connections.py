"""Faults over a real connection: cut, late, and given up by the client."""

import time

import httpx
import pytest
from box import NUMBER
from live import serving

SEND = "/api/v1/messages/sms"


def test_a_real_connection_is_cut_without_an_answer() -> None:
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


def test_a_late_answer_meets_the_clients_timeout_and_the_message_is_there() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_late"}) as client:
        sent = {"to": "+256700004080", "message": "late"}
        key = {"Idempotency-Key": "k"}
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{live.origin}{SEND}", json=sent, headers=key, timeout=0.2)
        again = client.post(f"{live.origin}{SEND}", json=sent, headers=key, timeout=5)
        assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        assert client.get(f"{live.base_url}/messages").json()["pagination"]["total"] == 1


def test_who_hangs_up_during_a_delay_is_not_served() -> None:
    with serving() as live, httpx.Client(headers={"Authorization": "Bearer test_gone"}) as client:
        client.post(f"{live.origin}/_sandbox/faults", json={"effect": {"delay": 0.3}, "times": 1})
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                f"{live.origin}{SEND}", json={"to": NUMBER, "message": "gone"}, timeout=0.05
            )
        # A later one that was delayed as long would show the earlier one, had it been served.
        client.post(f"{live.origin}/_sandbox/faults", json={"effect": {"delay": 0.4}, "times": 1})
        client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "stayed"})
        listed = client.get(f"{live.base_url}/messages").json()
    assert [each["message"] for each in listed["data"]] == ["stayed"]


def test_a_sandbox_that_is_told_to_stop_does_not_wait_for_delays() -> None:
    with serving() as live:
        headers = {"Authorization": "Bearer test_stop"}
        fault = {"effect": {"delay": 600}}
        httpx.post(f"{live.origin}/_sandbox/faults", json=fault, headers=headers)
        with httpx.Client(headers=headers, timeout=0.2) as client, pytest.raises(httpx.ReadTimeout):
            client.post(f"{live.origin}{SEND}", json={"to": NUMBER, "message": "late"})
        began = time.perf_counter()
        live.process.terminate()
        assert live.process.wait(timeout=10) == 0
        assert time.perf_counter() - began < 2
