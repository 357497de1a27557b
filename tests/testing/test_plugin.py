"""The pytest plugin, seen from a project that uses it; each session is a process of its own."""

import re
import socket
from collections.abc import Callable

import pytest
from command import LIMIT
from live import serving
from session import OPTIONS

Run = Callable[..., pytest.RunResult]

SEND = """
import httpx

def send(account, to="+256701234567", text="Your code is 493817", **fields):
    body = {"to": to, "message": text, **fields}
    headers = {"Authorization": f"Bearer {account.token}"}
    return httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers)
"""

SENDS = """
from sending import send

def test_sends(msgine):
    send(msgine)
    assert msgine.wait_for_message().code == "493817"
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run a test module, under the strictest warnings."""
    pytester.makepyfile(sending=SEND)

    def run(module: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(module)
        return pytester.runpytest_subprocess(*OPTIONS, *options, timeout=LIMIT)

    return run


ALONE = """
import pytest
from sending import send

@pytest.mark.parametrize("turn", range(12))
def test_a_test_is_alone(msgine, turn):
    assert list(msgine.messages) == []
    assert list(msgine.faults) == []
    assert not msgine.clock.is_frozen
    msgine.clock.advance(days=turn)
    msgine.clock.freeze()
    send(msgine, text=f"turn {turn}")
    msgine.faults.fail(status=500)
    assert [each.text for each in msgine.messages] == [f"turn {turn}"]
    assert send(msgine).status_code == 500
"""


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "two processes"])
def test_tests_do_not_see_each_other(run: Run, options: list[str]) -> None:
    run(ALONE, *options).assert_outcomes(passed=12)


def test_tests_do_not_see_each_other_on_one_running_sandbox(run: Run) -> None:
    with serving() as live:
        run(ALONE, "-n", "2", "--msgine-url", live.base_url).assert_outcomes(passed=12)


def test_a_test_has_its_server_and_other_accounts(run: Run) -> None:
    ended = run(
        """
        from sending import send

        def test_others(msgine, msgine_server):
            assert msgine.base_url == msgine_server.base_url == msgine_server.origin + "/api/v1"
            reader = msgine_server.account("test_readonly_me")
            assert send(reader).status_code == 403
            assert send(msgine.another()).status_code == 201
            assert len(msgine.messages) == 0
        """
    )
    ended.assert_outcomes(passed=1)


def test_settings_are_overridden_by_a_fixture(run: Run) -> None:
    ended = run(
        """
        import pytest

        @pytest.fixture(scope="session")
        def msgine_settings():
            return {"tier": "free", "strict_auth": True, "answers": "observed"}

        def test_settings(msgine):
            assert msgine.settings.tier == "free"
            assert msgine.settings.answers == "observed"
        """
    )
    ended.assert_outcomes(passed=1)


HOOKS = """
from urllib.parse import urlsplit
from sending import send

def test_webhooks(msgine, msgine_webhooks):
    send(msgine)
    msgine.clock.advance(seconds=2)
    assert msgine_webhooks.events == ["message.sent", "message.delivered"]
    assert all(each.verified for each in msgine_webhooks.received)
    assert urlsplit(msgine_webhooks.url).hostname == {host!r}
"""


def test_webhooks_are_received(run: Run) -> None:
    run(HOOKS.format(host="127.0.0.1")).assert_outcomes(passed=1)


def test_webhooks_of_a_remote_sandbox_use_the_given_host_name(run: Run) -> None:
    with serving() as live:
        options = ("--msgine-url", live.origin, "--msgine-webhook-host", "localhost")
        run(HOOKS.format(host="localhost"), *options).assert_outcomes(passed=1)


def test_pending_messages_of_a_test_are_deleted_after_it(run: Run) -> None:
    ended = run(
        """
        import pytest
        from sending import send

        @pytest.fixture(scope="module")
        def left(): return []

        def test_leaves_messages_on_their_way(msgine, left):
            send(msgine, callbackUrl="http://127.0.0.1:9/hook")
            left.append(msgine.token)

        def test_finds_none(msgine_server, left):
            assert len(msgine_server.account(left[0]).messages) == 0
        """
    )
    ended.assert_outcomes(passed=2)


