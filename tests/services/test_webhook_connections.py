"""Connections to receivers: which webhooks share one, and which are closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address

import httpx
import pytest

from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.transports import Transports

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
async def transports() -> AsyncIterator[Transports]:
    transports = Transports(Authorities(None).context(), keep_alive=True)
    yield transports
    await transports.close()


async def post(transports: Transports, listener: Listener, host: str = "127.0.0.1") -> None:
    request = httpx.Request("POST", f"http://{host}:{listener.port}/hooks")
    async with transports.response(request, [ADDRESS]) as response:
        assert [part async for part in response.aiter_raw()] == [b"ok"]


async def test_webhooks_one_after_the_other_share_a_connection(
    listener: Listener, transports: Transports
) -> None:
    listener.let_go.set()
    for _ in range(3):
        await post(transports, listener)
    assert listener.of_requests == [0, 0, 0]


async def test_webhooks_at_once_have_a_connection_each_and_twenty_are_kept(
    listener: Listener, transports: Transports
) -> None:
    sending = [asyncio.create_task(post(transports, listener)) for _ in range(25)]
    await listener.until(requests=25, connections=25)
    listener.let_go.set()
    await asyncio.gather(*sending)
    await listener.until(requests=25, connections=20)
    for _ in range(3):
        await post(transports, listener)
    await listener.until(requests=28, connections=20)


async def test_a_connection_is_not_used_for_another_name(
    listener: Listener, transports: Transports
) -> None:
    listener.let_go.set()
    for host in ("127.0.0.1", "receiver.test", "127.0.0.1", "receiver.test"):
        await post(transports, listener, host)
    assert listener.of_requests == [0, 1, 0, 1]


async def test_a_connection_that_the_receiver_has_closed_is_replaced(
    listener: Listener, transports: Transports
) -> None:
    listener.let_go.set()
    await post(transports, listener)
    listener.connections[0].close()
    await listener.until(requests=1, connections=0)
    await post(transports, listener)
    assert listener.of_requests == [0, 1]


async def test_the_first_address_that_accepts_a_connection_is_used(
    listener: Listener, transports: Transports
) -> None:
    listener.let_go.set()
    request = httpx.Request("POST", f"http://receiver.test:{listener.port}/hooks")
    nobody = ip_address("127.0.0.2")  # the receiver listens on another address
    async with transports.response(request, [nobody, ADDRESS]) as response:
        assert response.status_code == 200
    with pytest.raises(httpx.ConnectError):
        async with transports.response(request, [nobody]):
            pass
    assert listener.of_requests == [0]


async def test_an_address_with_a_connection_comes_before_the_others(
    listener: Listener, transports: Transports
) -> None:
    listener.let_go.set()
    await post(transports, listener)
    other = ip_address("127.0.0.2")
    server = await asyncio.start_server(listener.serve, str(other), listener.port)
    request = httpx.Request("POST", f"http://127.0.0.1:{listener.port}/hooks")
    async with transports.response(request, [other, ADDRESS]) as response:
        assert response.status_code == 200
    assert listener.of_requests == [0, 0]
    server.close()


async def test_the_connection_of_a_webhook_that_is_given_up_is_closed(
    listener: Listener, transports: Transports
) -> None:
    sending = asyncio.create_task(post(transports, listener))
    await listener.until(requests=1, connections=1)
    sending.cancel()
    listener.let_go.set()
    await listener.until(requests=1, connections=0)
    await post(transports, listener)
    assert listener.of_requests == [0, 1]


async def test_without_keeping_alive_each_webhook_has_a_connection(listener: Listener) -> None:
    listener.let_go.set()
    transports = Transports(Authorities(None).context(), keep_alive=False)
    for count in (1, 2):
        await post(transports, listener)
        await listener.until(requests=count, connections=0)
    assert listener.of_requests == [0, 1]
