"""Starting and stopping the command."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from command import LIMIT, PROGRAM, Result, finish, free_port, is_refusal, start
from live import Live, serving

from msgine_sandbox import __version__
from msgine_sandbox.server import base_url
from msgine_sandbox.settings import Settings

NUMBER = "+256701234567"
BEARER = {"Authorization": "Bearer test_process"}
SHORTER_THAN_THE_WAIT = 45  # seconds


@pytest.mark.live
def test_the_first_line_is_the_base_url_and_it_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as live:
        host, _, port = live.base_url.removesuffix("/api/v1").rpartition(":")
        assert host == "http://127.0.0.1"
        assert int(port) not in {0, 8256}
        assert httpx.get(f"{live.origin}/_sandbox/health").json()["version"] == __version__
        assert live.send().status_code == 201
        live.process.terminate()
        assert live.wait() == 0
        assert live.process.stdout is not None
        assert live.process.stdout.read() == ""
    inbox, docs, answers, request = capfd.readouterr().err.splitlines()
    assert (inbox, docs) == (f"Inbox: {live.origin}/", f"Docs:  {live.origin}/docs/")
    assert answers == "Answers: documented"
    assert "/messages/sms" in request


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8256/api/v1"),
        ("localhost", "http://localhost:8256/api/v1"),
        ("0.0.0.0", "http://localhost:8256/api/v1"),
        ("::", "http://localhost:8256/api/v1"),
        ("::1", "http://[::1]:8256/api/v1"),
    ],
)
def test_the_base_url_is_one_that_a_client_on_this_machine_can_use(host: str, url: str) -> None:
    assert base_url(Settings(host=host), 8256) == url
    assert base_url(Settings(host=host, tls=True), 8256) == url.replace("http:", "https:")


@contextmanager
def waiting(live: Live) -> Iterator[http.client.HTTPConnection]:
    """Wait, for 60 s, for a message that never comes."""
    client = http.client.HTTPConnection(live.origin.removeprefix("http://"), timeout=LIMIT)
    client.request("GET", "/_sandbox/messages/wait?contains=never&timeout=60")
    # It was sent first and is read first: once this is answered, the wait has begun.
    assert httpx.get(f"{live.origin}/_sandbox/health").status_code == 200
    with closing(client):
        yield client


@pytest.mark.live
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_before_a_wait_is_over(number: signal.Signals) -> None:
    with serving() as live, httpx.Client() as idle, waiting(live):
        assert idle.get(f"{live.origin}/_sandbox/health").status_code == 200
        live.process.send_signal(number)
        assert live.process.wait(timeout=SHORTER_THAN_THE_WAIT) == 0


@pytest.mark.live
def test_a_wait_is_answered_when_it_ends_and_no_error_is_logged(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving("--quiet") as live, waiting(live) as client:
        live.process.terminate()
        assert live.wait() == 0
        answer = client.getresponse()
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.read()).keys() == {"error", "meta"}
    assert capfd.readouterr().err == ""


@pytest.mark.live
def test_a_request_in_flight_is_finished() -> None:
    body = json.dumps({"to": NUMBER, "message": "Hello"}).encode()
    head = (
        "POST /api/v1/messages/sms HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    with serving() as live:
        port = int(live.origin.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
            client.sendall(head.encode())
            assert client.recv(1024).startswith(b"HTTP/1.1 100 ")
            client.sendall(body[:5])
            live.process.terminate()
            while listens(port):
                pass
            client.sendall(body[5:])
            assert client.recv(1024).startswith(b"HTTP/1.1 201 ")
        assert live.wait() == 0


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.live
def test_of_four_that_start_on_one_port_at_once_one_serves_and_the_others_are_refused() -> None:
    port = str(free_port())
    rivals = [start("--port", port) for _ in range(4)]
    try:
        lines = [rival.stdout.readline() for rival in rivals if rival.stdout is not None]
        assert [line for line in lines if line] == [f"http://127.0.0.1:{port}/api/v1\n"]
        losers = [rival for rival, line in zip(rivals, lines, strict=True) if not line]
        ends = [finish(loser) for loser in losers]
        assert all(is_refusal(end, "address already in use.") for end in ends), ends
    finally:
        for rival in rivals:
            rival.terminate()
            rival.communicate(timeout=LIMIT)


@pytest.mark.live
@pytest.mark.parametrize("end", ["of a pipe", "of an empty file", "closed from the start"])
def test_the_end_of_standard_input_stops_it(end: str) -> None:
    command = [sys.executable, *PROGRAM, "serve", "--port", "0", "--stop-with-stdin"]
    if end == "closed from the start":
        command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    source = subprocess.PIPE if end == "of a pipe" else subprocess.DEVNULL
    with subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base = process.stdout.readline().strip()
        assert base.startswith("http://127.0.0.1:")
        if process.stdin is not None:
            process.stdin.write("what is written to it is ignored\n" * 10_000)
            process.stdin.flush()
            assert httpx.get(f"{base}/messages", headers=BEARER).status_code == 200
            process.stdin.close()
        assert process.wait(LIMIT) == 0


@pytest.mark.live
def test_standard_input_is_ignored_otherwise() -> None:
    with subprocess.Popen(
        [sys.executable, *PROGRAM, "serve", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        base = process.stdout.readline().strip()
        for _ in range(3):
            assert httpx.get(f"{base}/messages", headers=BEARER).status_code == 200
        process.terminate()
        assert process.wait(LIMIT) == 0


@pytest.mark.live
@pytest.mark.parametrize(
    ("output", "words"),
    [
        (">&-", "The base URL cannot be written to standard output: it is closed."),
        (">/dev/full", "The base URL cannot be written to standard output: no space left"),
    ],
)
def test_an_output_that_takes_no_base_url_ends_in_one_sentence_and_status_2(
    output: str, words: str, tmp_path: Path
) -> None:
    database = tmp_path / "sandbox.db"
    status, _, errors = shell(f'"$@" --port 0 --database {database} {output}', "serve")
    assert (status, errors.count("\n")) == (2, 1)
    assert errors.startswith("msgine-sandbox: ")
    assert words in errors
    # It was stopped in good order.
    assert [each.name for each in tmp_path.iterdir()] == ["sandbox.db"]


@pytest.mark.live
def test_an_output_that_nobody_reads_ends_in_one_sentence_and_status_2() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, *PROGRAM, "serve", "--port", "0"]
    process = subprocess.Popen(words, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    status, _, errors = finish(process)
    assert is_refusal((status, "", errors), "standard output: broken pipe")


@pytest.mark.live
@pytest.mark.parametrize("kilobytes", [0, 1, 16])
def test_a_disk_without_room_for_the_database_ends_in_one_sentence_and_status_2(
    tmp_path: Path, kilobytes: int
) -> None:
    database = tmp_path / "sandbox.db"
    limited = f'ulimit -f {kilobytes}; "$@" --port 0 --database {database}'
    assert is_refusal(shell(limited, "serve"), f"{database} cannot be used: ")


@pytest.mark.live
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_an_output_that_takes_no_text_ends_in_one_sentence_and_status_2(flag: str) -> None:
    status, _, errors = shell('"$@" >/dev/full', flag)
    assert (status, errors.count("\n")) == (2, 1)
    assert "No space left on device" in errors


@pytest.mark.live
@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_errors_that_nobody_takes_do_not_change_the_status(stream: str) -> None:
    assert shell(f'"$@" {stream}', "serve", "--tier", "gold") == (2, "", "")


@pytest.mark.live
def test_a_scenario_may_be_a_pipe_that_somebody_writes() -> None:
    words = "is not a JSON object"
    command = 'printf "[]" | "$@" --port 0 --scenario /dev/stdin'
    status, output, errors = shell(command, "serve")
    assert (status, output) == (2, "")
    assert words in errors


def shell(command: str, *arguments: str) -> Result:
    """Run the command, which is `"$@"` to a shell."""
    words = ["bash", "-c", command, "bash", sys.executable, *PROGRAM, *arguments]
    pipe = subprocess.PIPE
    return finish(subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True))
