"""The clocks of the tests' process are elsewhere: time-machine, which replaces them in C."""

import datetime

import pytest
import time_machine
from conftest import NUMBER
from shop import Shop

from msgine_sandbox.testing.errors import MessageNotFound, WebhookNotFound

DESTINATION = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
BOTH = ["message.sent", "message.delivered"]

both_ways = pytest.mark.parametrize("tick", [True, False])


@both_ways
def test_a_message_is_delivered_in_real_time(msgine, shop, real_time, tick):
    with time_machine.travel(DESTINATION, tick=tick):
        shop.text(NUMBER, "Hello")
        sms = msgine.wait_for_message(to=NUMBER, status="delivered")
    assert sms.created_at.timestamp() == pytest.approx(real_time(), abs=60)


@both_ways
def test_the_fixtures_are_first_requested_on_the_journey(request, real_time, tick):
    with time_machine.travel(DESTINATION, tick=tick):
        msgine = request.getfixturevalue("msgine")
        webhooks = request.getfixturevalue("msgine_webhooks")
        Shop(msgine.base_url, msgine.token).text(NUMBER, "Hello")
        msgine.clock.advance(seconds=3)
        assert webhooks.events == BOTH
        created = msgine.messages[0].created_at.timestamp()
    assert created == pytest.approx(real_time(), abs=60)


@both_ways
def test_webhooks_come(msgine, msgine_webhooks, shop, tick):
    with time_machine.travel(DESTINATION, tick=tick):
        shop.text(NUMBER, "Hello")
        assert msgine_webhooks.wait_for(event="message.delivered").verified
    assert msgine_webhooks.events == BOTH


@both_ways
def test_waiting_for_what_does_not_come_ends(msgine, msgine_webhooks, tick):
    with time_machine.travel(DESTINATION, tick=tick):
        with pytest.raises(MessageNotFound):
            msgine.wait_for_message(timeout=0.2)
        with pytest.raises(WebhookNotFound):
            msgine_webhooks.wait_for(timeout=0.2)


def test_a_journey_in_the_middle_of_waiting(msgine, msgine_webhooks, shop, time_machine):
    shop.text(NUMBER, "Hello")
    msgine_webhooks.wait_for(event="message.sent")
    time_machine.move_to(DESTINATION)
    assert msgine_webhooks.wait_for(event="message.delivered").to == NUMBER
    time_machine.shift(datetime.timedelta(days=-7000))
    assert msgine.messages[0].status == "delivered"


def test_a_test_after_a_journey_has_real_time(msgine, shop, real_time):
    shop.text(NUMBER, "Hello")
    assert msgine.messages[0].created_at.timestamp() == pytest.approx(real_time(), abs=60)
    assert msgine.clock.now.timestamp() == pytest.approx(real_time(), abs=60)
