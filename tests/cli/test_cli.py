"""The command: what it prints, how it ends, what it takes and what it refuses."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import Live, run, serving
from matching import assert_refused
from project import FIXTURES

from msgine_sandbox import __version__
from msgine_sandbox.cli import cli
from msgine_sandbox.server import base_url
from msgine_sandbox.settings import Settings, environment_name, flag
from msgine_sandbox.storage.database import Database

NUMBER = "+256701234567"
UNASSIGNED = "+256601234567"
SHOP = FIXTURES / "scenarios" / "shop.json"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def send(live: Live, token: str = "test_cli", to: str = NUMBER, **kwargs: Any) -> httpx.Response:
    return httpx.post(
        f"{live.base_url}/messages/sms",
        json={"to": to, "message": "Hello"},
        headers=bearer(token),
        **kwargs,
    )


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command, and do not wait for its end."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MSGINE_SANDBOX_")}
    return subprocess.Popen(
        [sys.executable, "-m", "msgine_sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean | environment,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# Starting and stopping


@pytest.mark.live
def test_the_first_line_is_the_base_url_and_it_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as live:
        host, _, port = live.base_url.removesuffix("/api/v1").rpartition(":")
        assert host == "http://127.0.0.1"
        assert int(port) not in {0, 8256}
        assert httpx.get(f"{live.origin}/_sandbox/health").json()["version"] == __version__
        assert send(live).status_code == 201
        live.process.terminate()
        assert live.process.wait(timeout=2) == 0
        assert live.process.stdout is not None
        assert live.process.stdout.read() == ""
    assert capfd.readouterr().err == ""


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
    """Somebody waits for a message that never comes."""
    client = http.client.HTTPConnection(live.origin.removeprefix("http://"), timeout=5)
    client.request("GET", "/_sandbox/messages/wait?contains=never&timeout=60")
    # It was sent first and is read first: once this is answered, the wait has begun.
    assert httpx.get(f"{live.origin}/_sandbox/health").status_code == 200
    with closing(client):
        yield client


@pytest.mark.live
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_two_seconds_though_somebody_waits(told: signal.Signals) -> None:
    with serving() as live, httpx.Client() as idle, waiting(live):
        assert idle.get(f"{live.origin}/_sandbox/health").status_code == 200
        live.process.send_signal(told)
        assert live.process.wait(timeout=2) == 0


@pytest.mark.live
def test_who_waits_when_it_ends_is_told_so_and_nothing_is_logged(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving() as live, waiting(live) as client:
        live.process.terminate()
        assert live.process.wait(timeout=2) == 0
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
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(head.encode())
            assert client.recv(1024).startswith(b"HTTP/1.1 100 ")
            client.sendall(body[:5])
            live.process.terminate()
            while listens(port):
                pass
            client.sendall(body[5:])
            assert client.recv(1024).startswith(b"HTTP/1.1 201 ")
        assert live.process.wait(timeout=2) == 0


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.live
def test_of_those_that_start_on_one_port_at_once_one_serves_and_the_others_say_so() -> None:
    port = str(free_port())
    rivals = [command("--port", port) for _ in range(4)]
    try:
        lines = [rival.stdout.readline() for rival in rivals if rival.stdout is not None]
        assert [line for line in lines if line] == [f"http://127.0.0.1:{port}/api/v1\n"]
        losers = [rival for rival, line in zip(rivals, lines, strict=True) if not line]
        ends = [end_of(loser) for loser in losers]
        assert all(one_sentence(end, "address already in use.") for end in ends), ends
    finally:
        for rival in rivals:
            rival.terminate()
            rival.communicate(timeout=5)


# Whether it is ready


@pytest.mark.live
def test_ready_waits_until_it_answers_and_ends_with_0() -> None:
    port = str(free_port())
    patient = command("ready", "--wait", "20", "--port", port)
    with serving("--port", port):
        assert end_of(patient) == (0, "", "")
        assert run("ready", MSGINE_SANDBOX_PORT=port).returncode == 0
        assert run("ready", "--port", port, MSGINE_SANDBOX_HOST="0.0.0.0").returncode == 0


@pytest.mark.live
@pytest.mark.parametrize("wait", [[], ["--wait", "0.1"]])
def test_ready_ends_with_1_where_nothing_answers(wait: list[str]) -> None:
    port = str(free_port())
    done = run("ready", "--port", port, *wait)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"No sandbox answers on 127.0.0.1:{port}.\n"


# What it says of itself


@pytest.mark.live
def test_it_tells_its_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"msgine-sandbox, version {__version__}\n"


@pytest.mark.live
@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]], ids=" ".join)
def test_its_help_lists_every_setting(words: list[str]) -> None:
    done = run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    words = set(done.stdout.split())
    assert [flag(each) for each in fields(Settings) if flag(each) not in words] == []
    told = " ".join(done.stdout.split())
    assert [each.name for each in fields(Settings) if each.metadata["help"] not in told] == []


@pytest.mark.live
def test_its_help_names_the_other_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "ready" in done.stdout
    assert "--wait" in run("ready", "--help").stdout


# Settings by flag and by environment

GIVEN = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("1234", 1234),
    "database": ("here.db", "here.db"),
    "token": ("one", ("one",)),
    "tier": ("professional", "professional"),
    "delivery": ("manual", "manual"),
    "sent_after": ("1.5", 1.5),
    "delivered_after": ("30", 30.0),
    "strict_auth": (None, True),
    "strict_numbers": (None, True),
    "strict_idempotency": (None, True),
    "allowed_host": ("sandbox", ("sandbox",)),
    "control_token": ("secret", "secret"),
    "webhook_policy": ("any", "any"),
    "webhook_timeout": ("3", 3.0),
    "scenario": ("shop.json", "shop.json"),
    "tls": (None, True),
    "tls_ca": ("ca.pem", "ca.pem"),
}
"""For each setting another value than its default: as it is written, and as it is read."""


def read(*arguments: str) -> Settings:
    return Settings(**cli.commands["serve"].make_context("serve", list(arguments)).params)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for each in fields(Settings):
        monkeypatch.delenv(environment_name(each), raising=False)
    return monkeypatch


def test_without_flags_settings_are_their_defaults(environment: pytest.MonkeyPatch) -> None:
    assert read() == Settings()


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_each_setting_has_a_flag_and_an_environment_name(
    setting: "Field[Any]", environment: pytest.MonkeyPatch
) -> None:
    text, value = GIVEN[setting.name]
    needed = {"tls": True} if setting.name == "tls_ca" else {}
    expected = Settings(**needed, **{setting.name: value})
    assert expected != Settings(**needed)
    assert flag(setting) == "--" + setting.name.replace("_", "-")
    assert environment_name(setting) == "MSGINE_SANDBOX_" + setting.name.upper()
    flags = ["--tls"] if needed else []
    assert read(*flags, flag(setting), *([] if text is None else [text])) == expected
    environment.setenv(environment_name(setting), text or "1")
    assert read(*flags) == expected


@pytest.mark.parametrize("text", ["1", "true", "yes", "on", "0", "false", "no", "off"])
def test_a_switch_in_the_environment_is_on_or_off(
    text: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("MSGINE_SANDBOX_STRICT_AUTH", text)
    assert read().strict_auth is (text in {"1", "true", "yes", "on"})


def test_what_may_come_several_times_is_separated_by_spaces_in_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    assert read("--token", "one", "--token", "two").token == ("one", "two")
    environment.setenv("MSGINE_SANDBOX_TOKEN", "three four")
    assert read().token == ("three", "four")
    assert read("--token", "one").token == ("one",)


@pytest.mark.live
def test_the_environment_is_heard_and_flags_override_it() -> None:
    environment = {
        "MSGINE_SANDBOX_PORT": "1",
        "MSGINE_SANDBOX_TIER": "free",
        "MSGINE_SANDBOX_TOKEN": "test_one test_two",
        "MSGINE_SANDBOX_STRICT_AUTH": "1",
        "MSGINE_SANDBOX_DELIVERY": "auto",
    }
    with serving("--delivery", "manual", **environment) as live:
        sent = send(live, "test_two")
        assert (sent.status_code, sent.headers["x-ratelimit-limit"]) == (201, "60")
        assert_refused(send(live, "test_three"), 401, "unauthorized")
        travelled = httpx.post(
            f"{live.origin}/_sandbox/clock/advance",
            json={"seconds": 60},
            headers=bearer("test_two"),
        )
        assert travelled.json()["performed"] == 0


# What flags do


@pytest.fixture(scope="module")
def strict() -> Iterator[Live]:
    """A sandbox with nearly every flag."""
    with serving(
        *["--token", "test_a", "--token", "test_b", "--token", "test_c", "--tier", "free"],
        *["--strict-auth", "--strict-numbers", "--sent-after", "10", "--delivered-after", "20"],
        *["--scenario", str(SHOP), "--token", "test_shop", "--token", "test_clinic"],
        *["--control-token", "key", "--allowed-host", "sandbox"],
    ) as live:
        yield live


@pytest.mark.live
def test_only_the_tokens_that_were_given_are_accepted(strict: Live) -> None:
    assert send(strict, "test_a").status_code == 201
    for token in ("test_d", "test_", "TEST_A"):
        error = assert_refused(send(strict, token), 401, "unauthorized")
        assert error["message"] == "Invalid API token"


@pytest.mark.live
def test_a_tier_is_that_of_new_accounts(strict: Live) -> None:
    assert send(strict, "test_a").headers["x-ratelimit-limit"] == "60"


@pytest.mark.live
def test_strict_auth_refuses_a_bare_token(strict: Live) -> None:
    for header, status in [
        ({"Authorization": "test_b"}, 401),
        ({"Authorization": "Bearer test_b"}, 200),
        ({"X-Api-Key": "test_b"}, 200),
    ]:
        assert httpx.get(f"{strict.base_url}/messages", headers=header).status_code == status


@pytest.mark.live
def test_strict_numbers_refuses_what_nobody_has(strict: Live) -> None:
    assert_refused(send(strict, "test_b", UNASSIGNED), 400, "invalid_phone_number")
    assert send(strict, "test_b").status_code == 201


@pytest.mark.live
def test_messages_take_as_long_as_they_are_told_to(strict: Live) -> None:
    headers = bearer("test_c") | {"X-Control-Token": "key"}
    with httpx.Client(base_url=f"{strict.origin}/_sandbox", headers=headers) as control:
        assert control.post("/clock/freeze").status_code == 200
        message = send(strict, "test_c").json()
        statuses = []
        for seconds in (9.999, 0.001, 9.999, 0.001):
            assert control.post("/clock/advance", json={"seconds": seconds}).status_code == 200
            statuses.append(control.get(f"/messages/{message['id']}").json()["status"])
        assert statuses == ["pending", "sent", "sent", "delivered"]


@pytest.mark.live
def test_a_scenario_is_there_from_the_first_answer_on(strict: Live) -> None:
    answer = httpx.get(f"{strict.base_url}/messages", headers=bearer("test_shop"))
    assert answer.json()["pagination"]["total"] == 5
    assert answer.headers["x-ratelimit-limit"] == "500"


@pytest.mark.live
def test_a_control_token_and_an_allowed_host_are_heard(strict: Live) -> None:
    for path, headers, status in [
        ("/_sandbox/messages", {}, 401),
        ("/_sandbox/messages", {"X-Control-Token": "key"}, 200),
        ("/_sandbox/health", {"Host": "sandbox:8256"}, 200),
        ("/_sandbox/health", {"Host": "elsewhere"}, 421),
    ]:
        assert httpx.get(strict.origin + path, headers=headers).status_code == status


# HTTPS


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, str]]:
    """A sandbox that serves HTTPS, and the file with its authority."""
    authority = str(tmp_path_factory.mktemp("tls") / "ca.pem")
    with serving("--tls", "--tls-ca", authority, "--allowed-host", "sandbox.test") as live:
        yield live, authority


@pytest.mark.live
def test_with_its_authority_https_is_trusted(secured: tuple[Live, str]) -> None:
    live, authority = secured
    assert live.base_url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=authority)
    assert send(live, verify=context).status_code == 201
    port = live.origin.rpartition(":")[2]
    with httpx.Client(verify=context) as client:
        assert client.get(f"https://localhost:{port}/_sandbox/health").status_code == 200
        answer = client.get(
            f"{live.origin}/_sandbox/health",
            headers={"Host": "sandbox.test"},
            extensions={"sni_hostname": "sandbox.test"},
        )
        assert answer.status_code == 200


@pytest.mark.live
def test_without_its_authority_https_is_not_trusted(secured: tuple[Live, str]) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        send(secured[0])


@pytest.mark.live
def test_a_name_that_it_does_not_serve_is_not_trusted(secured: tuple[Live, str]) -> None:
    live, authority = secured
    context = ssl.create_default_context(cafile=authority)
    extensions = {"sni_hostname": "elsewhere.test"}
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.Client(verify=context).get(f"{live.origin}/_sandbox/health", extensions=extensions)


@pytest.mark.live
def test_ready_asks_over_https_when_it_is_told_to(secured: tuple[Live, str]) -> None:
    port = secured[0].origin.rpartition(":")[2]
    assert run("ready", "--port", port, MSGINE_SANDBOX_TLS="1").returncode == 0
    assert run("ready", "--port", port).returncode == 1


# Bad input


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Files and a port that nothing can be started with."""
    folder = tmp_path_factory.mktemp("scene")
    (folder / "text").write_text("This is no database, it is a text.\n")
    (folder / "broken.json").write_text('{"accounts": [')
    (folder / "wrong.json").write_text('{"accounts": [{"token": "t", "name": "shop"}]}')
    with closing(sqlite3.connect(folder / "other.db")) as other:
        other.execute("CREATE TABLE messages (text)")
        other.commit()
    with closing(Database(str(folder / "newer.db"))) as newer:
        newer.execute("PRAGMA user_version = 999")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield {"folder": folder, "port": taken.getsockname()[1]}


