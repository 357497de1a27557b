"""What surrounds the tests when the sandbox starts: options, variables, files."""

import subprocess
import sys

import pytest

ONE_TEST = """
    import json, urllib.request

    def test_a_text_is_delivered(msgine, msgine_webhooks):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(urllib.request.Request(
            f"{msgine.base_url}/messages/sms",
            json.dumps({"to": "+256701234567", "message": "Hello"}).encode(),
            {"Authorization": f"Bearer {msgine.token}", "Content-Type": "application/json"},
        )).close()
        msgine.clock.advance(seconds=3)
        assert msgine_webhooks.events == ["message.sent", "message.delivered"]
        assert msgine.settings.tier == "starter"
"""


@pytest.mark.parametrize("options", [[], ["-W", "error"], ["--tb=long"], ["-n", "1"]])
def test_without_sockets_one_sentence_says_what_to_do(session, options):
    session.write(test_shop=ONE_TEST)
    status, output = session.run("--disable-socket", *options)
    assert status == 1
    assert "Traceback" not in output
    [_, report] = output.split("ERROR at setup of test_a_text_is_delivered")
    # The rest of the title's line, and where pytest-xdist ran it
    lines = [line for line in report.splitlines()[1:] if not line.startswith("[gw")]
    [sentence, *rest] = lines
    assert "pytest-socket" in sentence
    assert "--allow-hosts=127.0.0.1" in sentence
    assert rest[0].startswith("="), output
    session.check_that_nothing_is_left()


def test_the_advice_for_sockets_helps(session):
    session.write(test_shop=ONE_TEST)
    status, output = session.run("--disable-socket", "--allow-hosts=127.0.0.1")
    assert (status, "1 passed" in output) == (0, True), output


def test_a_test_without_sockets_does_not_spoil_the_next(session):
    session.write(
        test_shop="""
        import pytest

        @pytest.mark.disable_socket
        def test_one(msgine):
            raise AssertionError

        @pytest.mark.allow_hosts(["127.0.0.1"])
        def test_two(msgine):
            assert list(msgine.messages) == []

        @pytest.mark.enable_socket
        def test_three(msgine):
            assert list(msgine.messages) == []
        """
    )
    status, output = session.run()
    assert status == 1
    assert "2 passed" in output
    assert "1 error" in output


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        {"ALL_PROXY": "socks5://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
        {"SSL_CERT_FILE": "/nonexistent/ca.pem"},
        {"SSL_CERT_DIR": "/nonexistent"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONDEVMODE": "1"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONUNBUFFERED": ""},
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONHASHSEED": "0"},
        {"PYTHONDONTWRITEBYTECODE": "1"},
        {"MSGINE_SANDBOX_TIER": "bogus"},
        {"MSGINE_SANDBOX_TIER": "free"},
        {"MSGINE_SANDBOX_PORT": "8256"},
        {"MSGINE_SANDBOX_PORT": "none"},
        {"MSGINE_SANDBOX_HOST": "0.0.0.0", "MSGINE_SANDBOX_TLS": "true"},
        {"MSGINE_SANDBOX_TOKEN": "test_other"},
        {"MSGINE_SANDBOX_CONTROL_TOKEN": "secret"},
        {"MSGINE_SANDBOX_DATABASE": "/nonexistent/sandbox.db"},
        {"MSGINE_SANDBOX_NO_SUCH_SETTING": "1"},
        {"COVERAGE_PROCESS_START": "/nonexistent/coveragerc"},
        {"NO_COLOR": "1"},
        {"FORCE_COLOR": "1", "PY_COLORS": "1"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_variables_of_the_environment_do_not_reach_the_sandbox(session, variables):
    session.write(test_shop=ONE_TEST)
    status, output = session.run(**variables)
    assert (status, "1 passed" in output) == (0, True), output
    session.check_that_nothing_is_left()


def test_modules_of_the_project_do_not_take_the_place_of_those_of_the_sandbox(session):
    names = ("click", "limits", "httpx", "starlette", "uvicorn", "phonenumbers", "main")
    session.write(test_shop=ONE_TEST, conftest="", **dict.fromkeys(names, "raise SystemExit(7)"))
    status, output = session.run("-p", "no:pytest_httpx", "-p", "no:respx", "-p", "no:anyio")
    assert (status, "1 passed" in output) == (0, True), output


@pytest.mark.parametrize("mode", ["none", "once"])
def test_a_whole_session_is_recorded(session, mode):
    session.write(
        test_shop=ONE_TEST,
        conftest=f"""
        import pytest, vcr

        @pytest.fixture(scope="session", autouse=True)
        def a_cassette_before_the_sandbox():
            with vcr.use_cassette(
                "cassette.yaml", record_mode="{mode}",
                before_record_request=lambda sent: None if "/api/v1/" in sent.path else sent,
            ) as cassette:
                yield
                assert len(cassette) == 0
        """,
    )
    status, output = session.run()
    assert (status, "1 passed" in output) == (0, True), output
    assert not (session.folder / "cassette.yaml").exists()


@pytest.mark.parametrize("capture", ["fd", "sys", "no", "tee-sys"])
def test_output_is_captured_in_every_way(session, capture):
    session.write(test_shop=ONE_TEST)
    status, output = session.run(f"--capture={capture}", "-q")
    assert (status, "1 passed" in output) == (0, True), output
    assert "http://127.0.0.1" not in output


# pytest itself needs standard output.
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_standard_streams_are_closed(session, closed):
    session.write(test_shop=ONE_TEST)
    result = subprocess.run(
        [
            "sh",
            "-c",
            f'exec "$0" -m pytest -p no:cacheprovider -p no:faulthandler {closed}',
            sys.executable,
        ],
        cwd=session.folder,
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert result.returncode == 0, result


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_two_workers_have_two_sandboxes(session, mode):
    session.write(
        test_shop="""
        import os, pathlib, pytest

        @pytest.mark.parametrize("_", range(4))
        def test_note(msgine, msgine_server, _):
            worker = os.environ["PYTEST_XDIST_WORKER"]
            pathlib.Path(f"origin-{worker}").write_text(msgine_server.origin)
        """
    )
    status, output = session.run("-n", "2", f"--asyncio-mode={mode}", "--dist=each")
    assert status == 0, output
    origins = {path.read_text() for path in session.folder.glob("origin-*")}
    assert len(origins) == 2
    session.check_that_nothing_is_left(*origins)


def test_a_failed_frozen_test_shows_its_messages(session):
    session.write(
        test_shop="""
        import json, pytest, urllib.request

        @pytest.mark.freeze_time("2026-01-01")
        def test_fails(msgine):
            urllib.request.urlopen(urllib.request.Request(
                f"{msgine.base_url}/messages/sms",
                json.dumps({"to": "+256701234567", "message": "On its way"}).encode(),
                {"Authorization": f"Bearer {msgine.token}", "Content-Type": "application/json"},
            )).close()
            assert len(msgine.messages) == 2
        """
    )
    status, output = session.run()
    assert status == 1
    assert "+256701234567: 'On its way'" in output
    assert "POST /api/v1/messages/sms → 201" in output


def test_the_coverage_of_the_tests_is_measured(session):
    session.write(test_shop=ONE_TEST)
    status, output = session.run("--cov=test_shop", "-W", "error")
    assert (status, "100%" in output) == (0, True), output
    written = {"__pycache__", "pytest.ini", "test_shop.py"}
    assert {path.name for path in session.folder.iterdir()} - written == {".coverage"}
