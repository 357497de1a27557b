"""Waits and clients that disconnect: the wait ends with the connection."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from iterations import until
from wire import HEALTH, Served, Wire, head, post, served

WAIT = head(method="GET", path="/_sandbox/messages/wait?timeout=60&contains=Hello")
CLIENTS = 100

pytestmark = pytest.mark.usefixtures("parser")


async def left_alone(tasks: int) -> None:
    """Return once no more tasks are left than there were."""
    await until(lambda: len(asyncio.all_tasks()) <= tasks)


async def waits_begin(tasks: int) -> None:
    """Return once there are so many tasks."""
    await until(lambda: len(asyncio.all_tasks()) >= tasks)


async def test_waits_end_when_their_clients_disconnect() -> None:
    async with served() as server:
        before = len(asyncio.all_tasks())
        async with AsyncExitStack() as connections:
            for _ in range(CLIENTS):
                wire = await connections.enter_async_context(server.connected())
                await wire.write(WAIT)
            await waits_begin(before + CLIENTS)
        await left_alone(before)


async def test_a_wait_on_a_kept_connection_ends_with_it() -> None:
    async with served() as server:
        before = len(asyncio.all_tasks())
        async with server.connected() as wire:
            assert await wire.status(HEALTH) == 200
            await wire.write(WAIT)
            await waits_begin(before + 1)
        await left_alone(before)


async def begin_behind(server: Served, wire: Wire, queued: int) -> None:
    """Begin a wait, with so many requests behind it that the server has read."""
    await wire.write(WAIT, *[HEALTH] * queued)
    async with server.connected() as other:  # whose request is read after all of those
        assert await other.status(HEALTH) == 200


@pytest.mark.parametrize("queued", [1, 5])
async def test_a_wait_ends_with_its_connection_also_when_more_requests_have_come(
    queued: int,
) -> None:
    async with served() as server:
        before = len(asyncio.all_tasks())
        async with server.connected() as wire:
            await begin_behind(server, wire, queued)
        await left_alone(before)


async def test_requests_behind_a_wait_are_answered_in_order() -> None:
    async with served() as server, server.connected() as wire:
        await begin_behind(server, wire, 20)
        async with server.connected() as other:
            assert await other.status(post()) == 201
        found = await wire.answer()
        assert (found.status_code, found.json()["message"]) == (200, "Hello")
        for _ in range(20):
            assert (await wire.answer()).json()["status"] == "ok"