def test_no_thread_and_no_socket_is_left_behind(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import os, threading
        import pytest

        def pytest_sessionstart(session):
            session.before = fds()

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            left = [each.name for each in threading.enumerate() if "msgine" in each.name]
            print("LEFT", left, fds() - session.before)

        def fds():
            links = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
            return {os.readlink(each) for each in links if os.path.islink(each)
                    and ("socket:" in os.readlink(each) or "anon" in os.readlink(each))}
        """
    )
    ended = run(HOOKS.format(host="127.0.0.1") + SENDS, "-s")
    ended.assert_outcomes(passed=2)
    ended.stdout.fnmatch_lines(["*LEFT [[][]] set()*"])
    ended.stdout.no_fnmatch_line("*Warning*")


def test_a_thread_of_a_test_may_use_its_account(run: Run) -> None:
    ended = run(
        """
        from concurrent.futures import ThreadPoolExecutor
        from sending import send

        def test_threads(msgine):
            msgine.change(tier="unlimited")
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda at: send(msgine, text=f"No. {at}"), range(20)))
            assert len(msgine.messages) == 20
        """
    )
    ended.assert_outcomes(passed=1)


# Errors


def assert_one_line(ended: pytest.RunResult, words: str) -> None:
    ended.assert_outcomes(errors=1)
    ended.stdout.no_fnmatch_line("*Traceback*")
    ended.stdout.no_fnmatch_line("*plugin.py*")
    lines = [
        line for line in ended.outlines if line.startswith("The MsGine sandbox cannot be used")
    ]
    assert len(lines) == 1, ended.outlines
    assert words in lines[0]


def with_settings(settings: object, module: str = SENDS) -> str:
    """Return a module whose sandbox has these settings."""
    fixture = f"@pytest.fixture(scope='session')\ndef msgine_settings(): return {settings!r}\n"
    return f"import pytest\n{fixture}{module}"


def assert_unusable(ended: pytest.RunResult, reason: str) -> None:
    """Assert that settings ended a session with one sentence, before its first test."""
    sentence = f"The fixture msgine_settings cannot be used: {reason}"
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.assert_outcomes()
    assert ended.stdout.str().count("The fixture msgine_settings") == 1
    assert sentence in ended.stdout.str()
    for word in ("*Traceback*", "*plugin.py*", "*Error*"):
        ended.stdout.no_fnmatch_line(word)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"prot": 1}, "There is no setting prot; did you mean port?"),
        ({"strict-auth": True}, "There is no setting strict-auth; did you mean strict_auth?"),
        ({1: 2}, "There is no setting 1."),
        ({"port": "8256"}, "port must be a whole number, not of type str."),
        ({"token": None}, "token must be a text or a list of texts, not of type NoneType."),
        ({"allowed_host": "http://shop"}, "allowed_host must be a host name, without scheme"),
        ({"sent_after": 3}, "delivered_after must be from sent_after to 86400 seconds."),
        ({"scenario": "none.json"}, "scenario none.json cannot be read: No such file"),
        (
            {"database": "/nonexistent/x"},
            "database /nonexistent/x cannot be created: its folder does not exist.",
        ),
        (None, "it must return a dict, not NoneType."),
        ([("port", 0)], "it must return a dict, not list."),
    ],
    ids=str,
)
def test_settings_that_cannot_be_used_are_a_usage_error_of_one_sentence(
    pytester: pytest.Pytester, settings: object, reason: str
) -> None:
    pytester.makepyfile(with_settings(settings, "def test_one(msgine): pass\n" * 2))
    # In this process, which takes a tenth of the time.
    assert_unusable(pytester.runpytest_inprocess(*OPTIONS), reason)


def test_a_port_that_is_taken_is_a_usage_error(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(with_settings({"port": port}))
    assert_unusable(
        ended, f"port {port} cannot be listened on at 127.0.0.1: address already in use."
    )


def test_settings_that_cannot_be_used_are_one_line_for_each_test_of_a_worker(run: Run) -> None:
    ended = run(with_settings({"port": "8256"}), "-n", "2")
    ended.assert_outcomes(errors=1)
    ended.stdout.no_fnmatch_line("*Traceback*")
    reason = "port must be a whole number, not of type str."
    ended.stdout.fnmatch_lines([f"The fixture msgine_settings cannot be used: {reason}"])


def test_with_tokens_each_test_has_the_account_of_the_first_as_if_it_were_new(run: Run) -> None:
    ended = run(
        with_settings({"token": ["a-token", "another-token"], "allowed_host": "msgine"})
        + """
