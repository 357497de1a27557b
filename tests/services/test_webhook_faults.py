"""Webhook faults: duplicated, reordered, lost, wrongly signed, delayed."""

from typing import Any

import pytest
from box import NUMBER, Box
from receiver import Receiver
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "+256701234568"


async def add_fault(box: Box, mode: str, match: Any = None, **more: Any) -> dict[str, Any]:
    effect = {"webhook": mode} | ({"delay": more.pop("delay")} if "delay" in more else {})
    body = {"effect": effect, "match": match or {}, **more}
    answer = await box.call("POST", "/_sandbox/faults", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
async def webhooks(box: Box, receiver: Receiver) -> Receiver:
    """A receiver that all events are sent to."""
    await box.listen(receiver.url, SECRET)
    return receiver


async def deliver(box: Box, to: Any = NUMBER, seconds: float = 10) -> None:
    await box.accepted(to)
    await box.advance(seconds=seconds)


async def test_a_duplicate_comes_twice_under_one_id(box: Box, webhooks: Receiver) -> None:
    await box.freeze()
    await add_fault(box, "duplicate", {"event": "message.sent"})
    await deliver(box)
    assert webhooks.events == ["message.sent", "message.sent", "message.delivered"]
    assert webhooks.received[0].headers["webhook-id"] == webhooks.received[1].headers["webhook-id"]


async def test_sent_is_delayed_until_the_delivery_has_ended(box: Box, webhooks: Receiver) -> None:
    await box.freeze()
    fault = await add_fault(box, "reorder", times=1)
    assert fault["match"] == {"event": "message.sent"}
    await deliver(box, seconds=1)
    assert webhooks.events == []
    await box.advance(seconds=10)
    assert webhooks.events == ["message.delivered", "message.sent"]
    assert webhooks.received[0].content["timestamp"] > webhooks.received[1].content["timestamp"]
    await deliver(box)
    assert webhooks.events[2:] == ["message.sent", "message.delivered"]


async def test_sent_follows_a_failure_too(box: Box, webhooks: Receiver) -> None:
    await add_fault(box, "reorder")
    await deliver(box, "+256700000001")
    assert webhooks.events == ["message.failed", "message.sent"]


async def test_sent_follows_an_end_that_nobody_subscribes_to(box: Box, receiver: Receiver) -> None:
    endpoint = {"url": receiver.url, "events": ["message.sent"]}
    await box.control("PUT", "/webhooks", {"endpoints": [endpoint]})
    await add_fault(box, "reorder")
    await box.freeze()
    await deliver(box, seconds=1)
    assert receiver.events == []
    await box.advance(seconds=10)
    assert receiver.events == ["message.sent"]
    await box.accepted()
    await box.advance(seconds=1)
    message = (await box.control("GET", "/messages"))["data"][0]["id"]
    await box.control("POST", f"/messages/{message}/status", {"status": "failed"})
    await box.advance(seconds=1)
    assert receiver.events == ["message.sent", "message.sent"]


async def test_each_recipients_sent_waits_for_its_own_delivery(
    box: Box, webhooks: Receiver
) -> None:
    await add_fault(box, "reorder", {"to": OTHER})
    await deliver(box, [NUMBER, OTHER])
    events = [(each.content["to"], each.event) for each in webhooks.received]
    assert [event for to, event in events if to == NUMBER] == ["message.sent", "message.delivered"]
    assert [event for to, event in events if to == OTHER] == ["message.delivered", "message.sent"]


async def test_a_lost_webhook_is_not_sent_and_is_recorded(box: Box, webhooks: Receiver) -> None:
    await add_fault(box, "lose", {"event": "message.delivered"})
    await deliver(box, seconds=100_000)
    assert webhooks.events == ["message.sent"]
    attempts = await box.attempts()
    assert [each["status"] for each in attempts] == [200, None]
    assert "on purpose" in attempts[1]["error"]


async def test_a_wrong_signature_does_not_verify(box: Box, webhooks: Receiver) -> None:
    await box.freeze()
    await add_fault(box, "wrong-signature", times=1)
    await deliver(box)
    forged, true = webhooks.received
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(forged.body, forged.headers)
    assert Webhook(SECRET).verify(true.body, true.headers) == true.content


async def test_a_delayed_webhook_is_sent_after_its_delay(box: Box, webhooks: Receiver) -> None:
    await box.freeze()
    await add_fault(box, "delay", {"event": "message.sent"}, delay=86_400)
    await deliver(box, seconds=86_400.499)
    assert webhooks.events == ["message.delivered"]
    await box.advance(seconds=0.001)
    assert webhooks.events == ["message.delivered", "message.sent"]


async def test_times_counts_webhooks(box: Box, webhooks: Receiver) -> None:
    fault = await add_fault(box, "lose", times=3)
    await deliver(box, [NUMBER, OTHER])
    assert webhooks.events == ["message.delivered"]
    now = await box.get(f"/_sandbox/faults/{fault['id']}")
    assert (now["hits"], now["left"]) == (3, 0)


async def test_the_next_fault_applies_when_the_first_is_used_up(
    box: Box, webhooks: Receiver
) -> None:
    await add_fault(box, "lose", times=1)
    await add_fault(box, "duplicate", times=1)
    await deliver(box)
    assert webhooks.events == ["message.delivered", "message.delivered"]


async def test_webhooks_of_other_accounts_are_not_affected(box: Box, webhooks: Receiver) -> None:
    await add_fault(box.other(), "lose")
    await deliver(box)
    assert webhooks.events == ["message.sent", "message.delivered"]


async def test_a_fault_comes_before_the_magic_number(box: Box, webhooks: Receiver) -> None:
    await add_fault(box, "duplicate", {"event": "message.sent"})
    await deliver(box, "+256700000009")
    assert webhooks.events == ["message.sent", "message.sent"]


async def test_faults_of_requests_do_not_apply_to_webhooks(box: Box, webhooks: Receiver) -> None:
    await box.call(
        "POST", "/_sandbox/faults", json={"effect": {"status": 503}, "match": {"method": "GET"}}
    )
    await deliver(box)
    assert webhooks.events == ["message.sent", "message.delivered"]
