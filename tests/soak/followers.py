"""Followers of the events: one that checks them, and some that read slowly or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from client import connected, request
from ledger import Ledger

_PATH = "/_sandbox/events"
_AFTER_CUT = 0.2
_SLOW = 2000  # bytes a second
_LIMIT = 16 * 1024 * 1024  # bytes of the longest event


@asynccontextmanager
async def checked_by(port: int, ledger: Ledger) -> AsyncIterator[None]:
    """Let a ledger see all events of the sandbox inside the block."""
    following = asyncio.Event()
    async with running([_follow(port, ledger.see, following)]):
        await following.wait()
        yield


@asynccontextmanager
async def ignored(port: int, tokens: Sequence[str | None]) -> AsyncIterator[None]:
    """Follow in all ways inside the block, and ignore what comes."""
    ways = (read_all, _read_slowly, read_nothing)
    async with running([way(port, token) for way in ways for token in tokens]):
        yield


@asynccontextmanager
async def running(work: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run it inside the block."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(
    port: int, see: Callable[[str, Mapping[str, Any]], None], following: asyncio.Event
) -> None:
    """Pass on the events of the whole sandbox; connect again, and go on, where it disconnects.

    `following` is set from the first connection on.
    """
    latest = None
    while True:
        headers = () if latest is None else (f"Last-Event-ID: {latest}",)
        async with connected(port, buffer=_LIMIT) as (reader, writer):
            writer.write(request("GET", _PATH, headers=headers))
            try:
                await reader.readuntil(b"\r\n\r\n")
                following.set()
                async for event in _events(reader):
                    latest = event.get("id", latest)
                    see(event["event"], msgspec.json.decode(event.get("data", "{}")))
            except (asyncio.IncompleteReadError, ConnectionError):
                await asyncio.sleep(_AFTER_CUT)


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[Mapping[str, str]]:
    """Yield the events of a chunked response."""
    received = b""
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        chunk = await reader.readexactly(size + 2)
        if size == 0:
            return
        *complete, received = (received + chunk[:-2]).split(b"\n\n")
        for each in complete:
            lines = [line.partition(": ") for line in each.decode().split("\n")]
            event = {name: value for name, _, value in lines}
            if "event" in event:
                yield event


async def _read_slowly(port: int, token: str | None = None) -> None:
    """Follow, and read less than what comes; connect again where the sandbox disconnects."""
    while True:
        async with connected(port, buffer=_SLOW) as (reader, writer):
            writer.write(request("GET", _PATH, token=token))
            while await reader.read(_SLOW):
                await asyncio.sleep(1)


async def read_nothing(port: int, token: str | None = None) -> None:
    """Follow, and read nothing."""
    async with connected(port, buffer=1) as (reader, writer):
        writer.write(request("GET", _PATH, token=token))
        await reader.readexactly(1)
        await asyncio.Event().wait()


async def read_all(port: int, token: str | None = None) -> None:
    """Follow, and discard what comes."""
    async with connected(port) as (reader, writer):
        writer.write(request("GET", _PATH, token=token))
        while await reader.read(65536):
            pass
