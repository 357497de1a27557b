"""HTTP is recorded and replayed: vcrpy and pytest-recording.

vcrpy replaces http.client and every library above it, so a cassette must neither get the calls
that the client of the sandbox makes nor block them.
"""

import socket
from pathlib import Path

import pytest
import vcr
from conftest import NUMBER
from shop import Shop

CASSETTES = Path(__file__).parent / "cassettes"
BOTH = ["message.sent", "message.delivered"]


def check_that_webhooks_come(msgine, receiver) -> None:
    msgine.clock.advance(seconds=3)
    assert receiver.events == BOTH
    assert [attempt.status for attempt in msgine.webhooks.attempts] == [200, 200]
    assert msgine.wait_for_message(to=NUMBER).status == "delivered"


@pytest.fixture(scope="module")
def vcr_config():
    """The shop's own texts go to the sandbox."""
    return {"ignore_hosts": ["127.0.0.1"]}


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "all"])
def test_the_client_is_neither_blocked_nor_recorded(msgine, msgine_webhooks, shop, tmp_path, mode):
    shop.text(NUMBER, "Hello")
    file = tmp_path / "cassette.yaml"
    with vcr.use_cassette(str(file), record_mode=mode) as cassette:
        check_that_webhooks_come(msgine, msgine_webhooks)
        assert (len(cassette), cassette.dirty) == (0, False)
    assert not file.exists()


@pytest.mark.parametrize("mode", ["none", "once"])
def test_the_fixtures_are_first_requested_in_a_cassette(request, tmp_path, mode):
    file = tmp_path / "cassette.yaml"
    with vcr.use_cassette(str(file), record_mode=mode) as cassette:
        msgine = request.getfixturevalue("msgine")
        receiver = request.getfixturevalue("msgine_webhooks")
        assert len(msgine.messages) == 0
        assert (len(cassette), cassette.dirty) == (0, False)
    Shop(msgine.base_url, msgine.token).text(NUMBER, "Hello")
    check_that_webhooks_come(msgine, receiver)
    assert not file.exists()


@pytest.mark.parametrize("library", ["httpx", "requests", "urllib3", "urllib"])
def test_a_charge_is_replayed_and_a_text_is_sent(msgine, msgine_webhooks, library):
    shop = Shop(msgine.base_url, msgine.token, pay_by="httpx", text_by=library)
    cassette = CASSETTES / "charge.yaml"
    with vcr.use_cassette(
        str(cassette), record_mode="none", ignore_hosts=["127.0.0.1"]
    ) as replayed:
        assert shop.sell(NUMBER, 5000) == "ch_1"
        check_that_webhooks_come(msgine, msgine_webhooks)
        assert replayed.play_count == 1


@pytest.mark.parametrize("library", ["httpx", "requests", "urllib3", "urllib"])
def test_only_the_texts_of_the_shop_are_recorded(msgine, msgine_webhooks, tmp_path, library):
    shop = Shop(msgine.base_url, msgine.token, text_by=library)
    with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode="once") as cassette:
        shop.text(NUMBER, "Hello")
        check_that_webhooks_come(msgine, msgine_webhooks)
        assert [recorded.path for recorded in cassette.requests] == ["/api/v1/messages/sms"]


@pytest.mark.vcr(str(CASSETTES / "charge.yaml"))
def test_the_mark_of_pytest_recording(msgine, msgine_webhooks, shop):
    assert shop.sell(NUMBER, 5000) == "ch_1"
    check_that_webhooks_come(msgine, msgine_webhooks)


@pytest.mark.block_network(allowed_hosts=["127.0.0.1"])
def test_pytest_recording_blocks_every_other_host(msgine, msgine_webhooks, shop):
    shop.text(NUMBER, "Hello")
    check_that_webhooks_come(msgine, msgine_webhooks)
    with socket.socket() as other, pytest.raises(Exception, match="Network is disabled"):
        other.connect(("192.0.2.1", 80))
