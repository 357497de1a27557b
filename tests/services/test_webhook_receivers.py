"""What receivers may do with a connection, and what the next webhook has of it."""

import asyncio
import os
import re
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest
import trustme
from iterations import until

from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.connections import WebhookConnections
from msgine_sandbox.services.webhooks.network import ConnectError, ReadError, connect
from msgine_sandbox.services.webhooks.request import webhook_request
from msgine_sandbox.services.webhooks.response import PartialResponse

pytestmark = pytest.mark.both_loops

ADDRESS = ip_address("127.0.0.1")
MEGABYTE = 1024 * 1024
LIMIT = 60  # seconds; only what never comes takes so long
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
UNASKED = b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n"

Answer = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The receiver's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.ended = asyncio.Event()
        """Set once the sandbox has closed it."""

    async def until_asked(self) -> None:
        await self.reader.readuntil(b"\r\n\r\n")

    def at_once(self, act: Callable[[socket.socket], Any]) -> Any:
        """Do something to the socket itself, before either end's event loop sees it."""
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as same:
            return act(same)

    async def until_ended(self) -> None:
        async with asyncio.timeout(LIMIT):
            await self.ended.wait()


class Receiving:
    """A receiver that answers each connection as its test says."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.origin = ""


@asynccontextmanager
async def receiving(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiving]:
    receiving = Receiving()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        receiving.peers.append(peer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await answer(peer)
            await reader.read()
        writer.transport.abort()
        peer.ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiving.origin = f"http://127.0.0.1:{port}" if tls is None else f"https://localhost:{port}"
    try:
        yield receiving
        for peer in receiving.peers:
            await peer.until_ended()
    finally:
        server.close()
        for peer in receiving.peers:
            peer.writer.transport.abort()


@asynccontextmanager
async def connecting(authority: str | None = None) -> AsyncIterator[WebhookConnections]:
    connections = WebhookConnections(
        Authorities(authority).context(), keep_alive=True, kept_for=LIMIT
    )
    try:
        yield connections
    finally:
        connections.close()


async def post(connections: WebhookConnections, to: Receiving) -> PartialResponse:
    response = PartialResponse()
    await connections.exchange(webhook_request(to.origin, {}, b""), [ADDRESS], response)
    return response


async def turns() -> None:
    """Let the event loop see whatever has come."""
    for _ in range(20):
        await asyncio.sleep(0)


async def answer_each(peer: Peer) -> None:
    while True:
        await peer.until_asked()
        peer.writer.write(OK)


@pytest.mark.parametrize(
    "act",
    [
        lambda same: same.shutdown(socket.SHUT_RDWR),
        lambda same: same.send(UNASKED),
    ],
    ids=["closes", "sends"],
)
@pytest.mark.parametrize("is_seen", [True, False])
async def test_a_kept_connection_is_not_used_once_its_receiver_closes_it_or_sends_unasked(
    act: Callable[[socket.socket], object], is_seen: bool
) -> None:
    async with receiving(answer_each) as receiver, connecting() as connections:
        for number in (1, 2, 3):
            response = await post(connections, receiver)
            assert (response.status, len(receiver.peers)) == (200, number)
            receiver.peers[-1].at_once(act)
            if is_seen:
                await turns()


async def test_what_follows_a_response_is_not_the_next_one() -> None:
    async def answer(peer: Peer) -> None:
        await peer.until_asked()
        peer.writer.write(OK + UNASKED)

    async with receiving(answer) as receiver, connecting() as connections:
        for number in (1, 2):
            response = await post(connections, receiver)
            assert (response.status, len(receiver.peers)) == (200, number)


async def test_a_request_says_where_it_goes_and_how_long_it_is() -> None:
    raw = b""

    async def answer(peer: Peer) -> None:
        nonlocal raw
        raw = await peer.reader.readuntil(b"{}")
        peer.writer.write(OK)

    async with receiving(answer) as receiver, connecting() as connections:
        url = receiver.origin + "/hooks?tenant=ä b"
        request = webhook_request(url, {"content-type": "application/json"}, b"{}")
        await connections.exchange(request, [ADDRESS], PartialResponse())
        assert raw.decode().split("\r\n") == [
            "POST /hooks?tenant=%C3%A4%20b HTTP/1.1",
            "host: " + receiver.origin.removeprefix("http://"),
            "content-length: 2",
            "content-type: application/json",
            "accept-encoding: identity",
            "",
            "{}",
        ]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://receiver.test:80/", "receiver.test"),
        ("https://receiver.test:443", "receiver.test"),
        ("https://receiver.test:80", "receiver.test:80"),
        ("http://[::1]:3000/", "[::1]:3000"),
        ("http://bücher.test/", "xn--bcher-kva.test"),
    ],
)
def test_the_host_header_has_the_port_that_the_scheme_does_not_imply(url: str, host: str) -> None:
    assert webhook_request(url, {}, b"").headers["host"] == host


@pytest.mark.parametrize(
    ("sent", "body", "is_kept"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, b"ok", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
            b"ok",
            True,
        ),
        (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), b"ok", False),
        (b"HTTP/1.0 200 OK\r\n\r\nok", b"ok", False),
    ],
    ids=["204", "hints", "chunks", "close", "http/1.0"],
)
async def test_every_framing_of_a_response_is_read_and_kept_where_it_says_its_end(
    sent: bytes, body: bytes, is_kept: bool
) -> None:
    async def answer(peer: Peer) -> None:
        for _ in range(2 if is_kept else 1):
            await peer.until_asked()
            peer.writer.write(sent)
        if not is_kept:
            peer.writer.close()

    async with receiving(answer) as receiver, connecting() as connections:
        for _ in range(2):
            response = await post(connections, receiver)
            assert response.body == body
        assert len(receiver.peers) == (1 if is_kept else 2)


async def test_repeated_headers_of_a_response_are_joined() -> None:
    async def answer(peer: Peer) -> None:
        await peer.until_asked()
        peer.writer.write(OK.replace(b"\r\n\r\n", b"\r\nVia: a\r\nX-Name: \xe9\r\nVIA: b\r\n\r\n"))

    async with receiving(answer) as receiver, connecting() as connections:
        headers = (await post(connections, receiver)).headers
        assert headers == {"content-length": "2", "via": "a, b", "x-name": "é"}


async def test_a_switch_to_another_protocol_is_an_error() -> None:
    async def switch(peer: Peer) -> None:
        await peer.until_asked()
        peer.writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")

    async with receiving(switch) as receiver, connecting() as connections:
        with pytest.raises(h11.RemoteProtocolError):
            await post(connections, receiver)


@contextmanager
def raw_receiver() -> Iterator[tuple[Receiving, Callable[[], Awaitable[socket.socket]]]]:
    """A receiver whose kernel takes what comes, and who reads nothing before its test does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        receiving = Receiving()
        receiving.origin = f"http://127.0.0.1:{server.getsockname()[1]}"

        async def accepted() -> socket.socket:
            peer, _ = await asyncio.get_running_loop().sock_accept(server)
            return peer

        yield receiving, accepted


