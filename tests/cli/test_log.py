"""What `serve` says on standard error: a line for each request, webhook attempt and fault."""

import http.client
import os
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, TextIO, cast

import httpx
import pytest
from box import sandbox
from command import LIMIT, PROGRAM
from hypothesis import given
from hypothesis import strategies as st
from live import Live, serving
from project import DOCS
from receiver import Receiver

from msgine_sandbox.request_log import shown_path
from msgine_sandbox.standard_error import StandardErrorStream

pytestmark = pytest.mark.live

TOKEN = "test_unlimited_3c7b"
WELCOME = 3  # lines
ENOUGH = 3_000  # requests, whose lines fill a pipe and all that may wait several times
ESCAPE = "\x1b"
DROPPED = re.compile(r"(\d+) lines? (?:was|were) dropped here, because .*")
BROKEN = """
import sys
from msgine_sandbox.api.messages import MessagesApi
async def broken(*_):
    raise RuntimeError("broken on \\x1b[31m purpose\\n00:00:00.000Z  GET      /forged  200")
MessagesApi.page = broken
sys.argv[0] = "msgine-sandbox"
from msgine_sandbox.cli import main
main()
"""


class Client:
    """Calls a sandbox on one connection, with one token."""

    def __init__(self, live: Live, token: str = TOKEN) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=live.origin, headers=headers, timeout=LIMIT)

    def send(self, to: str = "+256701234567", **fields: Any) -> int:
        body = {"to": to, "message": "Your code is 493817", **fields}
        return self.http.post("/api/v1/messages/sms", json=body).status_code

    def list(self, query: str = "") -> int:
        return self.http.get(f"/api/v1/messages{query}").status_code

    def control(self, path: str, method: str = "POST", **body: Any) -> Any:
        answer = self.http.request(method, f"/_sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()


def list_once(live: Live) -> int:
    """List messages on a connection of its own: after a defect, the server closes it."""
    return httpx.get(f"{live.base_url}/messages", headers={"X-Api-Key": TOKEN}).status_code


@contextmanager
def calling(live: Live, token: str = TOKEN) -> Iterator[Client]:
    client = Client(live, token)
    with client.http:
        yield client


class Logged:
    """The log of a sandbox that has ended, in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def serving(self, *flags: str, **kwargs: Any) -> Iterator[Live]:
        with self.file.open("w") as stderr, serving(*flags, stderr=stderr, **kwargs) as live:
            yield live

    @property
    def text(self) -> str:
        return self.file.read_text()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def columns(self) -> list[list[str]]:
        """The lines after the first three, without their times, by column."""
        lines = [re.split(r" {2,}", line)[1:] for line in self.lines[WELCOME:]]
        return [[each.strip() for each in line] for line in lines]


@pytest.fixture
def log(tmp_path: Path) -> Logged:
    return Logged(tmp_path / "stderr")


# What it says


def test_it_says_where_the_inbox_and_the_docs_are_and_logs_as_the_docs_show(
    log: Logged, receiver: Receiver
) -> None:
    receiver.answers = [200, 500]
    with log.serving(TERM="xterm") as live, calling(live, "test_shop_3c7b") as shop:
        shop.control("/webhooks", "PUT", endpoints=[{"url": receiver.url}])
        shop.control("/clock/freeze")  # before the next attempt
        assert shop.send() == 201
        shop.control("/clock/advance", seconds=2)
        shop.control("/faults", effect={"status": 503}, times=1)
        assert shop.send() == 503
        bare = {"Authorization": "test_shop_3c7b"}
        assert shop.http.get("/api/v1/messages", headers=bare).status_code == 200
        assert httpx.get(f"{live.base_url}/messages").status_code == 401
    [shown] = re.findall(r"```text\n(Inbox: .*?)```", (DOCS / "settings.md").read_text(), re.DOTALL)
    assert form(log.text, {live.origin: "http://127.0.0.1:8256"}) == form(shown, {})
    assert len(shown.splitlines()) == WELCOME + 6


def form(text: str, replaced: dict[str, str]) -> list[str]:
    """Return the lines without what differs from run to run: times, ids, ports, widths."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    text = re.sub(r"^\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text, flags=re.MULTILINE)
    text = re.sub(r"\b(msg|flt)_[0-9a-f]{16}\b", r"\1", text)
    text = re.sub(r"http://\S+:\d+/hooks", "HOOKS", text)
    return [re.sub(" {2,}", "  ", line) for line in text.splitlines()]


