"""On httptools, the head of a response and the first part of its body are one write."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from iterations import until
from starlette.responses import Response
from starlette.types import Send
from uvicorn.server import ServerState

from msgine_sandbox.protocol.responses import RespondingConnection
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.server import config_of
from msgine_sandbox.settings import Settings

HEALTH = b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Recorder(asyncio.Transport):
    """Keeps each write apart."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def resume_reading(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[Recorder, Callable[[bytes], Any]]]:
    """Return what a connection writes, and the function that it gets its data by."""
    box = Sandbox(Settings())
    config = config_of(box)
    config.load()
    await box.lifecycle.start()
    kind: Any = config.http_protocol_class
    if not issubclass(kind, RespondingConnection):
        pytest.skip("httptools is not installed")
    protocol = kind(config=config, server_state=ServerState(), app_state={})
    recorder = Recorder()
    protocol.connection_made(recorder)
    try:
        yield recorder, protocol.data_received
    finally:
        protocol.connection_lost(None)
        await box.lifecycle.close()


async def writes(recorder: Recorder, count: int) -> list[bytes]:
    """Return what has been written, once it is so much."""
    await until(lambda: len(recorder.written) >= count)
    return recorder.written


def body_lengths(written: list[bytes]) -> Iterator[tuple[bytes, int]]:
    for each in written:
        head, _, body = each.partition(b"\r\n\r\n")
        yield head.partition(b"\r\n")[0], len(body)


async def test_a_response_is_one_write() -> None:
    async with connection() as (recorder, receive):
        receive(HEALTH)
        [(status, length)] = body_lengths(await writes(recorder, 1))
        assert status == b"HTTP/1.1 200 OK"
        assert length > 0
        receive(HEALTH.replace(b"GET", b"HEAD"))
        [_, (status, length)] = body_lengths(await writes(recorder, 2))
        assert (status, length) == (b"HTTP/1.1 200 OK", 0)


async def test_two_requests_at_once_are_answered_by_two_writes() -> None:
    async with connection() as (recorder, receive):
        receive(HEALTH + HEALTH.replace(b"health", b"nothing"))
        found = dict(body_lengths(await writes(recorder, 2)))
        assert list(found) == [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found"]


async def test_an_interim_response_does_not_wait_for_the_response() -> None:
    async with connection() as (recorder, receive):
        receive(
            b"POST /api/v1/messages/sms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await writes(recorder, 1) == [b"HTTP/1.1 100 Continue\r\n\r\n"]
        receive(b"{}")
        [_, (status, _)] = body_lengths(await writes(recorder, 2))
        assert status == b"HTTP/1.1 400 Bad Request"


async def test_a_stream_begins_with_its_first_chunk_and_goes_on_in_chunks() -> None:
    async with connection() as (recorder, receive):
        receive(HEALTH.replace(b"health", b"events"))
        [first] = await writes(recorder, 1)
        assert b"transfer-encoding: chunked\r\n" in first
        assert first.endswith(b"\r\n\r\nd\r\nretry: 1000\n\n\r\n")


async def test_a_response_that_fails_before_its_body_is_a_500(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def failing(_: Response, scope: object, receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("no body")

    monkeypatch.setattr(Response, "__call__", failing)
    async with connection() as (recorder, receive):
        receive(HEALTH)
        [(status, _)] = body_lengths(await writes(recorder, 1))
        assert status == b"HTTP/1.1 500 Internal Server Error"
    assert "no body" in capsys.readouterr().err


async def test_a_header_with_a_line_break_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def splitting(_: Response, scope: object, receive: object, send: Send) -> None:
        headers = [(b"location", b"/\r\nset-cookie: a=b")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})

    monkeypatch.setattr(Response, "__call__", splitting)
    async with connection() as (recorder, receive):
        receive(HEALTH)
        [(status, _)] = body_lengths(await writes(recorder, 1))
        assert status == b"HTTP/1.1 500 Internal Server Error"
    assert "line break" in capsys.readouterr().err


async def test_a_connection_that_the_client_wants_closed_is_closed() -> None:
    async with connection() as (recorder, receive):
        receive(HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        [written] = await writes(recorder, 1)
        assert b"\r\nconnection: close\r\n" in written
        assert recorder.closed
