"""Stopping: the process ends soon, whatever hangs, and all that was acknowledged is stored."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import LIMIT
from live import Live, serving

pytestmark = pytest.mark.live

SOON = 20  # seconds; all that hangs here hangs for longer, and some of it for ever
NUMBER = "+256701234567"
HEADERS = {"Authorization": "Bearer test_unlimited_stopping"}
FLAGS = ("--quiet", "--tier", "unlimited", "--webhook-timeout", "600")
AT_ONCE = ("--sent-after", "0", "--delivered-after", "0")
PATCHED = """
import socket, sys, threading
looked_up = socket.getaddrinfo
def getaddrinfo(host, *args, **kwargs):
    if str(host).endswith(".hangs.test"):
        print("looking up\\n", end="", flush=True)  # one write, as several threads look up
        threading.Event().wait()
    return looked_up(host, *args, **kwargs)
socket.getaddrinfo = getaddrinfo
sys.argv[0] = "msgine-sandbox"
from msgine_sandbox.cli import main
main()
"""

PATIENT = "from msgine_sandbox import server; server._LONGEST_STOP = 600\n"
"""Before a program that is to stop by itself, though it may take longer than usual to do so."""

Hang = Callable[[Live], AbstractContextManager[Any]]


def port_of(live: Live) -> int:
    return int(live.origin.rpartition(":")[2])


def connected(live: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(live)), timeout=LIMIT)


def is_healthy(live: Live) -> bool:
    """Return whether it answers; then what was sent to it before has been received."""
    return httpx.get(f"{live.origin}/_sandbox/health", verify=False).status_code == 200


def send(live: Live, **fields: Any) -> dict[str, Any]:
    body = {"to": NUMBER, "message": "Hello", **fields}
    url = f"{live.base_url}/messages/sms"
    answer = httpx.post(url, json=body, headers=HEADERS, timeout=LIMIT)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def asking(
    live: Live, path: str, body: bytes | None = None
) -> Iterator[http.client.HTTPConnection]:
    """Send a request whose answer is not awaited."""
    client = http.client.HTTPConnection("127.0.0.1", port_of(live), timeout=LIMIT)
    method = "GET" if body is None else "POST"
    headers = HEADERS | {"Content-Type": "application/json"}
    with closing(client):
        client.request(method, path, body, headers)
        assert is_healthy(live)
        yield client


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        yield listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/hooks"


def received(connection: socket.socket) -> str:
    """Return a webhook's request."""
    text = ""
    while not text.endswith("}"):
        text += connection.recv(65536).decode()
    return text


@contextmanager
def hanging_receiver(live: Live) -> Iterator[None]:
    with listening() as listener:
        for _ in range(8):
            send(live, callbackUrl=url_of(listener))
        with listener.accept()[0]:
            yield


@contextmanager
def receiver_that_never_ends_its_answer(live: Live) -> Iterator[None]:
    with listening() as listener:
        send(live, callbackUrl=url_of(listener))
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
            yield


@contextmanager
def receiver_that_never_ends_its_handshake(live: Live) -> Iterator[None]:
    with listening() as listener:
        send(live, callbackUrl=url_of(listener, "https"))
        with listener.accept()[0]:
            yield