def test_it_says_which_form_the_answers_have_and_shows_the_ids_of_that_form(
    log: Logged, receiver: Receiver
) -> None:
    with log.serving("--answers", "observed") as live, calling(live) as client:
        client.control("/clock/freeze")
        client.control("/webhooks", "PUT", endpoints=[{"url": receiver.url}])
        assert client.send() == 200
        client.control("/clock/advance", seconds=1)
        [message] = client.control("/messages", "GET")["data"]
    assert log.lines[WELCOME - 1] == "Answers: observed"
    assert [columns[4].split()[0] for columns in log.columns] == [message["id"]] * 2
    assert message["id"] == receiver.received[0].content["messageId"]


def test_faults_are_named_with_the_request_or_attempt_on_which_they_acted(
    log: Logged, receiver: Receiver
) -> None:
    with log.serving() as live, calling(live) as client:
        client.control(
            "/webhooks", "PUT", endpoints=[{"url": receiver.url, "events": ["message.sent"]}]
        )
        client.control("/clock/freeze")
        late = client.control("/faults", effect={"delay": 0.001, "status": 429}, times=1)["id"]
        assert client.send() == 429
        lost = client.control("/faults", effect={"drop": "before"}, times=1)["id"]
        with pytest.raises(httpx.RemoteProtocolError):
            client.send()
        torn = client.control("/faults", effect={"malformed": True}, times=1)["id"]
        assert client.send() == 201
        after = client.control("/faults", effect={"status": 502, "commit": True}, times=1)["id"]
        assert client.send() == 502
        assert client.send("+256700000006") == 201
        client.control("/clock/advance", seconds=1)
    *requests, once, twice, again = log.columns
    assert [columns[2] for columns in requests] == ["429", "---", "201", "502", "201"]
    assert [columns[-1] for columns in requests[:4]] == [
        f"fault {late} delay 0.001 s status 429",
        f"fault {lost} drop before",
        f"fault {torn} malformed",
        f"fault {after} status 502 commit",
    ]
    assert "fault" not in "".join(requests[4])
    assert once[0] == "webhook"
    assert "fault" not in once[-1]
    assert [each[-2:] for each in (twice, again)] == [
        ["message.sent attempt 1", "fault duplicate"],
        ["message.sent attempt 2", "fault duplicate"],
    ]


def test_an_attempt_without_a_response_says_why_and_what_is_wrong(log: Logged) -> None:
    with log.serving() as live, calling(live) as client:
        client.control("/clock/freeze")
        assert client.send(callbackUrl="http://127.0.0.1:9/hook?key=s3cret#part") == 201
        client.control("/clock/advance", seconds=0.5)
    [_, attempt] = log.columns
    assert attempt[:3] == ["webhook", "http://127.0.0.1:9/hook", "---"]
    assert attempt[3].startswith("ConnectError: ")
    assert "message.sent attempt 1" in attempt
    assert attempt[-1].split(", ")[0] == "webhook-failed"
    assert "s3cret" not in log.text


def test_the_time_is_the_machines_in_utc_whatever_the_accounts_clock_says(log: Logged) -> None:
    began = datetime.now(UTC)
    with log.serving(TZ="Asia/Kolkata") as live, calling(live) as client:
        client.control("/clock/freeze")
        client.control("/clock/advance", seconds=5 * 3600)
        client.list()
    took = datetime.now(UTC) - began
    [line] = log.lines[WELCOME:]
    at = datetime.fromisoformat(f"{began:%Y-%m-%d}T{line.split()[0]}")
    since = (at - began) % timedelta(days=1)
    a_millisecond = timedelta(milliseconds=1)  # to which times are rounded down
    assert (since + a_millisecond) % timedelta(days=1) <= took + a_millisecond


def test_calls_of_the_control_api_and_the_page_are_not_logged(log: Logged) -> None:
    with log.serving() as live, calling(live) as client:
        for path in ("/", "/_sandbox/health", "/_sandbox/requests", "/nothing"):
            client.http.get(path)
        client.list()
    assert [columns[:3] for columns in log.columns] == [["GET", "/api/v1/messages", "200"]]


async def test_an_application_without_our_server_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with sandbox() as box:
        await box.accepted()
    assert capfd.readouterr() == ("", "")


# What it never says


