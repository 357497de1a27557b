"""Head and body of a response are one write, on httptools, and those of one turn come together."""

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
from msgine_sandbox.protocol.writes import MOST_COLLECTED, CollectingTransport
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.server import config_of
from msgine_sandbox.settings import Settings

HEALTH = b"GET /_sandbox/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Recorder(asyncio.Transport):
    """Keeps each write apart."""

    def __init__(self, on_write: Callable[[], object] = lambda: None) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False
        self._on_write = on_write

    def write(self, data: Any) -> None:
        assert not self.closed
        self._on_write()
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def write_eof(self) -> None:
        assert not self.closed
        self.closed = True

    def can_write_eof(self) -> bool:
        return True

    def resume_reading(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass


@asynccontextmanager
async def server() -> AsyncIterator[Callable[[Recorder], Any]]:
    """Return the function that opens a connection on a transport, and returns its protocol."""
    box = Sandbox(Settings())
    config = config_of(box)
    config.load()
    await box.lifecycle.start()
    kind: Any = config.http_protocol_class
    if not issubclass(kind, RespondingConnection):
        pytest.skip("httptools is not installed")
    opened, state = [], ServerState()

    def connect(recorder: Recorder) -> Any:
        protocol = kind(config=config, server_state=state, app_state={})
        protocol.connection_made(recorder)
        opened.append(protocol)
        return protocol

    try:
        yield connect
    finally:
        for protocol in opened:
            protocol.connection_lost(None)
        await box.lifecycle.close()


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[Recorder, Callable[[bytes], Any]]]:
    """Return what a connection writes, and the function that it gets its data by."""
    async with server() as connect:
        recorder = Recorder()
        yield recorder, connect(recorder).data_received


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


async def test_responses_of_one_turn_are_written_once_all_of_them_are_there() -> None:
    async with server() as connect:
        complete: list[bool] = []
        protocols: list[Any] = []

        def note() -> None:
            complete.append(all(each.cycle.response_complete for each in protocols))

        protocols += [connect(Recorder(note)) for _ in range(3)]
        for protocol in protocols:
            protocol.data_received(HEALTH)
        await until(lambda: len(complete) == len(protocols))
        assert complete == [True, True, True]


async def test_the_response_to_a_single_request_is_written_at_once() -> None:
    async with server() as connect:
        complete: list[bool] = []
        protocol = connect(Recorder(lambda: complete.append(protocol.cycle.response_complete)))
        for _ in range(2):
            protocol.data_received(HEALTH)
            await until(lambda: not protocol.tasks)
        assert complete == [False, False]  # in the middle of its last part


async def test_a_connection_is_closed_after_all_responses_that_it_owes() -> None:
    async with server() as connect:
        recorder, other = Recorder(), Recorder()
        protocol = connect(recorder)
        connect(other).data_received(HEALTH)
        # The recorder allows no write after the end.
        protocol.data_received(
            HEALTH + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        found = [status for status, _ in body_lengths(await writes(recorder, 2))]
        assert found == [b"HTTP/1.1 200 OK"] * 2
        await until(lambda: recorder.closed)
        assert len(await writes(other, 1)) == 1


@pytest.mark.parametrize(
    "end",
    [
        lambda protocol: protocol.eof_received(),
        lambda protocol: protocol.shutdown(),
        lambda protocol: protocol.transport.abort(),
        lambda protocol: protocol.data_received(b"not HTTP\r\n\r\n"),
    ],
    ids=["end of input", "shutdown", "abort", "refusal"],
)
async def test_what_ends_a_connection_comes_after_its_responses(end: Callable[[Any], None]) -> None:
    async with server() as connect:
        recorders = [Recorder(), Recorder()]
        protocols = [connect(recorder) for recorder in recorders]
        for protocol in protocols:
            protocol.data_received(HEALTH)
        await until(lambda: protocols[0].cycle.response_complete)
        assert recorders[0].written == []
        end(protocols[0])
        for recorder in recorders:
            (status, _), *_ = body_lengths(await writes(recorder, 1))
            assert status == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("lost", [0, 1, 2], ids=["first", "second", "last"])
async def test_a_connection_that_is_lost_takes_no_response_of_another_along(lost: int) -> None:
    # Those behind it were never written, so that their clients waited until they gave up.
    async with server() as connect:
        recorders = [Recorder(), Recorder(), Recorder()]
        protocols = [connect(recorder) for recorder in recorders]
        for protocol in protocols:
            protocol.data_received(HEALTH)
        await until(lambda: protocols[lost].cycle.response_complete)
        recorders[lost].closed = True  # such a one fails, as that of uvloop does
        for recorder in recorders:
            if recorder is not recorders[lost]:
                [(status, _)] = body_lengths(await writes(recorder, 1))
                assert status == b"HTTP/1.1 200 OK"
        assert recorders[lost].written == []


async def test_a_connection_that_is_lost_is_not_refused() -> None:
    async with connection() as (recorder, receive):
        receive(HEALTH[:20])
        recorder.closed = True
        receive(b"not HTTP\r\n\r\n")  # would fail where something is written or ended
        assert recorder.written == []


async def test_a_response_of_many_parts_is_not_collected_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part, collected = b"x" * 10_000, []
    recorders = [Recorder(), Recorder()]

    async def streaming(_: Response, scope: object, receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(1, 101):
            await send({"type": "http.response.body", "body": part, "more_body": number < 100})
            written = sum(len(each) for recorder in recorders for each in recorder.written)
            collected.append((len(collected) + 1) * len(part) - written)

    monkeypatch.setattr(Response, "__call__", streaming)
    async with server() as connect:
        for recorder in recorders:
            connect(recorder).data_received(HEALTH)
        await until(lambda: len(collected) == 200)
        assert len(part) < max(collected) <= MOST_COLLECTED


def test_the_transport_in_front_has_all_that_a_transport_has() -> None:
    # What it inherits would raise NotImplementedError; `writelines` calls `write`.
    inherited = {
        name
        for name in dir(asyncio.Transport)
        if not name.startswith("_") and name not in vars(CollectingTransport)
    }
    assert inherited == {"writelines"}