import httpx
from msgine_sandbox.testing import SandboxError

@pytest.mark.parametrize("turn", range(2))
def test_is_alone(msgine, msgine_webhooks, turn):
    assert msgine.token == "a-token"
    assert (len(msgine.messages), len(msgine.requests), len(msgine.faults)) == (0, 0, 0)
    assert send(msgine).status_code == 201
    msgine.clock.advance(hours=1)
    assert len(msgine_webhooks.received) == 2
    msgine.faults.fail(status=503)
    msgine.change(tier="free")

def test_tells_others_to_name_a_token(msgine, msgine_server):
    for account in (msgine.another, msgine_server.account):
        with pytest.raises(SandboxError, match="name one of them"):
            account()
    assert msgine.another("another-token").token == "another-token"

def test_is_allowed_by_the_name_of_its_host(msgine):
    headers = {"Host": "msgine", "X-Api-Key": msgine.token}
    assert httpx.get(f"{msgine.base_url}/messages", headers=headers).status_code == 200
"""
    )
    ended.assert_outcomes(passed=5)


def test_a_sandbox_that_does_not_answer_gives_one_clear_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    assert_one_line(run(SENDS, "--msgine-url", url), f"No sandbox answers at {url}")


def test_a_running_sandbox_is_used_without_any_of_the_packages_of_a_server(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        """
        import importlib.metadata, re, sys

        class Missing:
            requirements = importlib.metadata.requires("msgine-sandbox")
            needed = {re.match("[a-z0-9]+", each)[0] for each in requirements
                      if "extra ==" not in each}
            assert {"msgspec", "starlette", "uvicorn"} <= needed

            def find_spec(self, name, *_):
                # The tests send by httpx, which needs h11.
                if name.partition(".")[0] in self.needed - {"httpx", "h11"}:
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing())
        """
    )
    with serving() as live:
        module = HOOKS.format(host="127.0.0.1") + SENDS + ALONE
        options = ("--msgine-url", live.base_url, "--msgine-coverage", "-p", "no:anyio")
        run(module, *options).assert_outcomes(passed=14)


def test_an_invalid_option_is_refused(run: Run) -> None:
    ended = run(SENDS, "--msgine-coverage-fail-under", "most")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    ended.stderr.fnmatch_lines(["ERROR: --msgine-coverage-fail-under takes 0 to 100, not most"])


def test_a_failed_test_shows_its_messages_and_requests(run: Run) -> None:
    ended = run(
        """
        from sending import send

        def test_fails(msgine):
            msgine.clock.freeze()  # the message stays pending, however slow the machine is
            send(msgine, text="Welcome\\n" + "x" * 500)
            send(msgine, "0701234567", colour="red")
            with msgine.faults.fail(status=503):
                send(msgine, text="Your code is 493817")
            msgine.change(per_minute=3)
            send(msgine, text="One more than the limit")
            print("token", msgine.token)
            assert msgine.messages[0].code

        def test_passes(msgine):
            send(msgine)

        def test_many(msgine):
            msgine.change(tier="unlimited")
            for at in range(30):
                send(msgine, text=f"No. {at}")
            assert 0
        """,
        "-s",
    )
    ended.assert_outcomes(failed=2, passed=1)
    output = ended.stdout.str()
    token = re.findall(r"token (test_\w+)", output)[0]
    report = output.partition("test_many")[0].replace(f"token {token}", "")
    assert re.search(rf"-+ MsGine messages of account {token} -+\n", report)
    assert re.search(r"pending +to \+256701234567: 'Welcome\\nxxx", report)
    assert re.search(r"POST /api/v1/messages/sms → 201 \{", report)
    assert re.search(
        r"POST /api/v1/messages/sms → 400 \{.*\n    response: .*invalid_phone_number", report
    )
    assert "decisions: auth accepted, window admitted, fault " in report
    assert "    The account's clock is frozen, so waiting in real time does not help" in report
    assert "warning: unknown-field: " in report
    sections = report.partition("MsGine messages")[2]
    assert max(map(len, sections.splitlines())) < 200
    assert "… 15 earlier ones" in output
    assert "No. 3'" not in output


def test_a_report_says_so_when_the_sandbox_is_gone(run: Run) -> None:
    with serving() as live:
        ended = run(
            f"""
            import os, signal

            def test_fails(msgine):
                assert len(msgine.messages) == 0
                os.kill({live.process.pid}, signal.SIGKILL)
                assert 0
            """,
            "--msgine-url",
            live.base_url,
        )
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["*MsGine messages*", "unknown: No sandbox answers at *"])


# Coverage


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "two processes"])
@pytest.mark.parametrize("where", ["its own", "a running one"])
def test_coverage_lists_met_and_unmet_behaviours(run: Run, where: str, options: list[str]) -> None:
    module = """
    from sending import send

    def test_sends(msgine):
        send(msgine)

    def test_is_refused(msgine):
        send(msgine, "0701234567")
        msgine.reset()

    def test_another_reads(msgine):
        send(msgine.another("test_readonly_1"))
    """
    if where == "its own":
        ended = run(module, "--msgine-coverage", *options)
    else:
        with serving() as live:
            ended = run(module, "--msgine-coverage", "--msgine-url", live.base_url, *options)
    ended.assert_outcomes(passed=3)
    ended.stdout.fnmatch_lines(
        [
            "*= MsGine coverage =*",
            "* % of the documented behaviours met: 3 of *",
            "met:",
            "  400 invalid_phone_number",
            "  403 forbidden",
            "  message accepted",
            "never met:",
            "  idempotent replay",
            "  message.failed webhook",
        ]
    )


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one process", "two processes"])
def test_coverage_below_the_minimum_fails_the_session(run: Run, options: list[str]) -> None:
    ended = run(SENDS, "--msgine-coverage-fail-under", "50", *options)
    ended.assert_outcomes(passed=1)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(["FAIL: * % is less than --msgine-coverage-fail-under 50"])
    ended = run(SENDS, "--msgine-coverage-fail-under", "1", *options)
    assert ended.ret == 0
    ended.stdout.no_fnmatch_line("FAIL:*")


GATE = ("--msgine-coverage-fail-under", "100")
UNRELATED = """
def test_is_unrelated(): pass
"""
SKIPPED = """
import pytest

