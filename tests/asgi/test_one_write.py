"""The head of a response goes out with the first part of its body, whatever the response."""

import asyncio

import pytest

from msgine_sandbox.protocol.connection import ResponseTransport

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Recorder(asyncio.Transport):
    """Keeps what is written, and notes its end."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: object) -> None:
        self.written.append(bytes(data))  # type: ignore[call-overload]

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.written.append(b"closed")


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        pytest.param([HEAD, b"body"], [HEAD + b"body"], id="whole"),
        pytest.param([HEAD, b"one", b"two"], [HEAD + b"one", b"two"], id="streamed"),
        pytest.param([HEAD, b""], [HEAD], id="empty"),
        pytest.param([HEAD], [HEAD], id="to HEAD"),
        pytest.param([CONTINUE, HEAD, b"body"], [CONTINUE, HEAD + b"body"], id="after a continue"),
    ],
)
def test_a_head_is_written_with_what_follows_it(parts: list[bytes], written: list[bytes]) -> None:
    recorder = Recorder()
    transport = ResponseTransport(recorder)
    for _ in range(2):  # as on a connection that is kept
        for part in parts:
            transport.write(part)
        transport.end()
    assert recorder.written == written * 2


def test_a_head_is_written_before_the_connection_is_closed() -> None:
    recorder = Recorder()
    transport = ResponseTransport(recorder)
    transport.write(HEAD)
    transport.close()
    assert recorder.written == [HEAD, b"closed"]
