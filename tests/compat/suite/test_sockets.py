"""Connections to other hosts are forbidden: pytest-socket."""

import socket

import pytest
from conftest import NUMBER

BOTH = ["message.sent", "message.delivered"]


@pytest.mark.filterwarnings("ignore:A test tried to use socket:UserWarning")
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_sandbox_is_the_only_host(msgine, msgine_webhooks, shop):
    shop.text(NUMBER, "Hello")
    msgine.clock.advance(seconds=3)
    assert msgine_webhooks.events == BOTH
    # RuntimeError, as pytest-recording raises too
    with socket.socket() as other, pytest.raises(RuntimeError):
        other.connect(("192.0.2.1", 80))


@pytest.mark.enable_socket
def test_sockets_are_allowed(msgine, msgine_webhooks, shop):
    shop.text(NUMBER, "Hello")
    msgine.clock.advance(seconds=3)
    assert msgine_webhooks.events == BOTH
