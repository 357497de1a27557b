"""Connections to receivers: which webhooks share one, and which are closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.connections import WebhookConnections
from msgine_sandbox.services.webhooks.network import ConnectError
from msgine_sandbox.services.webhooks.request import webhook_request
from msgine_sandbox.services.webhooks.response import PartialResponse

pytestmark = pytest.mark.both_loops

ADDRESS = ip_address("127.0.0.1")
LIMIT = 60  # seconds; only what never comes takes so long


class Listener:
    """Answers once `let_go` is set; says which connections there were, and which are open."""

    def __init__(self) -> None:
        self.connections: list[asyncio.StreamWriter] = []
        self.of_requests: list[int] = []
        self.open: set[int] = set()
        self.let_go = asyncio.Event()
        self.changed = asyncio.Condition()
        self.port = 0

    async def until(self, *, requests: int, connections: int) -> None:
        async with asyncio.timeout(LIMIT), self.changed:
            await self.changed.wait_for(
                lambda: (len(self.of_requests), len(self.open)) == (requests, connections)
            )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.connections)
        self.connections.append(writer)
        self.open.add(number)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                async with self.changed:
                    self.of_requests.append(number)
                    self.changed.notify_all()
                await self.let_go.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()
        async with self.changed:
            self.open.remove(number)
            self.changed.notify_all()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.port = server.sockets[0].getsockname()[1]
    yield listener
    server.close()
    for writer in listener.connections:
        writer.close()


@pytest.fixture
async def connections() -> AsyncIterator[WebhookConnections]:
    connections = WebhookConnections(Authorities(None).context(), keep_alive=True, kept_for=LIMIT)
    yield connections
    connections.close()


async def post(
    connections: WebhookConnections,
    listener: Listener,
    host: str = "127.0.0.1",
    *addresses: IPv4Address | IPv6Address,
) -> None:
    request = webhook_request(f"http://{host}:{listener.port}/hooks", {}, b"{}")
    response = PartialResponse()
    await connections.exchange(request, addresses or [ADDRESS], response)
    assert (response.status, response.body) == (200, b"ok")


async def test_webhooks_one_after_the_other_share_a_connection(
    listener: Listener, connections: WebhookConnections
) -> None:
    listener.let_go.set()
    for _ in range(3):
        await post(connections, listener)
    assert listener.of_requests == [0, 0, 0]


async def test_webhooks_at_once_have_a_connection_each_and_twenty_are_kept(
    listener: Listener, connections: WebhookConnections
) -> None:
    sending = [asyncio.create_task(post(connections, listener)) for _ in range(25)]
    await listener.until(requests=25, connections=25)
    listener.let_go.set()
    await asyncio.gather(*sending)
    await listener.until(requests=25, connections=20)
    for _ in range(3):
        await post(connections, listener)
    await listener.until(requests=28, connections=20)


async def test_a_connection_is_not_used_for_another_name(
    listener: Listener, connections: WebhookConnections
) -> None:
    listener.let_go.set()
    for host in ("127.0.0.1", "receiver.test", "127.0.0.1", "receiver.test"):
        await post(connections, listener, host)
    assert listener.of_requests == [0, 1, 0, 1]


async def test_a_connection_that_the_receiver_has_closed_is_replaced(
    listener: Listener, connections: WebhookConnections
) -> None:
    listener.let_go.set()
    await post(connections, listener)
    listener.connections[0].close()
    await listener.until(requests=1, connections=0)
    await post(connections, listener)
    assert listener.of_requests == [0, 1]


async def test_the_first_address_that_accepts_a_connection_is_used(
    listener: Listener, connections: WebhookConnections
) -> None:
    listener.let_go.set()
    nobody = ip_address("127.0.0.2")  # the receiver listens on another address
    await post(connections, listener, "receiver.test", nobody, ADDRESS)
    assert listener.of_requests == [0]


async def test_an_error_says_of_each_address_why_it_accepts_no_connection(
    listener: Listener, connections: WebhookConnections
) -> None:
    nobody = [ip_address("127.0.0.2"), ip_address("127.0.0.3")]
    with pytest.raises(ConnectError) as refused:
        await post(connections, listener, "receiver.test", *nobody)
    assert str(refused.value) == (
        f"127.0.0.2:{listener.port}: Connection refused;"
        f" 127.0.0.3:{listener.port}: Connection refused"
    )


async def test_an_address_with_a_connection_comes_before_the_others(
    listener: Listener, connections: WebhookConnections
) -> None:
    listener.let_go.set()
    await post(connections, listener)
    other = ip_address("127.0.0.2")
    server = await asyncio.start_server(listener.serve, str(other), listener.port)
    await post(connections, listener, "127.0.0.1", other, ADDRESS)
    assert listener.of_requests == [0, 0]
    server.close()


async def test_the_connection_of_a_webhook_that_is_given_up_is_closed(
    listener: Listener, connections: WebhookConnections
) -> None:
    sending = asyncio.create_task(post(connections, listener))
    await listener.until(requests=1, connections=1)
    sending.cancel()
    listener.let_go.set()
    await listener.until(requests=1, connections=0)
    await post(connections, listener)
    assert listener.of_requests == [0, 1]


async def test_without_keeping_alive_each_webhook_has_a_connection(listener: Listener) -> None:
    listener.let_go.set()
    connections = WebhookConnections(Authorities(None).context(), keep_alive=False)
    for count in (1, 2):
        await post(connections, listener)
        await listener.until(requests=count, connections=0)
    assert listener.of_requests == [0, 1]


async def test_a_connection_that_nobody_uses_is_closed_after_a_moment(listener: Listener) -> None:
    listener.let_go.set()
    connections = WebhookConnections(Authorities(None).context(), keep_alive=True, kept_for=0.001)
    for count in (1, 2):
        await post(connections, listener)
        await listener.until(requests=count, connections=0)
