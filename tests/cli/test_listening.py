"""Which addresses a sandbox listens on, and that it stops with connections of every kind open."""

import errno
import http.client
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from command import LIMIT, free_port
from live import serving

from msgine_sandbox import listeners
from msgine_sandbox.settings import Settings, SettingsError

BOTH = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.fixture
def name_of_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` has two addresses, as in most hosts files, wherever this runs."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(*each[:4], (each[4][0], port, *each[4][2:])) for each in BOTH]

    monkeypatch.setattr(listeners.socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def addresses(opened: ExitStack, port: int = 0) -> list[tuple[str, int]]:
    """Listen on `localhost`, and return the addresses."""
    found = listeners.listen(Settings(host="localhost", port=port))
    for each in found:
        opened.enter_context(each)
    return [each.getsockname()[:2] for each in found]


@needs_ipv6
def test_a_name_is_listened_on_with_all_its_addresses_and_one_port(
    name_of_both: None, opened: ExitStack
) -> None:
    (one, port), (other, same) = addresses(opened)
    assert ({one, other}, port) == ({"::1", "127.0.0.1"}, same)


@needs_ipv6
def test_a_chosen_port_must_be_free_on_every_address(name_of_both: None, opened: ExitStack) -> None:
    taken = opened.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
    with pytest.raises(SettingsError, match=f"--port {taken} cannot be listened on at localhost: "):
        addresses(opened, taken)
    with socket.create_server(("::1", taken), family=socket.AF_INET6):
        pass  # nothing was left open there


@needs_ipv6
def test_a_port_that_is_taken_on_the_second_address_is_not_picked(
    name_of_both: None, opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, tries = listeners._listener, []

    def taken_at_first(family: int, address: Any, **kwargs: Any) -> socket.socket:
        if family == socket.AF_INET:
            tries.append(address)
            if len(tries) < 3:
                raise OSError(errno.EADDRINUSE, "Address already in use")
        return listener(family, address, **kwargs)

    monkeypatch.setattr(listeners, "_listener", taken_at_first)
    assert len(addresses(opened)) == 2
    assert len(tries) == 3


@pytest.mark.parametrize("missing", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_family_that_the_machine_does_not_have_is_left_out(
    name_of_both: None,
    opened: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    missing: int,
    family: socket.AddressFamily,
) -> None:
    if family == socket.AF_INET and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    listener = listeners._listener

    def without_family(of: int, address: Any, **kwargs: Any) -> socket.socket:
        if of == family:
            raise OSError(missing, "Missing")
        return listener(of, address, **kwargs)

    monkeypatch.setattr(listeners, "_listener", without_family)
    assert len(addresses(opened)) == 1


def test_without_any_family_it_says_so(
    name_of_both: None, opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> socket.socket:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(listeners, "_listener", missing)
    with pytest.raises(SettingsError, match="cannot assign requested address"):
        addresses(opened)


@pytest.mark.live
@pytest.mark.parametrize("port", ["0", "chosen"])
def test_the_command_answers_on_every_address_of_localhost(port: str) -> None:
    chosen = str(free_port()) if port == "chosen" else port
    with serving("--host", "localhost", "--port", chosen) as live:
        url = urlsplit(live.base_url)
        assert url.hostname == "localhost"
        found = socket.getaddrinfo("localhost", url.port, type=socket.SOCK_STREAM)
        for host in {address[0] for *_, address in found}:
            with closing(http.client.HTTPConnection(host, url.port, timeout=LIMIT)) as client:
                client.request("GET", "/_sandbox/health")
                assert client.getresponse().status == 200


OPEN = {
    "idle": b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "silent": b"",
    "half a head": b"POST /api/v1/messages/sms HTTP/1.1\r\nHost: loc",
    "refused": b"nonsense\r\n\r\n",
    "half a body of a read": b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx",
    "half a body": b"PUT /api/v1/messages HTTP/1.1\r\nHost: 127.1\r\nContent-Length: 9\r\n\r\nx",
}


@pytest.mark.live
@pytest.mark.parametrize("kind", OPEN)
def test_open_connections_do_not_keep_it_from_stopping(kind: str) -> None:
    with serving() as live, ExitStack() as opened:
        port = urlsplit(live.origin).port
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
            opened.enter_context(client).sendall(OPEN[kind])
            if kind in {"idle", "refused"}:
                assert client.recv(9) == b"HTTP/1.1 "
        live.process.send_signal(signal.SIGTERM)
        # It takes 2 s at the most; idle and half-sent ones would be open for 30 s and more.
        assert live.process.wait(timeout=25) == 0
