"""Faults of the Python client."""

import json
from datetime import timedelta

import httpx
import pytest
from client_sends import NUMBER, post_sms

from msgine_sandbox.testing import (
    Account,
    SandboxError,
)


def test_a_fault_applies_as_often_as_requested(account: Account) -> None:
    fault = account.faults.fail(status=503, times=2, retry_after=3)
    assert (fault.hits, fault.left) == (0, 2)
    answers = [post_sms(account) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 201]
    assert answers[0].headers["Retry-After"] == "3"
    assert (fault.hits, fault.left) == (2, 0)
    assert len(account.messages) == 1


def test_a_fault_ends_with_its_block_and_counts_its_hits(account: Account) -> None:
    with account.faults.fail(status=429, to=NUMBER) as fault:
        assert post_sms(account).status_code == 429
        assert post_sms(account, "+256701000009").status_code == 201
        assert [each.id for each in account.faults] == [fault.id]
    assert post_sms(account).status_code == 201
    assert (fault.hits, len(account.faults)) == (1, 0)
    fault.remove()
    assert fault.hits == 1


def test_requests_fail_in_every_way(account: Account) -> None:
    with account.faults.drop(), pytest.raises(httpx.RemoteProtocolError):
        post_sms(account)
    assert len(account.messages) == 0
    with account.faults.drop("after"), pytest.raises(httpx.RemoteProtocolError):
        post_sms(account)
    assert len(account.messages) == 1
    with account.faults.malformed(), pytest.raises(json.JSONDecodeError):
        post_sms(account).json()
    with account.faults.fail(status=502, envelope=False):
        assert post_sms(account).json() == {"message": "Bad gateway"}
    with account.faults.delay(30, commit=True), pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{account.base_url}/messages/sms",
            json={"to": NUMBER, "message": "Hello"},
            headers={"Authorization": f"Bearer {account.token}"},
            timeout=0.2,
        )
    assert len(account.messages) == 2
    with account.faults.fail(status=500, method="GET", path="/messages", probability=1, seed=7):
        assert post_sms(account).status_code == 201
    account.faults.fail()
    account.faults.fail()
    assert account.faults.clear() == 2


def test_deliveries_end_in_every_way(account: Account) -> None:
    account.clock.freeze()
    statuses = []
    for outcome in ("delivered", "failed", "refused", "sent", "pending"):
        with account.faults.delivery(outcome, to="+25670*", channel="sms", times=1) as fault:
            assert post_sms(account).status_code == 201
            assert (fault.hits, fault.left) == (1, 0)
        account.clock.advance(seconds=10)
        statuses.append(account.messages[0].status)
    assert statuses == ["delivered", "failed", "failed", "sent", "pending"]


def test_a_failure_has_its_reason_and_its_time(account: Account) -> None:
    account.clock.freeze()
    fault = account.faults.delivery(
        reason="Out of reach", after=timedelta(minutes=5), probability=1, seed=3
    )
    assert post_sms(account).status_code == 201
    account.clock.advance(seconds=299)
    assert account.messages[0].status == "sent"
    account.clock.advance(seconds=1)
    [recipient] = account.messages[0].recipients
    assert (recipient.status, recipient.reason) == ("failed", "Out of reach")
    assert recipient.rule == fault.id
    with pytest.raises(SandboxError) as refused:
        account.faults.delivery("delivered", reason="Out of reach")
    assert refused.value.details["field"] == "effect.reason"


def test_an_invalid_fault_raises_an_error_with_its_field(account: Account) -> None:
    with pytest.raises(SandboxError) as refused:
        account.faults.fail(status=200)
    assert "status" in refused.value.details["field"]
    assert len(account.faults) == 0
