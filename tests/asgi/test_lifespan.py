"""The ASGI lifespan: under another server than ours, it starts and closes the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from box import sandbox
from receiver import Receiver
from starlette.types import ASGIApp, Message

from msgine_sandbox.app import create_app
from msgine_sandbox.services.lifecycle import Lifecycle
from msgine_sandbox.settings import Settings


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Run an application's lifespan around the block, as a server does."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, received.get, sent.put))
    received.put_nowait({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield
    received.put_nowait({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await task


async def test_startup_resumes_what_is_planned_before_any_request(
    tmp_path: Path, receiver: Receiver
) -> None:
    file = str(tmp_path / "my.db")
    async with sandbox(database=file) as before:
        await before.accepted("+256700000004", callbackUrl=receiver.url)
    async with lifespan(create_app(Settings(database=file))):
        await receiver.until(1)
    assert receiver.events == ["message.sent"]


async def test_shutdown_closes_the_database_file_for_the_next_sandbox(tmp_path: Path) -> None:
    file = str(tmp_path / "my.db")
    async with lifespan(create_app(Settings(database=file))):
        pass
    async with sandbox(database=file) as box:
        await box.accepted()


async def send_to_app(scope: dict[str, Any], *received: Message) -> list[Message]:
    """Call an application once, and return what it has sent."""
    messages, sent = iter(received), []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    await create_app()(scope, receive, send)
    return sent


async def test_a_websocket_is_closed() -> None:
    scope = {"type": "websocket", "path": "/_sandbox/events", "headers": []}
    [closed] = await send_to_app(scope, {"type": "websocket.connect"})
    assert (closed["type"], closed["code"]) == ("websocket.close", 1000)


async def test_an_unknown_protocol_is_an_error() -> None:
    # It tells the server that the application does not speak the protocol (ASGI, "Applications").
    with pytest.raises(ValueError, match="telnet"):
        await send_to_app({"type": "telnet"})


async def test_a_start_that_fails_is_told_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_: Lifecycle) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(Lifecycle, "start", failing)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="no disk"):
        await create_app()({"type": "lifespan"}, receive, send)
    [failed] = sent
    assert failed["type"] == "lifespan.startup.failed"
    assert "no disk" in failed["message"]