@pytest.mark.skip
def test_is_skipped(msgine): pass
"""
FAILS = """
def test_fails(): assert 0
"""
INTERRUPTS = """
def test_interrupts(msgine): raise KeyboardInterrupt
"""
OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
INTERRUPTED = pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    ("module", "options", "status"),
    [
        (SENDS, ["--collect-only"], OK),
        (SENDS, ["--collect-only", "-n", "2"], OK),
        (SENDS, ["--setup-only"], OK),
        (SENDS + SKIPPED + UNRELATED, ["-k", "unrelated or skipped"], OK),
        (SENDS + SKIPPED + UNRELATED, ["-k", "unrelated or skipped", "-n", "2"], OK),
        (FAILS + SENDS, [], FAILED),
        (SENDS + FAILS + SENDS, ["-x", "-n", "1"], INTERRUPTED),
        (SENDS + INTERRUPTS, [], INTERRUPTED),
    ],
)
def test_coverage_of_what_is_not_a_whole_session_fails_nothing(
    run: Run, module: str, options: list[str], status: int
) -> None:
    ended = run(module, *GATE, *options)
    assert ended.ret == status
    ended.stdout.no_fnmatch_line("FAIL:*")
    # `--collect-only` and `--setup-only` print no report of tests that did not run.
    assert ("MsGine coverage" in ended.stdout.str()) == ("only" not in "".join(options))


def test_one_test_that_uses_the_sandbox_is_enough_to_be_judged(run: Run) -> None:
    module = UNRELATED + SENDS + "\ndef test_meets_no_behaviour(msgine): pass\n"
    ended = run(module, *GATE, "-k", "unrelated or meets")
    ended.assert_outcomes(passed=2, deselected=1)
    assert ended.ret == FAILED
    ended.stdout.fnmatch_lines(["FAIL: 0.00 % is less than --msgine-coverage-fail-under 100"])


def test_coverage_that_cannot_be_read_fails_the_session(run: Run) -> None:
    with serving() as live:
        ended = run(
            f"""
            import os, signal

            def test_passes(msgine):
                os.kill({live.process.pid}, signal.SIGKILL)
            """,
            *GATE,
            "--msgine-url",
            live.base_url,
        )
    ended.assert_outcomes(passed=1)
    assert ended.ret == FAILED
    ended.stdout.fnmatch_lines(["The coverage could not be read: No sandbox answers*", "FAIL: *"])


def test_options_can_be_set_in_an_ini_file(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmsgine_coverage = true\nmsgine_coverage_fail_under = 99")
    ended = run(SENDS)
    assert ended.ret == 1
    ended.stdout.fnmatch_lines(["*MsGine coverage*", "FAIL: *"])


def test_coverage_of_nothing_says_so(run: Run) -> None:
    ended = run("def test_nothing(): pass", "--msgine-coverage")
    assert ended.ret == 0
    ended.stdout.fnmatch_lines(["*MsGine coverage*", "No test used the sandbox."])


def test_without_the_option_there_is_no_word_of_coverage(run: Run) -> None:
    run(SENDS).stdout.no_fnmatch_line("*MsGine*")


# What is imported


def test_the_client_is_imported_before_the_first_test(run: Run) -> None:
    # Which may replace parts of the standard library; settings and their words use few of them.
    ended = run(
        """
        import sys

        before = set()

        def test_first():
            before.update(sys.modules)

        def test_second(msgine, msgine_webhooks):
            assert list(msgine.messages) == msgine_webhooks.received == []
            ours = {"msgine_sandbox.settings", "msgine_sandbox.model.choices"}
            assert sys.modules.keys() - before <= ours
        """
    )
    ended.assert_outcomes(passed=2)


# Sessions that do not use it


def test_a_session_that_does_not_use_it_loads_nothing_heavy(run: Run) -> None:
    ended = run(
        """
        import sys

        def test_nothing():
            heavy = {"httpx", "uvicorn", "starlette", "msgspec", "sqlite3", "asyncio", "ssl"}
            assert not heavy & sys.modules.keys()
            ours = [each for each in sys.modules if each.startswith("msgine_sandbox")]
            assert "msgine_sandbox.testing.plugin" in ours
            assert len(ours) <= 12
        """,
        "-p",
        "no:anyio",
        "-p",
        "no:xdist",
        "-p",
        "no:timeout",
        "-p",
        "no:debugging",  # pdb, which imports asyncio since Python 3.14
    )
    ended.assert_outcomes(passed=1)


def test_the_fixtures_are_listed(run: Run) -> None:
    ended = run(SENDS, "--fixtures")
    for name in ("msgine", "msgine_server", "msgine_webhooks", "msgine_settings"):
        ended.stdout.re_match_lines([rf"{name}\b.*"])


def test_a_report_has_nothing_that_a_terminal_interprets(run: Run) -> None:
    ended = run(
        """
        import httpx
        import pytest
        from sending import send

        HOSTILE = "\\x1b[31m\\x9b2J\\x7f\\u202e\\u2028FAKE"

        @pytest.mark.parametrize("where", ["report", "error", "wait", "receiver"])
        def test_fails(msgine, msgine_webhooks, where):
            headers = {"Authorization": f"Bearer {msgine.token}"}
            base = msgine.base_url
            httpx.get(f"{base}/messages/%1b%5b31mX%0aFAKE%e2%80%ae", headers=headers)
            httpx.get(f"{base}/messages?page=%1b&{chr(0x202e)}=1", headers=headers)
            send(msgine, text=HOSTILE, **{HOSTILE: 1})
            send(msgine, to=HOSTILE)
            body = {"title": HOSTILE, "body": HOSTILE, "topic": HOSTILE}
            httpx.post(f"{base}/developers/push", json=body, headers=headers)
            event = {"event": HOSTILE, "data": {"to": HOSTILE}}
            httpx.post(msgine_webhooks.url, json=event)
            if where == "error":
                msgine.change(sender_id=HOSTILE)
            if where == "wait":
                msgine.wait_for_message(to="+256700000000", timeout=0)
            if where == "receiver":
                msgine_webhooks.wait_for(event="message.failed", timeout=0.1)
            pytest.fail("as it should", pytrace=False)
        """,
        "--tb=line",
    )
    ended.assert_outcomes(failed=4)
    output = ended.stdout.str()
    assert r"GET /api/v1/messages/\x1b[31mX\nFAKE\u202e" in output
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", output)
    assert not re.search("^(FAKE|\\[31m)", output, re.MULTILINE)