def test_credentials_are_not_shown(log: Logged) -> None:
    bearer, key = "a_bearer_s3cret_3c7b", "a_key_of_s3cret_3c7b"
    with log.serving("--control-token", "s3cret") as live:
        path = f"{live.base_url}/messages"
        httpx.get(path, headers={"Authorization": f"Bearer {bearer}"}, params={"token": bearer})
        httpx.get(
            path, headers={"Authorization": bearer, "Cookie": "s3cret", "X-Control-Token": "s3cret"}
        )
        httpx.post(f"{path}/sms", headers={"X-Api-Key": key}, json={"to": "s3cret", "key": key})
    assert len(log.lines) == WELCOME + 3
    assert log.text.count("…3c7b") == 3
    assert "s3cret" not in log.text


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/api/v1/%1b%5b31mX%0aFAKE", "/api/v1/%1B[31mX%0AFAKE"),
        ("/api/v1/%C2%9b2J%E2%80%AE%C2%85", "/api/v1/%C2%9B2J%E2%80%AE%C2%85"),
        ("/api/v1/%ed%a0%80%ff", None),
        ("/api/v1/a%20%20b%2520c", "/api/v1/a%20%20b%2520c"),
        ("/api/v1/" + "x" * 5000, "/api/v1/" + "x" * 151 + "…"),
    ],
    ids=["escape", "C1, bidirectional, next line", "not UTF-8", "spaces, percent", "long"],
)
def test_nothing_from_the_network_controls_the_terminal(
    log: Logged, target: str, shown: str | None
) -> None:
    with log.serving() as live:
        with closing(http.client.HTTPConnection(live.origin.removeprefix("http://"))) as client:
            token = b"\x9b2J\xc2\x85test\xa0".decode("latin-1")
            client.putrequest("GET", target)
            client.putheader("X-Api-Key", token)
            client.endheaders()
            client.getresponse().read()
        with calling(live) as other:
            other.list()
    assert len(log.lines) == WELCOME + 2
    assert all(line.isprintable() for line in log.lines)
    if shown is not None:
        assert log.columns[0][1] == shown


@given(st.text())
def test_any_path_is_shown_in_printable_ascii(path: str) -> None:
    shown = shown_path(path)
    assert shown.isprintable()
    assert " " not in shown
    assert len(shown) <= 160
    assert shown.removesuffix("…").isascii()


@given(st.lists(st.text()))
def test_any_text_becomes_whole_printable_lines(texts: list[str]) -> None:
    with TemporaryFile("w+", newline="\n", encoding="utf-8") as file:
        with StandardErrorStream(cast(TextIO, file)) as output:
            for text in texts:
                output.write(text)
        file.seek(0)
        lines = file.read().split("\n")
    indented = [re.sub(r"\n(?=[^\n])", "\n    ", text) for text in texts]
    expected = "".join(indented).removesuffix("\n").split("\n")
    assert lines.pop() == ""
    assert len(lines) == (len(expected) if "".join(texts) else 0)
    for line, text in zip(lines, expected, strict=False):
        assert line.isprintable()
        assert line == text or not text.isprintable()


def test_a_text_is_indented_after_its_first_line_so_that_it_has_no_line_of_the_log() -> None:
    with TemporaryFile("w+", newline="\n", encoding="utf-8") as file:
        with StandardErrorStream(cast(TextIO, file)) as output:
            for text in ("one\ntwo\n\nthree", " and four\nfive\n", "six\n"):
                output.write(text)
        file.seek(0)
        assert file.read() == "one\n    two\n\n    three and four\n    five\nsix\n"


# Quiet


def test_quiet_says_nothing(log: Logged) -> None:
    with log.serving("--quiet") as live, calling(live) as client:
        assert client.send() == 201
        assert client.list() == 200
    assert log.text == ""


@pytest.mark.parametrize("flags", [["--quiet"], []], ids=["quiet", "with a log"])
def test_a_defect_of_the_server_is_logged_in_whole_lines(log: Logged, flags: list[str]) -> None:
    with log.serving(*flags, program=("-c", BROKEN)) as live:
        assert [list_once(live) for _ in range(3)] == [500] * 3
    assert log.text.count("Traceback (most recent call last):\n") == 3
    assert log.text.count("\n    RuntimeError: broken on \\x1b[31m purpose\n") == 3
    requests = [line for line in log.lines if re.match(r"\d\d:\d\d:\d\d\.\d{3}Z  ", line)]
    assert len(requests) == (0 if flags else 3)
    assert all("internal_error" in line for line in requests)


# Where standard error takes no text


def test_a_pipe_that_nobody_reads_delays_no_response_and_what_it_lost_is_counted() -> None:
    with serving(stderr=subprocess.PIPE) as live, calling(live) as client:
        assert {client.list() for _ in range(ENOUGH)} == {200}
        assert live.process.stderr is not None
        [*lines, counted] = until_dropped(live.process.stderr)
        client.send()
        assert "POST     /api/v1/messages/sms" in live.process.stderr.readline()
        live.process.terminate()
        assert live.wait() == 0
        assert live.process.stderr.read() == ""
    dropped = DROPPED.fullmatch(counted)
    assert dropped is not None
    assert len(lines) + int(dropped[1]) == WELCOME + ENOUGH
    assert all("  /api/v1/messages  " in line for line in lines[WELCOME:])