BAD: dict[str, list[tuple[str, str]]] = {
    "words": [
        ("--colour blue", "'--colour'"),
        ("serve --colour blue", "'--colour'"),
        ("-x", "'-x'"),
        ("sing", "'sing'"),
        ("serve twice", "twice"),
        ("--tier gold", "'gold'"),
        ("--delivery pigeon", "'pigeon'"),
        ("--webhook-policy none", "'none'"),
        ("TIER=gold", "'gold'"),
        ("STRICT_AUTH=maybe", "'maybe'"),
        ("ready --colour blue", "'--colour'"),
    ],
    "ports": [
        ("--port", "'--port' requires an argument"),
        ("--port eighty", "'eighty'"),
        ("--port 1.5", "'1.5'"),
        ("--port -1", "--port must be from 0 to 65535."),
        ("--port 65536", "--port must be from 0 to 65535."),
        ("--port {port}", "Cannot listen on 127.0.0.1:{port}: address already in use."),
        ("PORT=eighty", "'eighty'"),
        ("PORT=65536", "--port must be from 0 to 65535."),
        ("PORT={port}", "Cannot listen on 127.0.0.1:{port}: address already in use."),
    ],
    "hosts": [
        ("--host nowhere.invalid", "Cannot listen on nowhere.invalid:0: "),
        ("--host 127.0.0.1:80", "Cannot listen on 127.0.0.1:80:0: "),
        ("--host 192.0.2.1", "Cannot listen on 192.0.2.1:0: "),
        ("HOST=nowhere.invalid", "Cannot listen on nowhere.invalid:0: "),
    ],
    "hosts that no name server would take": [
        ("--host a..b", "Cannot listen on a..b:0: "),
        ("--host " + "a" * 64, "Cannot listen on "),
    ],
    "times": [
        ("--sent-after 3", "--delivered-after must be from --sent-after"),
        ("--sent-after 3 --delivered-after 2.999", "--delivered-after must be from --sent-after"),
        ("--sent-after -0.001", "--sent-after must be from 0"),
        ("--sent-after nan", "--sent-after must be from 0"),
        ("--sent-after inf --delivered-after inf", "--sent-after must be from 0"),
        ("--delivered-after nan", "--delivered-after must be"),
        ("--delivered-after inf", "--delivered-after must be"),
        ("--delivered-after soon", "'soon'"),
        ("--webhook-timeout 0", "--webhook-timeout must be above 0"),
        ("--webhook-timeout nan", "--webhook-timeout must be above 0"),
        ("SENT_AFTER=nan", "--sent-after must be from 0"),
        ("ready --wait soon", "'soon'"),
    ],
    "credentials": [
        ("--token=", "--token must be printable ASCII"),
        ("--token=ключ", "--token must be printable ASCII"),
        ("--token=one --token=", "--token must be printable ASCII"),
        ("--control-token=", "--control-token must be printable ASCII"),
        ("TOKEN=ключ", "--token must be printable ASCII"),
    ],
    "authorities": [
        ("--tls-ca {folder}/ca.pem", "--tls-ca needs --tls."),
        ("TLS_CA={folder}/ca.pem", "--tls-ca needs --tls."),
        ("--tls --tls-ca {folder}/missing/ca.pem", "Cannot write {folder}/missing/ca.pem: "),
        ("--tls --tls-ca {folder}", "Cannot write {folder}: "),
    ],
    "allowed hosts that can never match": [
        ("--tls --allowed-host a..b", "--allowed-host"),
        ("--allowed-host=", "--allowed-host"),
        ("--allowed-host http://sandbox", "--allowed-host"),
        ("--allowed-host sandbox:8256", "--allowed-host"),
    ],
    "databases": [
        ("--database=", "--database needs the path of a file."),
        (
            "--database {folder}/missing/my.db",
            "The folder of {folder}/missing/my.db does not exist",
        ),
        ("--database {folder}", "{folder} cannot be opened: "),
        ("--database {folder}/text", "{folder}/text is not a SQLite database."),
        ("--database {folder}/other.db", "{folder}/other.db is a database of another program."),
        ("--database {folder}/newer.db", "{folder}/newer.db was written by a newer"),
        ("DATABASE={folder}/text", "{folder}/text is not a SQLite database."),
    ],
    "scenarios": [
        ("--scenario {folder}/missing", "--scenario {folder}/missing cannot be read: "),
        ("--scenario {folder}", "--scenario {folder} cannot be read: "),
        ("--scenario {folder}/broken.json", "--scenario {folder}/broken.json is not JSON: "),
        ("--scenario {folder}/wrong.json", "--scenario {folder}/wrong.json: accounts[0]: "),
        ("SCENARIO={folder}/missing", "--scenario {folder}/missing cannot be read: "),
    ],
    "what ready cannot ask": [
        ("ready --wait nan", "--wait"),
        ("ready --wait -1", "--wait"),
        ("ready --port 65536", "--port must be from"),
        ("ready --host a..b", "a..b"),
    ],
    "names of two lines": [
        ("--host two\nlines", "two"),
        ("--database {folder}/two\nlines/my.db", "two"),
        ("--scenario {folder}/two\nlines", "two"),
    ],
}
"""Commands, and what the one sentence that they end with says."""


