"""Invalid flags, variables and files: one sentence and status 2."""

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command import Run, is_refusal, run
from live import serving

from msgine_sandbox.storage.database import Database

NUMBER = "+256701234567"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Files and a port that no sandbox can start with."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "text").write_text("This is no database, it is a text.\n")
    (folder / "broken.json").write_text('{"accounts": [')
    (folder / "wrong.json").write_text('{"accounts": [{"token": "t", "nickname": "shop"}]}')
    (folder / "escapes.json").write_text('{"accounts": [{"token": "t", "\\u001b[31m": 1}]}')
    os.mkfifo(folder / "pipe")
    with closing(sqlite3.connect(folder / "other.db")) as other:
        other.execute("CREATE TABLE messages (text)")
        other.commit()
    with closing(Database(str(folder / "newer.db"))) as newer:
        newer.execute("PRAGMA user_version = 999")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield {"folder": folder, "port": taken.getsockname()[1]}


REFUSED: dict[str, list[tuple[str, str]]] = {
    "words": [
        ("--colour blue", "--colour"),
        ("serve --colour blue", "--colour"),
        ("-x", "-x"),
        ("sing", "'sing'"),
        ("serve twice", "twice"),
        ("--tier gold", "'gold'"),
        ("--delivery pigeon", "'pigeon'"),
        ("--webhook-policy none", "'none'"),
        ("TIER=gold", "Invalid value for 'MSGINE_SANDBOX_TIER': 'gold'"),
        (
            "STRICT_AUTH=maybe",
            "Invalid value for 'MSGINE_SANDBOX_STRICT_AUTH': 'maybe' is not one of 1, true, yes, "
            "on, 0, false, no, off.",
        ),
        ("--no-tier", "--no-tier"),
        ("--no-tls=1", "'--no-tls'"),
        ("ready --colour blue", "--colour"),
    ],
    "ports": [
        ("--port", "'--port' requires an argument"),
        ("--port eighty", "'eighty'"),
        ("--port 1.5", "'1.5'"),
        ("--port -1", "--port must be from 0 to 65535."),
        ("--port 65536", "--port must be from 0 to 65535."),
        (
            "--port {port}",
            "--port {port} cannot be listened on at 127.0.0.1: address already in use.",
        ),
        ("PORT=eighty", "Invalid value for 'MSGINE_SANDBOX_PORT': 'eighty'"),
        ("PORT=65536", "MSGINE_SANDBOX_PORT must be from 0 to 65535."),
        ("PORT=eighty --port 65536", "--port must be from 0 to 65535."),
        ("PORT=1 --port eighty", "Invalid value for '--port': 'eighty'"),
        ("ready PORT=eighty", "Invalid value for 'MSGINE_SANDBOX_PORT': 'eighty'"),
        ("ready PORT=65536", "MSGINE_SANDBOX_PORT must be from 0 to 65535."),
        ("ready TLS=maybe", "Invalid value for 'MSGINE_SANDBOX_TLS': 'maybe' is not one of 1,"),
        (
            "PORT={port}",
            ": MSGINE_SANDBOX_PORT {port} cannot be listened on at 127.0.0.1: address already in",
        ),
        ("PORT=0 --port {port}", ": --port {port} cannot be listened on"),
    ],
    "hosts": [
        ("--host nowhere.invalid", ": --host nowhere.invalid cannot be listened on: "),
        ("--host 127.0.0.1:80", ": --host 127.0.0.1:80 cannot be listened on: "),
        ("--host 192.0.2.1", ": --host 192.0.2.1 cannot be listened on: "),
        (
            "HOST=nowhere.invalid",
            ": MSGINE_SANDBOX_HOST nowhere.invalid cannot be listened on: ",
        ),
    ],
    "hosts that no name server would take": [
        ("--host a..b", ": --host a..b cannot be listened on: "),
        ("--host " + "a" * 64, ": --host aaa"),
    ],
    "retention": [
        ("--keep-messages -1", "--keep-messages must be from 0 to 1000000000."),
        ("--keep-messages 1000000001", "--keep-messages must be from 0 to 1000000000."),
        ("--keep-messages many", "'many'"),
        ("KEEP_MESSAGES=1.5", "'1.5'"),
        ("--keep-megabytes -1", "--keep-megabytes must be from 0 to 1000000."),
        ("--keep-megabytes 0.5", "'0.5'"),
        ("--keep-for -0.1", "--keep-for must be from 0 to 315360000 seconds."),
        ("--keep-for nan", "--keep-for must be from 0 to 315360000 seconds."),
        ("KEEP_FOR=1d", "'1d'"),
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
        ("SENT_AFTER=nan", "MSGINE_SANDBOX_SENT_AFTER must be from 0"),
        ("SENT_AFTER=3", "--delivered-after must be from MSGINE_SANDBOX_SENT_AFTER to"),
        ("ready --wait soon", "'soon'"),
    ],
    "credentials": [
        ("--token=", "--token must be printable ASCII"),
        ("--token=ключ", "--token must be printable ASCII"),
        ("--token=one --token=", "--token must be printable ASCII"),
        ("--control-token=", "--control-token must be printable ASCII"),
        ("TOKEN=ключ", "MSGINE_SANDBOX_TOKEN must be printable ASCII"),
    ],
    "authorities": [
        ("--tls-ca {folder}/ca.pem", "--tls-ca needs --tls."),
        ("TLS_CA={folder}/ca.pem", "MSGINE_SANDBOX_TLS_CA needs --tls."),
        (
            "--tls --tls-ca {folder}/missing/ca.pem",
            ": --tls-ca {folder}/missing/ca.pem cannot be written: no such file",
        ),
        (
            "--tls TLS_CA={folder}/missing/ca.pem",
            ": MSGINE_SANDBOX_TLS_CA {folder}/missing/ca.pem cannot be written: no such file",
        ),
        ("--tls --tls-ca {folder}", ": --tls-ca {folder} cannot be written: "),
        ("--webhook-ca {folder}/missing", "--webhook-ca {folder}/missing cannot be read: no such"),
        ("--webhook-ca {folder}", "--webhook-ca {folder} "),
        ("--webhook-ca {folder}/text", "--webhook-ca {folder}/text has no certificates in PEM"),
        ("--webhook-ca=", "--webhook-ca "),
        ("--webhook-ca {folder}/pipe", "--webhook-ca {folder}/pipe cannot be read: it is not a"),
        ("--webhook-ca /dev/zero", "--webhook-ca /dev/zero cannot be read: it is not a file"),
        ("--tls --tls-ca {folder}/pipe", ": --tls-ca {folder}/pipe cannot be written: "),
        ("--tls --tls-ca /dev/full", ": --tls-ca /dev/full cannot be written: no space left"),
        (
            "WEBHOOK_CA={folder}/missing",
            "MSGINE_SANDBOX_WEBHOOK_CA {folder}/missing cannot be read: no such",
        ),
    ],
    "allowed hosts that can never match": [
        ("--tls --allowed-host a..b", "--allowed-host"),
        ("--allowed-host=", "--allowed-host"),
        ("--account-pages", "--account-pages needs --control-token."),
        ("--root-path sandbox", "--root-path must begin with a slash"),
        ("--root-path /", "--root-path must begin with a slash and not end with one"),
        ("--root-path /sandbox/", "--root-path must begin with a slash and not end with one"),
        ("--root-path=", "--root-path must begin with a slash"),
        ("--root-path //sandbox", "--root-path must"),
        ("--root-path /a/../b", "--root-path must"),
        ("--root-path /sand%20box", "--root-path must"),
        ("--root-path https://tools.example/sandbox", "--root-path must"),
        ("--root-path /api", "--root-path /api is a path of the sandbox itself"),
        ("--root-path /_sandbox/x", "--root-path /_sandbox/x is a path of the sandbox itself"),
        ("ROOT_PATH=/docs", "MSGINE_SANDBOX_ROOT_PATH /docs is a path of the sandbox itself"),
        ("--allowed-host http://sandbox", "--allowed-host"),
        ("--allowed-host sandbox:8256", "--allowed-host"),
    ],
    "databases": [
        ("--database=", "--database needs the path of a file."),
        (
            "--database {folder}/missing/my.db",
            ": --database {folder}/missing/my.db cannot be created: its folder does not exist.",
        ),
        ("--database {folder}", ": --database {folder} is not a file but a folder."),
        ("--database {folder}/pipe", ": --database {folder}/pipe is not a file but a pipe."),
        ("--database /dev/full", ": --database /dev/full is not a file but a device."),
        (
            "--database {folder}/text/my.db",
            ": --database {folder}/text/my.db cannot be created: its folder does not exist.",
        ),
        (
            "DATABASE={folder}/missing/my.db",
            ": MSGINE_SANDBOX_DATABASE {folder}/missing/my.db cannot be created: its folder",
        ),
        ("DATABASE={folder}/newer.db", ": MSGINE_SANDBOX_DATABASE {folder}/newer.db was written"),
        ("DATABASE=here.db --database {folder}", ": --database {folder} is not a file"),
        ("--database {folder}/text", ": --database {folder}/text is not a SQLite database."),
        (
            "--database {folder}/other.db",
            ": --database {folder}/other.db is a database of another program.",
        ),
        ("--database {folder}/newer.db", ": --database {folder}/newer.db was written by a newer"),
        (
            "DATABASE={folder}/text",
            ": MSGINE_SANDBOX_DATABASE {folder}/text is not a SQLite database.",
        ),
    ],
    "what ready cannot ask": [
        ("ready --wait nan", "--wait"),
        ("ready --wait -1", "--wait"),
        ("ready --port 65536", "--port must be from"),
        ("ready --host a..b", ": --host a..b is no host name."),
        ("ready HOST=a..b", ": MSGINE_SANDBOX_HOST a..b is no host name."),
    ],
    "names of two lines": [
        ("--host two\nlines", "two"),
        ("--database {folder}/two\nlines/my.db", "two"),
    ],
    "what a terminal would interpret": [
        ("--tier \x1b[31m", r"'\x1b[31m'"),
        ("--\x1b[31m", r"\x1b[31m"),
        ("--host \x9b31m", r"\x9b31m"),
        ("--database {folder}/\u202e\x07\x7f/my.db", r"\u202e\x07\x7f"),
        ("--database {folder}/\udcff/my.db", r"\udcff"),
        ("TIER=\x1b]0;title\x07", r"'\x1b]0;title\x07'"),
    ],
}
"""Commands, and what the one sentence that they end with says."""