@contextmanager
def receiver_that_accepts_no_connection(live: Live) -> Iterator[None]:
    """Its backlog is full, so that connecting takes for ever."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            client = opened.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        send(live, callbackUrl=url_of(listener))
        assert is_healthy(live)
        yield


@contextmanager
def names_that_are_not_resolved(live: Live) -> Iterator[None]:
    for number in range(8):
        send(live, callbackUrl=f"http://{number}.hangs.test/")
    assert live.process.stdout is not None
    assert live.process.stdout.readline() == "looking up\n"
    yield


@contextmanager
def clock_move(live: Live) -> Iterator[None]:
    httpx.post(f"{live.origin}/_sandbox/clock/freeze", headers=HEADERS)
    with listening() as listener:
        send(live, callbackUrl=url_of(listener))
        with (
            asking(live, "/_sandbox/clock/advance", b'{"seconds": 3600}'),
            listener.accept()[0],
        ):
            yield


@contextmanager
def resend(live: Live) -> Iterator[None]:
    with listening() as listener:
        send(live, callbackUrl=url_of(listener))
        with listener.accept()[0] as first:
            first.recv(65536)
            first.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
            attempts: list[dict[str, Any]] = []
            while not attempts:
                url = f"{live.origin}/_sandbox/webhooks/attempts"
                attempts = httpx.get(url, headers=HEADERS).json()["data"]
            path = f"/_sandbox/webhooks/attempts/{attempts[0]['id']}/resend"
            with asking(live, path, b"{}"):
                yield


@contextmanager
def waits(live: Live) -> Iterator[None]:
    with ExitStack() as opened:
        for _ in range(20):
            path = "/_sandbox/messages/wait?contains=never&timeout=60"
            opened.enter_context(asking(live, path))
        yield


@contextmanager
def event_stream(live: Live) -> Iterator[None]:
    with asking(live, "/_sandbox/events") as client:
        assert client.getresponse().read(6) == b"retry:"
        yield


@contextmanager
def delay_by_a_fault(live: Live) -> Iterator[None]:
    body = {"effect": {"delay": 300}}
    url = f"{live.origin}/_sandbox/faults"
    answer = httpx.post(url, json=body, headers=HEADERS)
    assert answer.status_code == 201, answer.text
    with asking(live, "/api/v1/messages"):
        yield


@contextmanager
def reads_nothing(live: Live, path: str) -> Iterator[None]:
    """Send a request whose answer, which is larger than all buffers, is not read."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port_of(live)))
        token = HEADERS["Authorization"]
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n"
        client.sendall(head.encode())
        assert client.recv(4) == b"HTTP"
        yield


def fill(live: Live) -> None:
    """Send what fills all buffers between a sandbox and a client."""
    with httpx.Client(headers=HEADERS, timeout=LIMIT) as http:
        for _ in range(60):
            body = {
                "to": "a@example.com",
                "from": "b@example.com",
                "subject": "Hello",
                "html": "x" * 200_000,
            }
            answer = http.post(f"{live.base_url}/developers/email", json=body)
            assert answer.status_code == 201, answer.text


@contextmanager
def client_that_reads_nothing(live: Live) -> Iterator[None]:
    fill(live)
    with ExitStack() as opened:
        for _ in range(3):
            path = "/_sandbox/messages?limit=1000"
            opened.enter_context(reads_nothing(live, path))
        yield


@contextmanager
def event_stream_that_is_not_read(live: Live) -> Iterator[None]:
    with reads_nothing(live, "/_sandbox/events"):
        fill(live)
        yield


@contextmanager
def idle_connections(live: Live) -> Iterator[None]:
    with ExitStack() as opened:
        for _ in range(20):
            client = opened.enter_context(httpx.Client())
            client.get(f"{live.origin}/_sandbox/health")
        yield