@pytest.mark.live
@pytest.mark.parametrize("kind", BAD)
def test_bad_input_ends_in_one_sentence_and_status_2(kind: str, scene: dict[str, Any]) -> None:
    commands = [(words.format(**scene), told.format(**scene)) for words, told in BAD[kind]]
    started = [start(words) for words, _ in commands]
    ends = [end_of(process) for process in started]
    wrong = {
        words: end
        for (words, told), end in zip(commands, ends, strict=True)
        if not one_sentence(end, told)
    }
    assert wrong == {}


def start(words: str) -> subprocess.Popen[str]:
    """Start a command whose words may include settings of the environment."""
    listed = words.split(" ")
    given = [word.partition("=") for word in listed if word[0].isupper()]
    environment = {f"MSGINE_SANDBOX_{name}": value for name, _, value in given}
    free = {"MSGINE_SANDBOX_PORT": "0"}
    return command(*[word for word in listed if not word[0].isupper()], **free | environment)


def end_of(process: subprocess.Popen[str]) -> tuple[int | None, str, str]:
    """Give status, output and errors; no status where a command goes on and on."""
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, "", "goes on"
    output, errors = process.communicate()
    return process.returncode, output, errors


def one_sentence(end: tuple[int | None, str, str], told: str) -> bool:
    status, output, errors = end
    return (
        (status, output, len(errors.splitlines())) == (2, "", 1)
        and errors.startswith("msgine-sandbox: ")
        and told in errors
    )


@pytest.mark.live
def test_a_database_in_use_ends_in_one_sentence_and_status_2(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    with serving("--database", database) as live:
        end = end_of(command("--port", "0", "--database", database))
        assert one_sentence(end, f"{database} is in use by another sandbox.")
        assert send(live).status_code == 201
