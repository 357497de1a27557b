"""How long connections are kept: without end while they are idle, half a minute while they owe."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from matching import assert_refused
from wire import BODY, HEALTH, Served, Wire, chunked, head, post, served

from msgine_sandbox.sandbox import Bounds

HOUR = 3600
EARLY, LATE = 500, 1500
"""Seconds that are well before and well after a bound of a thousand, on a slow machine, too."""


@pytest.fixture
async def one(parser: None) -> AsyncIterator[Served]:
    """A sandbox with either parser."""
    async with served(request_seconds=1000) as fresh:
        yield fresh


@pytest.fixture
async def wire(one: Served) -> AsyncIterator[Wire]:
    async with one.connected() as opened:
        yield opened


@pytest.mark.both_loops
@pytest.mark.parametrize("pause", [5, 60, 75, HOUR])
async def test_an_idle_connection_is_kept(one: Served, wire: Wire, pause: int) -> None:
    for request in (post(), chunked(), HEALTH, post("Connection: keep-alive")):
        assert await wire.status(request) in {200, 201}
        await one.after(pause)
    assert len(await one.messages()) == 3


@pytest.mark.both_loops
async def test_a_connection_is_idle_after_refusals_as_well(one: Served, wire: Wire) -> None:
    assert await wire.status(head("Content-Length: 2097152")) == 413
    assert await wire.status(b" " * 2097152 + HEALTH) == 200
    await one.after(HOUR)
    assert await wire.status(head("Content-Length: 3") + b"not") == 400
    await one.after(HOUR)
    assert await wire.status(post()) == 201


@pytest.mark.both_loops
async def test_empty_lines_do_not_begin_a_request() -> None:
    async with served(request_seconds=1000) as one, one.connected() as wire:
        assert await wire.status(post() + b"\r\n") == 201
        await one.after(HOUR)
        assert await wire.status(b"\r\n" + post()) == 201


@pytest.mark.both_loops
async def test_a_connection_whose_request_is_being_answered_is_kept(
    one: Served, wire: Wire
) -> None:
    await wire.write(head(method="GET", path="/_sandbox/messages/wait?timeout=60"))
    await one.after(HOUR)
    async with one.connected() as other:
        assert await other.status(post()) == 201
    assert await wire.status() == 200


@pytest.mark.both_loops
async def test_of_more_idle_connections_than_are_kept_the_one_idle_for_longest_is_closed() -> None:
    async with served(idle_connections=2) as one, AsyncExitStack() as opened:
        wires = [await opened.enter_async_context(one.connected()) for _ in range(4)]
        for wire in wires[:2]:
            assert await wire.status(post()) == 201
        assert await wires[0].status(post()) == 201  # now the other one is idle for longer
        assert await wires[2].status(post()) == 201
        assert await wires[1].is_closed()
        assert await wires[3].status(post()) == 201
        assert await wires[0].is_closed()
        assert [await wire.status(post()) for wire in wires[2:]] == [201, 201]


@pytest.mark.both_loops
async def test_connections_that_are_not_idle_do_not_count() -> None:
    async with served(idle_connections=1) as one, AsyncExitStack() as opened:
        wires = [await opened.enter_async_context(one.connected()) for _ in range(4)]
        for wire in wires[:2]:
            await wire.write(head(method="GET", path="/_sandbox/messages/wait?timeout=60"))
        assert await wires[2].status(HEALTH) == 200
        assert await wires[3].status(post()) == 201
        assert await wires[2].is_closed()
        assert sorted([await wires[0].status(), await wires[1].status()]) == [200, 200]


# What a client begins and does not complete

HEADS = [
    b"P",
    b"POST /api/v1/mess",
    head("Content-Length: 5")[:-1],
]
BODIES = [
    head(f"Content-Length: {len(BODY)}"),
    post()[:-1],
    chunked()[:-1],
    chunked()[:-20],
    chunked(trailers="A: b\r\n")[:-3],
]


@pytest.mark.both_loops
@pytest.mark.parametrize("packet", HEADS)
async def test_half_a_head_is_answered_408_in_the_end(
    one: Served, wire: Wire, packet: bytes
) -> None:
    await wire.write(packet)
    await one.after(EARLY)
    await one.after(LATE)
    error = await wire.refused(408, "request_timeout")
    assert error["message"] == "The head did not arrive within 1000 s"


@pytest.mark.both_loops
@pytest.mark.parametrize("packet", BODIES)
async def test_half_a_body_is_answered_408_in_the_end(
    one: Served, wire: Wire, packet: bytes
) -> None:
    await wire.write(packet)
    await one.after(EARLY)
    await one.after(LATE)
    error = await wire.refused(408, "request_timeout")
    assert error["message"] == "The body did not arrive within 1000 s"
    assert await one.messages() == []


@pytest.mark.both_loops
@pytest.mark.parametrize("packet", [*HEADS, *BODIES])
async def test_an_idle_connection_that_begins_a_request_must_complete_it(
    one: Served, wire: Wire, packet: bytes
) -> None:
    assert await wire.status(post()) == 201
    await one.after(HOUR)
    await wire.write(packet)
    await one.after(LATE)
    await wire.refused(408, "request_timeout")


def test_each_part_has_half_a_minute() -> None:
    assert Bounds().request_seconds == 30
    assert Bounds().idle_connections <= 1000


@pytest.mark.both_loops
async def test_a_new_connection_takes_the_place_of_the_one_that_is_idle_for_longest(
    parser: None,
) -> None:
    async with served(connections=3) as one, AsyncExitStack() as opened:
        wires = [await opened.enter_async_context(one.connected()) for _ in range(3)]
        for wire in (wires[1], wires[0], wires[2]):
            assert await wire.status(HEALTH) == 200
        async with one.connected() as fresh:
            assert await fresh.status(HEALTH) == 200
            assert await wires[1].is_closed()
            for wire in (wires[0], wires[2]):
                assert await wire.status(HEALTH) == 200


@pytest.mark.both_loops
@pytest.mark.parametrize("packet", [b"", *HEADS, *BODIES])
async def test_a_new_connection_takes_the_place_of_one_that_owes_a_request(
    parser: None, packet: bytes
) -> None:
    async with served(connections=1) as one, one.connected() as first:
        await first.write(packet)
        async with one.connected() as fresh:
            assert await first.is_closed()
            assert await fresh.status(HEALTH) == 200


@pytest.mark.both_loops
async def test_where_all_connections_are_busy_a_new_one_is_refused(parser: None) -> None:
    path = "/_sandbox/messages/wait?contains=never&timeout=60"
    async with served(connections=2) as one, AsyncExitStack() as opened:
        for _ in range(2):
            wire = await opened.enter_async_context(one.connected())
            await wire.write(head(path=path, method="GET"))
        while not await is_refused(one):
            pass
        assert not await is_served(one)
        await wire.close()
        while not await is_served(one):
            pass


async def is_refused(one: Served) -> bool:
    """Return whether a new connection is answered 503 before it has sent anything."""
    async with one.connected() as fresh:
        answer = await fresh.ask(HEALTH)
        if answer.status_code == 200:
            return False
        error = assert_refused(answer, 503, "service_unavailable")
        assert error["message"] == "2 connections are open, as many as the sandbox may have"
        return True


async def is_served(one: Served) -> bool:
    return not await is_refused(one)


@pytest.mark.both_loops
async def test_each_part_has_a_time_of_its_own(one: Served, wire: Wire) -> None:
    whole = post()
    for packet in (whole[:5], whole[5:-9], whole[-9:]):
        await one.after(EARLY)
        await wire.write(packet)
    assert await wire.status() == 201


@pytest.mark.both_loops
async def test_a_connection_that_says_nothing_is_closed(one: Served, wire: Wire) -> None:
    await one.after(EARLY)
    assert await wire.status(post()) == 201
    async with one.connected() as silent:
        await one.after(LATE)
        assert await silent.is_closed()


@pytest.mark.both_loops
async def test_the_half_of_a_pipelined_request_does_not_end_the_one_before(
    one: Served, wire: Wire
) -> None:
    await wire.write(head(method="GET", path="/_sandbox/messages/wait?timeout=60") + post()[:-1])
    await one.after(HOUR)
    async with one.connected() as other:
        assert await other.status(post()) == 201
    assert await wire.status() == 200


@pytest.mark.both_loops
async def test_a_refused_connection_is_closed_though_its_client_stays(
    one: Served, wire: Wire
) -> None:
    await wire.write(b"nonsense\r\n\r\n")
    assert_refused(await wire.answer(), 400, "invalid_request")
    await one.after(LATE)
    async with one.connected() as other:
        assert await other.status(HEALTH) == 200
    assert await wire.is_closed()


@pytest.mark.both_loops
async def test_the_time_comes_by_itself() -> None:
    async with served(request_seconds=0.02) as one:
        async with one.connected() as wire:
            assert await wire.is_closed()
        async with one.connected() as wire:
            assert await wire.is_closed()
