"""Time stands still, or jumps, for the tests and the application: pytest-freezer and freezegun."""

import pytest
from conftest import NUMBER
from freezegun import freeze_time
from shop import Shop

from msgine_sandbox.testing.errors import MessageNotFound, WebhookNotFound

BOTH = ["message.sent", "message.delivered"]


@pytest.mark.freeze_time("2026-01-01")
def test_a_message_is_delivered_in_real_time(msgine, shop, real_time):
    shop.text(NUMBER, "Hello")
    sms = msgine.wait_for_message(to=NUMBER, status="delivered")
    assert sms.created_at.timestamp() == pytest.approx(real_time(), abs=60)


@pytest.mark.parametrize("when", ["1990-05-05", "2026-01-01", "2082-01-01"])
def test_the_fixtures_are_first_requested_while_time_is_frozen(request, real_time, when):
    with freeze_time(when, tick=False):
        msgine = request.getfixturevalue("msgine")
        webhooks = request.getfixturevalue("msgine_webhooks")
        Shop(msgine.base_url, msgine.token).text(NUMBER, "Hello")
        msgine.clock.advance(seconds=3)
        assert webhooks.events == BOTH
        assert msgine.messages[0].status == "delivered"
        created = msgine.messages[0].created_at.timestamp()
    assert created == pytest.approx(real_time(), abs=60)


@pytest.mark.freeze_time("2026-01-01")
def test_webhooks_come(msgine, msgine_webhooks, shop):
    shop.text(NUMBER, "Hello")
    assert msgine_webhooks.wait_for(event="message.delivered").verified
    assert msgine_webhooks.events == BOTH


@pytest.mark.freeze_time("2026-01-01")
def test_waiting_for_what_does_not_come_ends(msgine, msgine_webhooks):
    with pytest.raises(MessageNotFound):
        msgine.wait_for_message(timeout=0.2)
    with pytest.raises(WebhookNotFound):
        msgine_webhooks.wait_for(timeout=0.2)


def test_the_fixture_of_pytest_freezer(msgine, msgine_webhooks, shop, freezer):
    freezer.move_to("2030-06-01")
    shop.text(NUMBER, "Hello")
    freezer.tick(3600)
    assert msgine_webhooks.wait_for(event="message.delivered").to == NUMBER
    freezer.move_to("1999-12-31")
    shop.text(NUMBER, "Hello again")
    msgine.clock.advance(seconds=3)
    assert msgine_webhooks.events == BOTH * 2


def test_every_look_at_the_clock_moves_it(msgine, msgine_webhooks, shop):
    with freeze_time("2026-01-01", auto_tick_seconds=15):
        shop.text(NUMBER, "Hello")
        assert msgine.wait_for_message(status="delivered", timeout=30).to == (NUMBER,)
        assert msgine_webhooks.wait_for(count=2, timeout=30).event == "message.delivered"
        with pytest.raises(WebhookNotFound):
            msgine_webhooks.wait_for(count=3, timeout=0.2)


def test_time_goes_on_from_a_moment(msgine, msgine_webhooks, shop):
    with freeze_time("2026-01-01", tick=True):
        shop.text(NUMBER, "Hello")
        msgine.clock.advance(minutes=10)
    assert msgine_webhooks.events == BOTH


@pytest.mark.freeze_time("2026-01-01")
def test_the_clock_of_the_account_can_still_be_moved(msgine, shop, real_time):
    msgine.clock.advance(days=1)
    assert msgine.clock.now.timestamp() == pytest.approx(real_time() + 86_400, abs=60)
    shop.text(NUMBER, "Hello")
    with msgine.clock.frozen():
        assert msgine.messages[0].created_at.timestamp() == pytest.approx(
            real_time() + 86_400, abs=60
        )


def test_a_test_after_frozen_ones_has_real_time(msgine, shop, real_time):
    shop.text(NUMBER, "Hello")
    assert msgine.messages[0].created_at.timestamp() == pytest.approx(real_time(), abs=60)
