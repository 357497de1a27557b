"""The commands that talk to a running sandbox, as a developer runs them beside an application."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import LIMIT, Run, finish, free_port, is_refusal, start
from live import Live, serving
from needs import require
from project import DOCS

NUMBER = "+256701234567"
UNLIMITED = "test_unlimited"  # because a diff would wait for the rate limit
PAGE = DOCS / "commands.md"


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with serving("--quiet", "--delivery", "manual") as live:
        yield live


@pytest.fixture(scope="module")
def other() -> Iterator[Live]:
    """One whose statuses change by themselves."""
    with serving("--quiet") as other:
        yield other


@pytest.fixture
def companion(run_here: Run, live: Live, request: pytest.FixtureRequest) -> Run:
    """Run a command on an account of this test's own."""
    account = f"{UNLIMITED}_{abs(hash(request.node.name))}"

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        named = {"MSGINE_SANDBOX_URL": live.origin, "MSGINE_SANDBOX_TOKEN": account}
        return run_here(*arguments, **{**named, **environment})

    return run


# send and wait


@pytest.mark.parametrize(
    ("channel", "to", "extra"),
    [
        ("sms", NUMBER, []),
        ("email", "ann@example.com", ["--title", "Login"]),
        ("push", "user:7", ["--title", "Login"]),
        ("push", "topic:news", ["--title", "Login"]),
    ],
)
def test_what_is_sent_can_be_waited_for(
    companion: Run, channel: str, to: str, extra: list[str]
) -> None:
    status, sent, errors = companion(
        "send", to, "Your code is 493817", "--channel", channel, *extra
    )
    assert (status, errors) == (0, "")
    assert re.fullmatch(r"msg_[0-9a-f]{16}\n", sent)
    wanted = ["wait", "--to", to, "--channel", channel, "--contains", "code"]
    assert companion(*wanted) == (0, "Your code is 493817\n", "")
    assert companion(*wanted, "--code") == (0, "493817\n", "")


def test_wait_says_what_came_when_nothing_fits(companion: Run) -> None:
    companion("send", NUMBER, "Hello")
    status, output, errors = companion("wait", "--to", "+256701234568", "--timeout", "0")
    assert (status, output) == (1, "")
    assert "No message with to='+256701234568' arrived" in errors
    assert "'Hello'" in errors


def test_a_wait_for_a_code_is_for_messages_that_have_one(companion: Run) -> None:
    companion("send", NUMBER, "Welcome to Shop")
    status, output, errors = companion("wait", "--code", "--timeout", "0")
    assert (status, output) == (1, "")
    assert "'Welcome to Shop'" in errors
    companion("send", NUMBER, "Your code is 049381")
    companion("send", NUMBER, "Thanks, bye")
    assert companion("wait", "--code") == (0, "049381\n", "")
    assert companion("wait") == (0, "Thanks, bye\n", "")


def test_a_refused_send_ends_with_1_and_the_reason(companion: Run) -> None:
    status, output, errors = companion("send", "0701234567", "Hello")
    assert (status, output) == (1, "")
    assert errors.startswith("400 invalid_phone_number: ")
    assert "(to: " in errors


def test_without_a_token_all_accounts_are_meant(companion: Run, run_here: Run, live: Live) -> None:
    companion("send", NUMBER, "a text of one account only")
    found = run_here("wait", "--url", live.base_url, "--contains", "of one account only")
    assert found == (0, "a text of one account only\n", "")


# advance


@pytest.mark.parametrize(
    ("how_far", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("0.5h", 1800), ("1d2h3m4s", 93_784)],
)
def test_the_clock_moves_by_a_duration(
    companion: Run, live: Live, how_far: str, seconds: int
) -> None:
    token = f"test_moves_{how_far}"
    headers = {"Authorization": f"Bearer {token}"}
    clock = f"{live.origin}/_sandbox/clock"
    httpx.post(f"{clock}/freeze", headers=headers)
    before = httpx.get(clock, headers=headers).json()
    status, output, errors = companion("advance", how_far, "--token", token)
    after = httpx.get(clock, headers=headers).json()
    assert (status, errors) == (0, "")
    assert after["aheadSeconds"] > before["aheadSeconds"]
    assert output == f"{after['now']}  0 steps performed\nnothing more is due\n"
    elapsed = subtract(after["now"], before["now"])
    assert elapsed == seconds


