"""Tests replace functions of the standard library."""

import contextlib
import random
from unittest import mock

import pytest
from conftest import NUMBER

import msgine_sandbox
from msgine_sandbox.testing.errors import MessageNotFound, WebhookNotFound

BOTH = ["message.sent", "message.delivered"]
TOKENS: set[str] = set()


def check_that_the_sandbox_works(msgine, receiver) -> None:
    assert msgine.wait_for_message(to=NUMBER).text == "Hello"
    msgine.clock.advance(seconds=3)
    assert receiver.events == BOTH
    assert receiver.wait_for(event="message.delivered").verified
    with pytest.raises(WebhookNotFound):
        receiver.wait_for(count=3, timeout=0.1)
    with pytest.raises(MessageNotFound):
        msgine.wait_for_message(contains="Good bye", timeout=0.1)
    # A client of its own, which must connect.
    with msgine_sandbox.connect(msgine.origin, msgine.token) as same:
        assert same.messages[0].status == "delivered"


@pytest.mark.parametrize(
    "name",
    [
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.perf_counter",
        "time.sleep",
        "datetime.datetime",
        "socket.create_connection",
        "http.client.HTTPConnection",
        "http.client.HTTPSConnection",
        "urllib.request.urlopen",
        "secrets.token_bytes",
    ],
)
@pytest.mark.parametrize("kind", ["a mock", "one that raises"])
def test_a_function_of_the_standard_library_is_replaced(msgine, msgine_webhooks, shop, name, kind):
    shop.text(NUMBER, "Hello")
    raises = {"side_effect": AssertionError(name)} if kind == "one that raises" else {}
    with mock.patch(name, **raises):
        check_that_the_sandbox_works(msgine, msgine_webhooks)


@pytest.mark.parametrize("name", ["time.time", "time.monotonic"])
def test_a_clock_that_always_says_the_same(msgine, msgine_webhooks, shop, monkeypatch, name):
    shop.text(NUMBER, "Hello")
    monkeypatch.setattr(name, lambda: 0.0)
    check_that_the_sandbox_works(msgine, msgine_webhooks)


def test_the_environment_is_emptied(msgine, msgine_webhooks, shop):
    with mock.patch.dict("os.environ", clear=True):
        shop.text(NUMBER, "Hello")
        check_that_the_sandbox_works(msgine, msgine_webhooks)


def test_proxies_are_set(msgine, msgine_webhooks, shop, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    shop.text(NUMBER, "Hello")
    check_that_the_sandbox_works(msgine, msgine_webhooks)


def test_another_working_directory(msgine, msgine_webhooks, shop, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shop.text(NUMBER, "Hello")
    check_that_the_sandbox_works(msgine, msgine_webhooks)


@pytest.mark.parametrize("_", range(3))
def test_every_test_has_an_account_of_its_own_whatever_random_is_seeded_with(msgine, _):
    random.seed(0)
    tokens = {msgine.token, msgine.another().token}
    random.seed(0)
    tokens.add(msgine.another().token)
    assert len(tokens) == 3
    assert not tokens & TOKENS
    TOKENS.update(tokens)


def test_output_is_redirected(msgine, msgine_webhooks, shop, capsys):
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        shop.text(NUMBER, "Hello")
        check_that_the_sandbox_works(msgine, msgine_webhooks)
    assert capsys.readouterr() == ("", "")