async def until_asked(peer: socket.socket) -> None:
    """Wait for a request without reading it."""
    peer.setblocking(False)

    def is_asked() -> bool:
        with suppress(BlockingIOError):
            return bool(peer.recv(1, socket.MSG_PEEK))
        return False

    await until(is_asked)


@pytest.mark.parametrize("is_read", [False, True])
async def test_a_request_that_nobody_read_on_a_kept_connection_is_sent_by_another(
    is_read: bool,
) -> None:
    with raw_receiver() as (receiver, accepted):
        async with connecting() as connections:
            sending = asyncio.create_task(post(connections, receiver))
            with await accepted() as first:
                await until_asked(first)
                first.recv(4096)
                first.send(OK)
                assert (await sending).status == 200
                sending = asyncio.create_task(post(connections, receiver))
                await until_asked(first)
                if is_read:
                    first.recv(4096)
            if is_read:  # the receiver may have acted on it
                with pytest.raises(h11.RemoteProtocolError, match="disconnected"):
                    await sending
                return
            with await accepted() as second:
                await until_asked(second)
                second.send(OK)
                assert (await sending).status == 200


async def test_a_new_connection_that_is_closed_is_an_error() -> None:
    with raw_receiver() as (receiver, accepted):
        async with connecting() as connections:
            sending = asyncio.create_task(post(connections, receiver))
            with await accepted() as peer:
                await until_asked(peer)
            with pytest.raises((ReadError, h11.RemoteProtocolError)):
                await sending


