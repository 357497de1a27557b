"""Followers of the live events of a sandbox in this process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox

Event = dict[str, Any]


class Follower:
    """What one client of `/_sandbox/events` has received."""

    def __init__(self) -> None:
        self._text = ""
        self._arrived = asyncio.Condition()
        self._has_ended = False

    @property
    def events(self) -> list[Event]:
        """The events so far, without `changed`: `id`, `event` and `data` of each."""
        blocks = [block.split("\n") for block in self._text.split("\n\n")[:-1]]
        found = [dict(line.split(": ", 1) for line in block) for block in blocks]
        wanted = [each for each in found if each.get("event", "changed") != "changed"]
        return [each | {"data": json.loads(each["data"])} for each in wanted]

    async def until(self, count: int) -> list[Event]:
        """Return the events as soon as there are so many."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.events) >= count)
        return self.events

    async def until_the_end(self) -> None:
        """Wait until the sandbox has ended the stream."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._has_ended)

    async def receive(self, message: dict[str, Any]) -> None:
        """Take a message of the application."""
        async with self._arrived:
            self._text += message.get("body", b"").decode()
            self._has_ended = message["type"].endswith("body") and not message.get("more_body")
            self._arrived.notify_all()


@asynccontextmanager
async def following(
    sandbox: Sandbox, token: str = "", after: str | None = None
) -> AsyncIterator[Follower]:
    """Follow an account, or all, inside the block, which begins when the sandbox is sending."""
    headers = {"Host": "localhost"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Last-Event-ID": after} if after else {}
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/_sandbox/events",
        "raw_path": b"/_sandbox/events",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }
    follower = Follower()
    begun = asyncio.Event()

    async def send(message: Any) -> None:
        await follower.receive(message)
        if message.get("body"):
            begun.set()

    async def receive() -> Any:
        await asyncio.Event().wait()

    call = asyncio.create_task(app_of(sandbox)(scope, receive, send))
    await begun.wait()
    try:
        yield follower
    finally:
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