def subtract(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_the_clock_moves_to_a_time(companion: Run) -> None:
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    status, output, errors = companion("advance", tomorrow.isoformat())
    assert (status, errors) == (0, "")
    assert datetime.fromisoformat(output.split()[0]) >= tomorrow
    assert output.splitlines()[0].endswith("  0 steps performed")
    status, output, errors = companion("advance", (tomorrow - timedelta(hours=1)).isoformat())
    assert (status, output) == (2, "")
    assert errors.startswith("msgine-sandbox: 400 invalid_request: ")


def test_the_clock_moves_to_what_is_next_and_until_nothing_is(run_here: Run, other: Live) -> None:
    named = {"MSGINE_SANDBOX_URL": other.origin, "MSGINE_SANDBOX_TOKEN": "test_next"}
    headers = {"Authorization": "Bearer test_next"}
    httpx.post(f"{other.origin}/_sandbox/clock/freeze", headers=headers).raise_for_status()
    sent = other.send("test_next").json()
    status, output, errors = run_here("advance", "next", **named)
    assert (status, errors) == (0, "")
    performed, due = output.splitlines()
    assert performed.endswith("  1 step performed")
    assert re.fullmatch(rf"next: [0-9T:.Z-]+  status  {sent['id']}  delivered", due)
    status, output, errors = run_here("advance", "idle", **named)
    assert (status, errors) == (0, "")
    assert output.splitlines()[1] == "nothing more is due"


@pytest.mark.parametrize("how_far", ["", "1", "h", "1w", "-1h", "1h 30m", "soon", "1.h"])
def test_what_is_no_duration_is_refused(companion: Run, how_far: str) -> None:
    assert is_refusal(companion("advance", "--", how_far), "no duration such as 90s")


# tail


@pytest.mark.live
def test_tail_prints_a_line_for_each_event_of_the_account(live: Live) -> None:
    tail = start("tail", "--url", live.origin, "--token", "test_tail")
    assert tail.stdout is not None
    assert tail.stderr is not None
    try:
        assert tail.stderr.readline() == f"Connected to {live.origin}\n"
        live.send("test_other")
        live.send("test_tail")
        live.send("test_tail", to="0701234567")
        message, accepted, refused = (tail.stdout.readline() for _ in range(3))
    finally:
        tail.kill()
        tail.communicate()
    assert re.search(r"message  msg_\w+  sms pending   to \+256701234567: 'Hello'", message)
    assert re.search(r"request  POST /api/v1/messages/sms  201  msg_\w+  ", accepted)
    assert "400  invalid_phone_number: The phone number must be in E.164 format (to)" in refused


@pytest.mark.live
def test_tail_leaves_out_what_was_not_asked_for(live: Live) -> None:
    flags = ["--kind", "request", "--kind", "status", "--contains", "+256701234569"]
    tail = start("tail", "--url", live.origin, *flags)
    assert tail.stdout is not None
    assert tail.stderr is not None
    try:
        tail.stderr.readline()
        live.send("test_tail_kinds")
        live.send("test_tail_kinds", to="+256701234569")
        line = tail.stdout.readline()
    finally:
        tail.kill()
        tail.communicate()
    assert "  request  POST /api/v1/messages/sms  201  " in line


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.live
def test_ctrl_c_is_the_ordinary_end_of_tail(live: Live) -> None:
    tail = start("tail", "--url", live.origin)
    assert tail.stderr is not None
    tail.stderr.readline()
    tail.send_signal(signal.SIGINT)
    assert finish(tail) == (0, "", "")


@contextmanager
def feeding(kind: str, *events: dict[str, Any]) -> Iterator[tuple[str, list[str | None]]]:
    """A feed that ends after each event, and then for good; yield its address and what was asked.

    Of each connection that is the event after which it should go on.
    """
    asked: list[str | None] = []

    class Stream(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Last-Event-ID"])
            number = len(asked)
            if number > len(events):
                self.send_error(503)
                return
            self.send_response(200)
            self.end_headers()
            data = f"id: {number}\nevent: {kind}\ndata: {json.dumps(events[number - 1])}\n\n"
            self.wfile.write(f"retry: 1000\n\n: nothing new\n\n{data}".encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stream) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_tail_goes_on_after_the_last_event_when_its_connection_ends(run_here: Run) -> None:
    events = [
        {"requestId": "req_1", "warnings": [{"code": code, "message": "m"}]}
        for code in ("c1", "c2")
    ]
    with feeding("warning", *events) as (url, asked):
        status, output, errors = run_here("tail", "--url", url)
    assert asked == [None, "1", "2"]
    assert [line.split()[1:] for line in output.splitlines()] == [
        ["req_1", "c1:", "m"],
        ["req_1", "c2:", "m"],
    ]
    assert (status, len(errors.splitlines())) == (2, 2)


def test_tail_names_no_recipient_of_a_message_that_is_deleted(run_here: Run) -> None:
    event = {"messageId": "msg_1", "status": "sent", "reason": None, "account": "test_tail"}
    with feeding("status", event | {"to": NUMBER}, event | {"to": None}) as (url, _):
        _, output, _ = run_here("tail", "--url", url)
    assert [line.split()[1:] for line in output.splitlines()] == [
        ["msg_1", "sent", "to", NUMBER, "test_tail"],
        ["msg_1", "sent", "test_tail"],
    ]


# diff


def test_two_sandboxes_do_not_differ(companion: Run, other: Live) -> None:
    status, output, errors = companion("diff", other.base_url, "--send-to", NUMBER)
    assert (status, errors) == (0, ""), output
    *lines, last = output.splitlines()
    assert all(line.startswith("same ") for line in lines)
    assert last == f"0 of {len(lines)} answers differ"


def test_a_sandbox_does_not_differ_from_itself(companion: Run, other: Live) -> None:
    arguments = ["--url", other.origin, "--token", f"{UNLIMITED}_itself", "--send-to", NUMBER]
    assert companion("diff", other.base_url, *arguments)[0] == 0


def test_a_diff_does_not_send_to_what_is_no_number(companion: Run, other: Live) -> None:
    found = companion("diff", other.base_url, "--send-to", "0701234567")
    assert is_refusal(found, "is no number such as +256701234567")


def test_a_diff_sends_nothing_unless_a_number_is_named(companion: Run, other: Live) -> None:
    headers = {"Authorization": f"Bearer {UNLIMITED}_diff"}

    def total() -> int:
        listed = httpx.get(f"{other.origin}/_sandbox/messages", headers=headers)
        return int(listed.json()["total"])

    companion("diff", other.base_url, "--token", f"{UNLIMITED}_diff")
    assert total() == 0
    companion("diff", other.base_url, "--token", f"{UNLIMITED}_diff", "--send-to", NUMBER)
    assert total() == 1  # the second send had the same key


def test_a_diff_shows_what_another_service_answers_otherwise(
    companion: Run, live: Live, other: Live
) -> None:
    fault = {"match": {"method": "GET", "path": "/api/v1/message"}, "effect": {"status": 503}}
    headers = {"Authorization": f"Bearer {UNLIMITED}_faulty"}
    httpx.post(f"{live.origin}/_sandbox/faults", json=fault, headers=headers).raise_for_status()
    status, output, errors = companion("diff", other.base_url, "--token", f"{UNLIMITED}_faulty")
    assert (status, errors) == (1, "")
    shown = output[output.index("an unknown path") :].splitlines()
    assert shown[1].strip() == "status 404, in the sandbox 503"
    assert any("body.error.code is 'not_found'" in line for line in shown[:6])
    assert output.splitlines()[-1].startswith("1 of ")


def test_what_is_no_url_or_does_not_answer_is_named(companion: Run) -> None:
    assert "'example' is not an http or https URL" in companion("diff", "example")[2]
    nothing = f"http://127.0.0.1:{free_port()}"
    assert f"No answer from {nothing}" in companion("diff", nothing)[2]


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "86400"])
def test_a_diff_waits_for_another_services_rate_limit_at_most_a_minute(
    companion: Run, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    class Limited(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(429)
            self.send_header("Retry-After", asked)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Limited) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        status, output, errors = companion("diff", url)
        server.shutdown()
    assert (status, output.splitlines()[-1]) == (1, "17 of 17 answers differ")
    assert set(pauses) == {60}
    assert set(errors.splitlines()) == {f"Waiting 60 s for the rate limit of {url}."}


@pytest.mark.parametrize("url", ["http://localhost:99999", "http://localhost:port", "http://[::1"])
def test_a_diff_with_what_is_no_url_says_so(companion: Run, url: str) -> None:
    assert is_refusal(companion("diff", url), f"{url!r} is not an http or https URL")


# errors


@pytest.mark.parametrize("command", [["tail"], ["wait"], ["send", NUMBER, "x"], ["advance", "1h"]])
def test_a_sandbox_that_does_not_answer_is_named(run_here: Run, command: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert is_refusal(run_here(*command, "--url", url), f"No sandbox answers at {url}")


def test_several_tokens_of_a_server_do_not_name_an_account(companion: Run) -> None:
    assert is_refusal(companion("wait", MSGINE_SANDBOX_TOKEN="one two"), "name one with --token")


def test_without_the_extra_a_sentence_says_how_to_install_it(
    run_here: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [each for each in sys.modules if each.partition(".")[0] == "mcp"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "msgine_sandbox.cli.mcp_server", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert is_refusal(run_here("mcp"), "mcp needs: pip install 'msgine-sandbox[mcp]'")


# the page


@pytest.mark.live
def test_the_commands_of_the_page_run_and_print_what_it_shows(tmp_path: Path) -> None:
    require("bash")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    with serving("--quiet") as live:
        environment = {"PATH": path, "HOME": str(tmp_path), "MSGINE_SANDBOX_URL": live.origin}
        # So that the statuses do not change before the clock is advanced.
        freeze = {"Authorization": "Bearer test_cli"}
        httpx.post(f"{live.origin}/_sandbox/clock/freeze", headers=freeze)
        for (language, script), (kind, shown) in pairwise([*blocks, ("", "")]):
            if language != "console" or script.startswith(
                ("msgine-sandbox tail", "msgine-sandbox diff")
            ):
                continue  # tail does not end, and diff would ask MsGine; both have tests above
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                env=environment,
                capture_output=True,
                text=True,
                timeout=LIMIT,
            )
            assert (ended.returncode, ended.stderr) == (0, "")
            if kind == "text":
                assert masked(ended.stdout) == masked(shown)


def masked(text: str) -> str:
    """Replace ids and times, which differ each time."""
    return re.sub(r"msg_[0-9a-f]{16}|[0-9-]{10}T[0-9:.]+Z", "<>", text)


@pytest.mark.parametrize(("shell", "word"), [("bash", "1"), ("zsh", "1"), ("fish", "ad")])
def test_commands_can_be_completed(run_here: Run, shell: str, word: str) -> None:
    script = run_here(_MSGINE_SANDBOX_COMPLETE=f"{shell}_source")[1]
    assert f"_MSGINE_SANDBOX_COMPLETE={shell}_complete" in script
    completed = run_here(
        _MSGINE_SANDBOX_COMPLETE=f"{shell}_complete",
        COMP_WORDS="msgine-sandbox ad",
        COMP_CWORD=word,
    )
    assert "advance" in completed[1]


def test_the_help_shows_examples_and_variables(run_here: Run) -> None:
    overview = run_here("--help")[1]
    assert "msgine-sandbox wait --to +256772123456 --code" in overview
    assert "MSGINE_SANDBOX_PORT" in overview
    for command in ["tail", "wait", "send", "advance", "diff", "mcp"]:
        assert "MSGINE_SANDBOX_URL" in run_here(command, "--help")[1]
