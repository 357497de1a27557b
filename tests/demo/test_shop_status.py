"""The status page is right in the end, whatever becomes of the messages and their webhooks."""

from urllib.request import urlopen

import pytest
from shop_sms import Sms
from shop_status import StatusPage

from msgine_sandbox.testing import (
    DELIVERED_AN_HOUR_LATER,
    REFUSED,
    UNREACHABLE,
    WEBHOOKS_BACKWARDS,
    WEBHOOKS_FORGED,
    WEBHOOKS_LOST,
    WEBHOOKS_TWICE,
    Account,
    WebhookReceiver,
)

AMINA = "+256701234567"


@pytest.mark.parametrize(
    ("to", "shown"), [(AMINA, "delivered"), (UNREACHABLE, "failed"), (REFUSED, "failed")]
)
def test_the_page_shows_how_it_ended(
    msgine: Account, sms: Sms, page: StatusPage, to: str, shown: str
) -> None:
    message = sms.send(to, "Your order is on its way", key="order-1")
    assert page.status(message) == "unknown"
    msgine.clock.advance(until="idle")
    assert urlopen(f"{page.url}/{message}").read().decode() == shown
    assert msgine.requests.warnings == []


def test_a_message_that_takes_an_hour_is_shown_as_sent_until_then(
    msgine: Account, sms: Sms, page: StatusPage
) -> None:
    message = sms.send(DELIVERED_AN_HOUR_LATER, "Your order is on its way", key="order-1")
    msgine.clock.advance(minutes=59)
    assert page.status(message) == "sent"
    msgine.clock.advance(minutes=1)
    assert page.status(message) == "delivered"


def test_a_webhook_that_comes_twice_counts_once(
    msgine: Account, sms: Sms, page: StatusPage
) -> None:
    message = sms.send(WEBHOOKS_TWICE, "Your order is on its way", key="order-1")
    msgine.clock.advance(until="idle")
    assert len(msgine.webhooks.attempts) == 4
    assert page.history[message] == ["sent", "delivered"]


def test_webhooks_that_come_backwards_do_not_take_the_page_back(
    msgine: Account, sms: Sms, page: StatusPage
) -> None:
    message = sms.send(WEBHOOKS_BACKWARDS, "Your order is on its way", key="order-1")
    msgine.clock.advance(until="idle")
    assert page.history[message] == ["delivered", "sent"]
    assert page.status(message) == "delivered"


def test_a_wrong_signature_is_not_believed(msgine: Account, sms: Sms, page: StatusPage) -> None:
    message = sms.send(WEBHOOKS_FORGED, "Your order is on its way", key="order-1")
    msgine.clock.advance(until="idle")
    assert page.status(message) == "unknown"
    assert {each.status for each in msgine.webhooks.attempts} == {401}


def test_what_a_lost_webhook_would_have_said_can_be_asked_for(
    msgine: Account, sms: Sms, page: StatusPage
) -> None:
    message = sms.send(WEBHOOKS_LOST, "Your order is on its way", key="order-1")
    msgine.clock.advance(until="idle")
    assert page.status(message) == "unknown"
    assert sms.status(message) == "delivered"


def test_a_page_that_was_down_for_a_quarter_of_an_hour_is_right_in_the_end(
    msgine: Account, sms: Sms, page: StatusPage
) -> None:
    page.is_down = True
    message = sms.send(AMINA, "Your order is on its way", key="order-1")
    msgine.clock.advance(minutes=15)
    assert page.status(message) == "unknown"
    page.is_down = False
    msgine.clock.advance(minutes=16)  # to the try after half an hour
    assert page.status(message) == "delivered"
    assert {each.code for each in msgine.requests.warnings} == {"webhook-failed"}


def test_a_message_can_have_a_receiver_of_its_own(
    msgine: Account, msgine_webhooks: WebhookReceiver, sms: Sms, page: StatusPage
) -> None:
    sms.send(AMINA, "Hello", key="one", callback_url=msgine_webhooks.url)
    msgine.clock.advance(until="idle")
    assert msgine_webhooks.events == ["message.sent", "message.delivered"]
    assert all(each.verified for each in msgine_webhooks.received)
    assert page.history == {}