def until_dropped(stderr: IO[str]) -> list[str]:
    """Return the lines that can be read up to the one that says how many are not there."""
    lines = []
    for line in stderr:
        lines.append(line.rstrip("\n"))
        if DROPPED.match(line):
            break
    return lines


def test_tracebacks_in_a_pipe_that_nobody_reads_delay_no_response_either() -> None:
    with serving("--quiet", stderr=subprocess.PIPE, program=("-c", BROKEN)) as live:
        assert {list_once(live) for _ in range(200)} == {500}
        assert live.process.stderr is not None
        lines = until_dropped(live.process.stderr)
    assert "    RuntimeError: broken on \\x1b[31m purpose" in lines


def test_a_signal_stops_it_while_nobody_reads() -> None:
    with serving(stderr=subprocess.PIPE) as live, calling(live) as client:
        assert {client.list() for _ in range(ENOUGH)} == {200}
        live.process.terminate()
        assert live.wait() == 0


@pytest.mark.parametrize(
    "script",
    ['exec "$@" 2>&-', 'exec "$@" 2>/dev/full', '{ "$@" 2>&1 >&3 3>&- | :; } 3>&1'],
    ids=["closed", "on a full disk", "a pipe whose reader has ended"],
)
def test_it_serves_where_standard_error_takes_nothing(script: str, tmp_path: Path) -> None:
    database = str(tmp_path / "data.db")
    arguments = [*PROGRAM, "serve", "--port", "0", "--database", database, "--stop-with-stdin"]
    with subprocess.Popen(
        ["sh", "-c", script, "sh", sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        live = Live(process, process.stdout.readline().strip())
        with calling(live) as client:
            assert [client.send() for _ in range(20)] == [201] * 20
            assert client.list() == 200
        process.stdin.close()
        assert process.wait(LIMIT) == 0
        assert process.stdout.read() == ""


# Terminals


@contextmanager
def on_terminal(**environment: str) -> Iterator[tuple[Live, int, int]]:
    """Serve with a terminal as standard error: the sandbox and the terminal's two sides."""
    ours, its = os.openpty()
    try:
        with serving(stderr=its, **{"TERM": "xterm", **environment}) as live:
            yield live, ours, its
    finally:
        os.close(ours)
        os.close(its)


def read_until(terminal: int, end: str) -> str:
    text = b""
    while end.encode() not in text:
        text += os.read(terminal, 65536)
    return text.decode()


def test_a_terminal_shows_colours() -> None:
    with on_terminal(NO_COLOR="") as (live, ours, _), calling(live) as client:
        assert client.http.get("/api/v1/nothing").status_code == 404
        bare = {"Authorization": TOKEN}
        assert client.http.get("/api/v1/messages", headers=bare).status_code == 200
        text = read_until(ours, "bearer-missing\x1b[0m")
    assert f"\x1b[1m{live.origin}/docs/\x1b[0m" in text
    assert "\x1b[33m404\x1b[0m  \x1b[33mnot_found\x1b[0m" in text
    assert "\x1b[32m200\x1b[0m" in text
    assert "\x1b[33mbearer-missing\x1b[0m" in text


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_terminal_without_colours_gets_none(variable: dict[str, str]) -> None:
    with on_terminal(**variable) as (live, ours, _), calling(live) as client:
        client.list()
        assert ESCAPE not in read_until(ours, "/api/v1/messages")


def test_a_terminal_that_is_stopped_delays_no_response_and_shows_the_rest_later() -> None:
    with on_terminal() as (live, ours, its), calling(live) as client:
        read_until(ours, "/docs/")
        termios.tcflow(its, termios.TCOOFF)
        assert {client.list() for _ in range(ENOUGH)} == {200}
        termios.tcflow(its, termios.TCOON)
        text = read_until(ours, "did not take them")
        live.process.terminate()
        assert live.wait() == 0
    dropped = DROPPED.search(text)
    assert dropped is not None
    assert text.count("/api/v1/messages ") + int(dropped[1]) == ENOUGH


def test_a_terminal_that_nobody_reads_delays_no_response_nor_the_end() -> None:
    with on_terminal() as (live, _, _), calling(live) as client:
        assert {client.list() for _ in range(ENOUGH)} == {200}
        live.process.terminate()
        assert live.wait() == 0


def test_the_terminal_stays_blocking_for_other_programs() -> None:
    with on_terminal() as (live, ours, its), calling(live) as client:
        client.list()
        read_until(ours, "/api/v1/messages")
        assert os.get_blocking(its)