SCENARIOS = [
    ("--scenario {folder}/missing", "--scenario {folder}/missing cannot be read: "),
    ("--scenario {folder}", "--scenario {folder} cannot be read: "),
    ("--scenario {folder}/broken.json", "--scenario {folder}/broken.json is not JSON: "),
    (
        "--scenario {folder}/wrong.json",
        "--scenario {folder}/wrong.json: accounts[0] has no field nickname.",
    ),
    ("SCENARIO={folder}/missing", "MSGINE_SANDBOX_SCENARIO {folder}/missing cannot be read: "),
    ("--scenario {folder}/two\nlines", "two"),
    ("--scenario {folder}/escapes.json", r"accounts[0] has no field \x1b[31m"),
    ("--scenario {folder}/pipe", "--scenario {folder}/pipe is not JSON: "),
    ("--scenario /dev/zero", "--scenario /dev/zero is larger than 16777216 bytes."),
]
"""The same for commands that are refused only when they begin to serve."""


def parts_of(words: str) -> tuple[list[str], dict[str, str]]:
    """Return the arguments and the environment that a command is written with."""
    arguments, environment = [], {"MSGINE_SANDBOX_PORT": "0"}
    for word in words.split(" "):
        name, _, value = word.partition("=")
        if name[:1].isupper() and value:
            environment[f"MSGINE_SANDBOX_{name}"] = value
        else:
            arguments.append(word)
    return arguments, environment