@pytest.mark.skipif(sys.platform != "linux", reason="others may say nothing of a reset")
@pytest.mark.parametrize("is_sent", [True, False])
async def test_an_end_of_the_connection_tells_whether_the_request_came_too_late(
    is_sent: bool,
) -> None:
    with raw_receiver() as (receiver, accepted):
        url = httpx.URL(receiver.origin)
        stream = await connect(url.host, url.port or 0)
        (await accepted()).close()
        if is_sent:
            stream.send(b"POST / HTTP/1.1\r\n\r\n")
        assert (await stream.receive(), stream.was_reset) == (b"", is_sent)


def trusted(path: Path) -> tuple[str, ssl.SSLContext]:
    """Return the file of an authority, and what a receiver needs that it has certified."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    return str(path / "ca.pem"), tls


async def test_a_connection_over_tls_is_kept_and_replaced_as_well(tmp_path: Path) -> None:
    path, tls = trusted(tmp_path)
    async with receiving(answer_each, tls) as receiver, connecting(path) as connections:
        for _ in range(3):
            assert (await post(connections, receiver)).body == b"ok"
        assert len(receiver.peers) == 1
        receiver.peers[0].at_once(lambda same: same.shutdown(socket.SHUT_RDWR))
        assert (await post(connections, receiver)).body == b"ok"
        assert len(receiver.peers) == 2


async def test_the_protocol_is_agreed_with_tls(tmp_path: Path) -> None:
    path, tls = trusted(tmp_path)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    async with receiving(answer_each, tls) as receiver, connecting(path) as connections:
        await post(connections, receiver)
        agreed = receiver.peers[0].writer.get_extra_info("ssl_object")
        assert agreed.selected_alpn_protocol() == "http/1.1"


async def test_a_receiver_that_hangs_up_instead_of_starting_tls_is_an_error() -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.reader.read(1)
        peer.writer.close()

    async with receiving(hang_up) as receiver, connecting() as connections:
        receiver.origin = receiver.origin.replace("http:", "https:")
        where = re.escape(receiver.origin.removeprefix("https://"))
        with pytest.raises(ConnectError, match=rf"^{where}: .+"):
            await post(connections, receiver)


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (lambda writer: writer.write(OK), "^127.0.0.1:[0-9]+: .* sent something before TLS"),
        (lambda writer: writer.close(), "^127.0.0.1:[0-9]+: .* closed the connection instead of"),
    ],
    ids=["sends", "closes"],
)
async def test_what_a_receiver_does_before_tls_is_an_error_and_no_response(
    first: Callable[[asyncio.StreamWriter], None], error: str
) -> None:
    async def act(peer: Peer) -> None:
        first(peer.writer)

    async with receiving(act) as receiver:
        url = httpx.URL(receiver.origin)
        stream = await connect(url.host, url.port or 0)
        await until(lambda: stream.is_readable())
        await turns()
        with pytest.raises(ConnectError, match=error):
            async with asyncio.timeout(LIMIT):
                await stream.encrypt(ssl.create_default_context(), "localhost")


async def test_a_webhook_that_is_given_up_while_tls_starts_closes_its_connection() -> None:
    asked = asyncio.Event()

    async def say_nothing(peer: Peer) -> None:
        await peer.reader.read(1)
        asked.set()

    async with receiving(say_nothing) as receiver, connecting() as connections:
        receiver.origin = receiver.origin.replace("http:", "https:")
        sending = asyncio.create_task(post(connections, receiver))
        await asked.wait()
        sending.cancel()
        await receiver.peers[0].until_ended()


@pytest.mark.parametrize("is_over_tls", [False, True])
async def test_of_a_response_without_end_64_kib_are_read(tmp_path: Path, is_over_tls: bool) -> None:
    async def flood(peer: Peer) -> None:
        await peer.until_asked()
        peer.writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.writer.write(b"." * 8192)
            await peer.writer.drain()
            await asyncio.sleep(0)  # uvloop may go on taking bytes for ever

    path, tls = trusted(tmp_path)
    async with (
        receiving(flood, tls if is_over_tls else None) as receiver,
        connecting(path) as connections,
    ):
        response = await post(connections, receiver)
        assert response.status == 200
        assert 64 * 1024 < len(response.body) <= 2 * 64 * 1024
        await receiver.peers[0].until_ended()


@pytest.mark.skipif(sys.platform != "linux", reason="others do not delay as long")
async def test_a_head_is_acknowledged_at_once_so_that_its_body_can_follow() -> None:
    # Python's `http.server` sends its body only then: each webhook took 40 ms more.
    async with receiving(answer_each) as receiver:
        url = httpx.URL(receiver.origin)
        stream = await connect(url.host, url.port or 0)
        for _ in range(3):
            stream.send(b"POST / HTTP/1.1\r\n\r\n")
            reading = asyncio.create_task(stream.receive())
            await asyncio.sleep(0)  # until it waits
            same = stream._transport.get_extra_info("socket")
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 1
            assert await reading == OK
        stream.close()


def flood_at_once(same: socket.socket) -> int:
    """Send until no more is taken, and return how much was."""
    same.setblocking(False)
    taken = 0
    with suppress(BlockingIOError):
        while True:
            taken += same.send(b"." * 65536)
    return taken


async def test_what_nobody_reads_is_not_taken_from_the_network_for_ever() -> None:
    async def wait(peer: Peer) -> None:
        await peer.reader.read(1)

    async with receiving(wait) as receiver:
        url = httpx.URL(receiver.origin)
        stream = await connect(url.host, url.port or 0)
        await turns()
        taken = 0
        while taken < 64 * MEGABYTE and (more := receiver.peers[0].at_once(flood_at_once)):
            taken += more
            await turns()
        read = 0
        while read < taken:
            part = await stream.receive()
            assert part
            read += len(part)
        stream.close()
        assert taken < 64 * MEGABYTE  # what the kernel buffers


@pytest.mark.parametrize(
    ("sent", "error", "body"),
    [
        (b"", "Server disconnected without sending a response.", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "Server disconnected without sending a response.", b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n....",
            "peer closed connection without sending complete message body"
            " (received 4 bytes, expected 10)",
            b"....",
        ),
        (b"SSH-2.0\r\n\r\n", "illegal status line: bytearray(b'SSH-2.0')", b""),
    ],
)
@pytest.mark.parametrize("is_over_tls", [False, True])
async def test_a_receiver_that_hangs_up_too_early_is_an_error(
    tmp_path: Path, sent: bytes, error: str, body: bytes, is_over_tls: bool
) -> None:
    async def answer(peer: Peer) -> None:
        await peer.until_asked()
        peer.writer.write(sent)
        peer.writer.close()

    path, tls = trusted(tmp_path)
    async with (
        receiving(answer, tls if is_over_tls else None) as receiver,
        connecting(path) as connections,
    ):
        response = PartialResponse()
        request = webhook_request(receiver.origin, {}, b"")
        with pytest.raises(h11.RemoteProtocolError) as failed:
            await connections.exchange(request, [ADDRESS], response)
        assert (str(failed.value), response.body) == (error, body)


async def test_a_connection_that_is_reset_is_an_error() -> None:
    async def reset(peer: Peer) -> None:
        await peer.until_asked()
        linger = (
            b"\x01\x00\x00\x00\x00\x00\x00\x00"  # for no time, and so a reset instead of an end
        )
        peer.at_once(lambda same: same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger))
        peer.writer.transport.abort()

    async with receiving(reset) as receiver, connecting() as connections:
        with pytest.raises(ReadError, match="reset"):
            await post(connections, receiver)


async def test_a_response_before_the_whole_request_is_read() -> None:
    async def refuse(peer: Peer) -> None:
        peer.writer.write(OK.replace(b"200 OK", b"413 Too Large"))
        peer.writer.close()

    async with receiving(refuse) as receiver, connecting() as connections:
        assert (await post(connections, receiver)).status == 413


def test_the_end_of_an_event_loop_closes_the_connection_of_a_webhook() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        async def begin() -> socket.socket:
            connections = WebhookConnections(
                Authorities(None).context(), keep_alive=True, kept_for=LIMIT
            )
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            request = webhook_request(url, {}, b"")
            sending = asyncio.create_task(
                connections.exchange(request, [ADDRESS], PartialResponse())
            )
            peer, _ = await asyncio.to_thread(server.accept)
            assert (await asyncio.to_thread(peer.recv, 4)) == b"POST"
            assert not sending.done()
            return peer

        with asyncio.run(begin()) as peer:
            peer.settimeout(LIMIT)
            while peer.recv(4096):
                pass
