"""What is left of a connection once it is closed: nothing that waits for the garbage collector."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from wire import HEALTH, Served, head, post, served

from msgine_sandbox.protocol.connection import ConnectionProtocol

LIMIT = 20
"""Seconds after which a connection is taken to be kept."""
WAIT = head(method="GET", path="/_sandbox/messages/wait?timeout=60")


@pytest.fixture
async def uncollected() -> AsyncIterator[Served]:
    """A sandbox in a process without a garbage collector."""
    async with served() as fresh:
        gc.collect()
        gc.disable()
        try:
            yield fresh
        finally:
            gc.enable()


def connections() -> list[ConnectionProtocol]:
    # The class of an object, because `isinstance` would also ask proxies of other tests.
    return [each for each in gc.get_objects() if issubclass(type(each), ConnectionProtocol)]


@pytest.mark.both_loops
@pytest.mark.parametrize(
    "sent",
    [b"", HEALTH, post(), HEALTH * 3, post()[:50], post()[:-1], WAIT, WAIT + HEALTH],
    ids=[
        *("nothing", "a request", "a send", "three requests", "half a head", "half a body"),
        *("a wait that goes on", "a request behind a wait"),
    ],
)
async def test_a_closed_connection_is_freed_at_once(
    parser: None, uncollected: Served, sent: bytes
) -> None:
    # A server with many short connections had 16 MB of them that nothing used any more.
    async with uncollected.connected() as other, uncollected.connected() as wire:
        await wire.write(sent)
        assert await other.status(HEALTH) == 200
        assert len(connections()) == 2
        await wire.close()
        async with asyncio.timeout(LIMIT):
            while len(connections()) > 1:
                assert await other.status(HEALTH) == 200


@pytest.mark.both_loops
async def test_a_connection_that_is_refused_is_freed_at_once(uncollected: Served) -> None:
    async with uncollected.connected() as other:
        async with uncollected.connected() as wire:
            await wire.write(head(f"X-Long: {'x' * 70_000}"))
            await wire.refused(431, "header_fields_too_large")
        async with asyncio.timeout(LIMIT):
            while len(connections()) > 1:
                assert await other.status(HEALTH) == 200