@pytest.mark.parametrize(
    ("words", "sentence"), [case for cases in REFUSED.values() for case in cases]
)
def test_invalid_input_ends_in_one_sentence_and_status_2(
    words: str, sentence: str, files: dict[str, Any], run_here: Run
) -> None:
    arguments, environment = parts_of(words.format(**files))
    result = run_here(*arguments, **environment)
    assert is_refusal(result, sentence.format(**files)), result


@pytest.mark.live
@pytest.mark.parametrize(("words", "sentence"), SCENARIOS)
def test_an_invalid_scenario_ends_in_one_sentence_and_status_2(
    words: str, sentence: str, files: dict[str, Any]
) -> None:
    arguments, environment = parts_of(words.format(**files))
    result = run(*arguments, **environment)
    assert is_refusal(result, sentence.format(**files)), result


@pytest.mark.live
def test_a_database_in_use_ends_in_one_sentence_and_status_2(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    with serving("--database", database) as live:
        result = run("--port", "0", "--database", database)
        assert is_refusal(result, f": --database {database} is in use by another sandbox.")
        result = run(MSGINE_SANDBOX_PORT="0", MSGINE_SANDBOX_DATABASE=database)
        assert is_refusal(result, f": MSGINE_SANDBOX_DATABASE {database} is in use by another")
        assert live.send().status_code == 201