@contextmanager
def half_a_request(live: Live) -> Iterator[None]:
    with connected(live) as half, connected(live) as silent, connected(live) as body:
        half.sendall(b"GET / HTTP/1.1\r\nHost: ")
        head = b"POST /api/v1/messages/sms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t"
        body.sendall(head + b"\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
        assert is_healthy(live)
        assert silent.fileno() > 0
        yield


HANGS: list[Hang] = [
    hanging_receiver,
    receiver_that_never_ends_its_answer,
    receiver_that_never_ends_its_handshake,
    receiver_that_accepts_no_connection,
    names_that_are_not_resolved,
    clock_move,
    resend,
    waits,
    event_stream,
    event_stream_that_is_not_read,
    delay_by_a_fault,
    client_that_reads_nothing,
    idle_connections,
    half_a_request,
]


ASYNCIO = "import sys\nsys.modules['uvloop'] = None\n"
STUCK = """
import threading
from msgine_sandbox.services.lifecycle import Lifecycle
async def close(_):
    threading.Event().wait()
Lifecycle.close = close
"""

SIGNALLED = """
import os, pkgutil, signal, sys
name = "{place}"
owner, _, method = name.rpartition(".")
owner = pkgutil.resolve_name(owner)
real = getattr(owner, method)
def signalled(*args, **kwargs):
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    return real(*args, **kwargs)
setattr(owner, method, signalled)
from msgine_sandbox.cli import main
main()
"""


@contextmanager
def stopping(tmp_path: Path, *flags: str, program: str = PATCHED) -> Iterator[Live]:
    """Serve; after the block, check that the process ends, in good order."""
    errors = tmp_path / "errors"
    with (
        errors.open("w") as stderr,
        serving(*FLAGS, *flags, program=("-c", program), stderr=stderr) as live,
    ):
        yield live
        assert live.process.wait(timeout=SOON) == 0
    assert "Traceback" not in errors.read_text()


@pytest.mark.parametrize("hang", HANGS, ids=lambda hang: hang.__name__)
def test_it_stops_though_something_hangs(hang: Hang, tmp_path: Path) -> None:
    with ExitStack() as hanging, stopping(tmp_path, *AT_ONCE) as live:
        hanging.enter_context(hang(live))
        live.process.terminate()


@pytest.mark.parametrize(
    "hang",
    [names_that_are_not_resolved, event_stream_that_is_not_read, clock_move, half_a_request],
    ids=lambda hang: hang.__name__,
)
def test_it_stops_on_the_event_loop_of_asyncio_too(hang: Hang, tmp_path: Path) -> None:
    with ExitStack() as hanging, stopping(tmp_path, *AT_ONCE, program=ASYNCIO + PATCHED) as live:
        hanging.enter_context(hang(live))
        live.process.terminate()


@pytest.mark.parametrize("hang", ["silent", "half a hello", "idle"])
def test_it_stops_though_a_tls_connection_hangs(hang: str, tmp_path: Path) -> None:
    with ExitStack() as hanging, stopping(tmp_path, "--tls") as live:
        client = hanging.enter_context(connected(live))
        if hang == "half a hello":
            client.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        elif hang == "idle":
            context = ssl._create_unverified_context()
            hanging.enter_context(context.wrap_socket(client.dup()))
        assert is_healthy(live)
        live.process.terminate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_further_signals_neither_kill_it_nor_make_it_fail(
    number: signal.Signals, tmp_path: Path
) -> None:
    program = PATIENT + PATCHED
    with ExitStack() as hanging, stopping(tmp_path, *AT_ONCE, program=program) as live:
        hanging.enter_context(clock_move(live))
        while live.process.poll() is None:
            for _ in range(500):  # faster than a handler written in Python returns
                os.kill(live.process.pid, number)
    assert "did not stop" not in (tmp_path / "errors").read_text()


def test_the_end_of_standard_input_stops_it_though_something_hangs(tmp_path: Path) -> None:
    program = PATIENT + PATCHED
    command = [sys.executable, "-c", program, "serve", "--port", "0", "--stop-with-stdin"]
    errors = tmp_path / "errors"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            [*command, *FLAGS, *AT_ONCE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        live = Live(process, process.stdout.readline().strip())
        with names_that_are_not_resolved(live):
            process.stdin.close()
            assert process.wait(timeout=SOON) == 0
    assert errors.read_text() == ""


@pytest.mark.parametrize(
    ("place", "statuses"),
    [
        ("msgine_sandbox.sandbox.Sandbox._carrier", {-signal.SIGTERM}),
        ("msgine_sandbox.services.lifecycle.Lifecycle.start", {0}),
        ("msgine_sandbox.server.Server._stop_with_stdin", {0}),
        ("msgine_sandbox.services.lifecycle.Lifecycle.close", {0}),
        ("msgine_sandbox.standard_error.StandardErrorStream.close", {0}),
    ],
)
def test_a_signal_is_heard_wherever_it_comes(
    place: str, statuses: set[int], tmp_path: Path
) -> None:
    errors = tmp_path / "errors"
    command = [sys.executable, "-c", PATIENT + SIGNALLED.format(place=place)]
    with errors.open("w") as stderr:
        ended = subprocess.run(
            [*command, "serve", "--port", "0", "--quiet", "--stop-with-stdin"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            timeout=SOON,
            check=False,
        )
    assert ended.returncode in statuses
    assert errors.read_text() == ""


def test_it_is_ended_where_it_cannot_stop_by_itself(tmp_path: Path) -> None:
    with stopping(tmp_path, program=STUCK + PATCHED) as live:
        assert is_healthy(live)
        live.process.terminate()
    assert "did not stop within 1.8 s" in (tmp_path / "errors").read_text()


def test_a_webhook_in_flight_is_sent_again_after_the_next_start(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "sandbox.db"))
    with listening() as listener:
        with stopping(tmp_path, *database, *AT_ONCE) as live:
            message = send(live, callbackUrl=url_of(listener))
            with listener.accept()[0] as first:
                assert message["id"] in received(first)
                live.process.terminate()
                assert live.process.wait(timeout=SOON) == 0
        with stopping(tmp_path, *database) as live:
            with listener.accept()[0] as again:
                assert message["id"] in received(again)
            live.process.terminate()
