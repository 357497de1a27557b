"""The clock of the Python client."""

from datetime import UTC, datetime, timedelta

import pytest
from client_sends import send_sms

from msgine_sandbox.testing import (
    STAYS_SENT,
    Account,
    SandboxError,
    WebhookNotFound,
    WebhookReceiver,
)


def test_a_clock_is_advanced_by_a_duration(account: Account) -> None:
    account.clock.freeze()
    send_sms(account)
    before = account.clock.now
    assert account.clock.advance(days=1, hours=2, minutes=3, seconds=4) == 2
    passed = account.clock.now - before
    assert passed == timedelta(days=1, hours=2, minutes=3, seconds=4)
    assert account.messages[0].status == "delivered"


def test_a_clock_is_advanced_to_a_time(account: Account) -> None:
    with account.clock.frozen() as clock:
        moment = (clock.now + timedelta(days=400)).replace(microsecond=0)
        clock.advance(to=moment)
        assert clock.now == moment
    assert not account.clock.is_frozen


def test_a_frozen_clock_stays_frozen_after_a_nested_block(account: Account) -> None:
    account.clock.freeze()
    with account.clock.frozen():
        pass
    assert account.clock.is_frozen
    account.clock.resume()
    assert not account.clock.is_frozen


def test_a_time_needs_a_time_zone_and_excludes_a_duration(account: Account) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        account.clock.advance(to=datetime(2030, 1, 1))  # noqa: DTZ001
    with pytest.raises(TypeError, match="'tomorrow' is no datetime"):
        account.clock.advance(to="tomorrow")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="either"):
        account.clock.advance(to=datetime(2030, 1, 1, tzinfo=UTC), hours=1)
    with pytest.raises(ValueError, match="either"):
        account.clock.advance(until="next", hours=1)
    with pytest.raises(SandboxError) as refused:
        account.clock.advance(seconds=-1)
    assert refused.value.details["field"] == "seconds"


def test_a_clock_is_advanced_to_what_is_due_next_and_until_nothing_is(account: Account) -> None:
    with WebhookReceiver(account) as receiver:
        account.clock.freeze()
        receiver.answer(503)
        assert account.clock.next is None
        message = send_sms(account, STAYS_SENT)
        due = account.clock.next
        assert (due.what, due.status, due.message_id) == ("status", "sent", message)
        assert (due.event, due.attempt, due.in_seconds) == (None, None, 0.5)
        assert account.clock.advance(until="next") == 2
        assert account.clock.now == due.at
        due = account.clock.next
        assert (due.what, due.event, due.attempt) == ("webhook", "message.sent", 2)
        assert (due.status, due.in_seconds) == (None, 5)
        assert account.clock.advance(until="idle") == 1
        assert (account.clock.now, account.clock.next) == (due.at, None)
        assert account.clock.advance(until="idle") == 0


def test_a_receiver_can_move_the_clock_to_the_webhook_that_it_waits_for(account: Account) -> None:
    account.clock.freeze()
    with WebhookReceiver(account) as receiver:
        send_sms(account)
        with pytest.raises(WebhookNotFound):
            receiver.wait_for(event="message.delivered", timeout=0)
        found = receiver.wait_for(event="message.delivered", jump=True, timeout=0)
        assert found.event == "message.delivered"
        assert receiver.events == ["message.sent", "message.delivered"]
        with pytest.raises(WebhookNotFound):
            receiver.wait_for(count=3, jump=True, timeout=0)
