"""The docs hold: their examples run, their links lead somewhere, their tables leave nothing out."""

import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from command import LIMIT
from live import serving
from needs import require
from project import DOCS, ROOT
from receiver import receiving
from session import run_session
from settings_table import documented_tables, expected_table

from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.services.accounts import MAGIC_TOKENS, REVOKED
from msgine_sandbox.services.magic import OUTCOMES, REQUEST_FAULTS

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
CONTROL = DOCS / "control.md"

NOT_RUN = {
    "docker": "needs Docker",
    "make": "sets up an environment of its own",
    "npm": "is run by `make typescript`",
    "npx": "is run by `make typescript`",
    "pip": "changes the environment",
    "msgine-sandbox": "starts a server, or asks for one on the default port",
    "pytest": "runs the reader's tests",
    "kubectl": "needs a cluster",
    "sudo": "changes the machine",
    "keytool": "needs a JDK",
    "eval": "changes the shell, and is run by test_companion.py",
    "export": "is run by test_examples.py, where api.msgine.net is a sandbox",
    "go": "is run by test_languages.py",
    "java": "is run by test_languages.py",
    "phpunit": "is run by test_languages.py",
    "python3": "is run by test_languages.py",
    "ruby": "is run by test_languages.py",
}
"""Why a `console` block is no `sh` block: by the word that one of its lines begins with."""

SHOWN = {
    "go": "is run by test_languages.py",
    "java": "is run by test_languages.py",
    "javascript": "is run by test_examples.py, and by test_webhooks.py in tests/ui",
    "json": "is the answer to the block before it",
    "nginx": "is run by test_root_path.py in tests/ui, and by test_proxy.py in tests/deploy",
    "php": "is run by test_languages.py",
    "ruby": "is run by test_languages.py",
    "text": "is output",
    "toml": "is a part of a file",
    "typescript": "is run by `make typescript`",
    "yaml": "is a file for Compose, or a part of one; those of ci.md are read by tests/deploy",
}
"""Why a block of another language is not run."""

SANDBOX, RECEIVER = "localhost:8256", "localhost:3000"
LISTENS = "answers 200 on port 3000"
"""A page that needs a receiver says so; for the others nothing listens there."""
MORE = "…"  # in an answer that is shown: any value, and any members or elements besides
MEASURED = frozenset({"aheadSeconds", "durationMs"})
VOLATILE = [
    (re.compile(r"\b([a-z]+_)[0-9a-f]{16}\b"), r"\1<id>"),
    (re.compile(r"\bSM[0-9a-f]{16}\b"), "<sid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"), r"<time\1>"),
    (re.compile(r"\.\d{6}>"), ".micros>"),
    (re.compile(r"^\d+\.\d+\.\d+$"), "<version>"),
]
CURLRC = 'silent\nshow-error\nfail-with-body\nwrite-out = "\\n"\n'

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TEST = re.compile(r"^ *def test_", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    content = read(page)
    return [
        Block(match[1], match[2], content.count("\n", 0, match.start()) + 2)
        for match in _FENCE.finditer(content)
    ]


def examples(page: Path) -> Iterator[tuple[Block, Any]]:
    """Every block that can be run, with the answer that the page shows right after it, if any."""
    for block, after in pairwise([*blocks(page), Block("", "", 0)]):
        if block.language == "sh":
            yield block, json.loads(after.text) if after.language == "json" else MORE


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@pytest.mark.live
@pytest.mark.parametrize("page", [page for page in PAGES if any(examples(page))], ids=name_of)
def test_the_examples_of_a_page_run_as_they_stand(page: Path, tmp_path: Path) -> None:
    require("bash", "curl")
    (tmp_path / ".curlrc").write_text(CURLRC)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    found: list[str] = []
    with serving() as live, port_3000(page) as receiver:
        places = {SANDBOX: urlsplit(live.origin).netloc, RECEIVER: receiver}
        for block, shown in examples(page):
            where = f"{name_of(page)}:{block.line}"
            ended = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", _at(places, block.text)],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=LIMIT,
            )
            assert ended.returncode == 0, f"{where}: {ended.stderr}{ended.stdout}"
            here = {place: name for name, place in places.items()}
            answer = json.loads(_at(here, ended.stdout).strip().splitlines()[-1])
            found += [f"{where}: {each}" for each in differences(shown, answer)]
    assert not found, "\n".join(found)


@contextmanager
def port_3000(page: Path) -> Iterator[str]:
    """Return the host and port that stand for localhost:3000, as the page's reader has it."""
    if LISTENS in " ".join(read(page).split()):
        with receiving() as receiver:
            yield urlsplit(receiver.url).netloc
    else:
        with socket.socket() as taken:  # it does not listen, and no other process can
            taken.bind(("127.0.0.1", 0))
            yield f"localhost:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("shown", "real", "is_same"),
    [
        ({"total": 2}, {"total": 4}, False),
        ({"cost": 0.05}, {"cost": 0.15}, False),
        ({"cost": 0.05}, {"cost": 0.05, "currency": "USD"}, False),
        ({"cost": 0.05, MORE: MORE}, {"cost": 0.05, "currency": "USD"}, True),
        ({"cost": 0.05, MORE: MORE}, {"currency": "USD"}, False),
        ({"durationMs": 8.2}, {"durationMs": 0.7}, True),
        ({"durationMs": 8.2}, {"durationMs": None}, False),
        ([1], [1, 2], False),
        ([1, MORE], [1, 2], True),
        ([1, MORE], [1], True),
        ([1, MORE], [2, 1], False),
        ([1, 2], [1], False),
        ("ConnectError: …", "ConnectError: refused", True),
        ("ConnectError: …", "ReadTimeout: too slow", False),
        ("2026-01-15T10:30:00Z", "2030-12-31T23:59:59Z", True),
        ("2026-01-15T10:30:00Z", "2030-12-31T23:59:59.000001Z", False),
    ],
)
def test_a_difference_from_what_is_shown_is_noticed(
    shown: object, real: object, is_same: bool
) -> None:
    assert (list(differences(shown, real)) == []) is is_same


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python\n" in read(page)], ids=name_of
)
def test_the_python_examples_of_a_page_run_as_they_stand(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            [*named] = re.findall(r"\A# (\w+\.py)\n", block.text)
            kind = "test_line" if _TEST.search(block.text) else "script_line"
            name = named[0] if named else f"{kind}_{block.line}.py"
            with (tmp_path / name).open("a", encoding="utf-8") as file:
                file.write(block.text)
    sessions = [run_session(tmp_path)]
    sessions += [
        subprocess.run(
            [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT
        )
        for script in tmp_path.glob("script_*.py")
    ]
    for ended in sessions:
        assert ended.returncode == 0, f"{name_of(page)}: {ended.stdout}{ended.stderr}"


def test_the_toml_that_is_shown_can_be_read() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "toml":
                tomllib.loads(block.text)


@pytest.mark.live
def test_the_scenario_that_is_shown_can_be_loaded(tmp_path: Path) -> None:
    import httpx

    shown = [block.text for block in blocks(DOCS / "scenarios.md") if block.language == "json"]
    scenario, message = map(json.loads, shown[:2])
    [account] = scenario["accounts"]
    account["messages"].append(message)
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    with serving("--scenario", str(file)) as live:
        listed = httpx.get(
            f"{live.base_url}/messages", headers={"X-Api-Key": account["token"]}
        ).json()
    assert [each["message"] for each in listed["data"]] == [
        each["message"] for each in reversed(account["messages"])
    ]


@every_page
def test_a_block_that_is_not_run_has_a_reason(page: Path) -> None:
    for block in blocks(page):
        assert block.language in {"sh", "python", "console", *SHOWN}, (
            f"{name_of(page)}:{block.line}"
        )
        if block.language == "console":
            starts = {line.split()[0] for line in block.text.splitlines() if line}
            assert starts & NOT_RUN.keys(), f"{name_of(page)}:{block.line} could be run: make it sh"


@every_page
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", read(page))):
        target = urlsplit(link)
        if target.scheme:
            continue
        file = (page.parent / target.path).resolve() if target.path else page
        assert file.is_relative_to(ROOT), link
        assert file.exists(), link
        if target.fragment:
            assert target.fragment in anchors(file), link


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_a_link_of_the_docs_stays_in_them_because_they_are_installed_alone(page: Path) -> None:
    targets = map(urlsplit, _LINK.findall(_FENCE.sub("", read(page))))
    files = [(page.parent / each.path).resolve() for each in targets if not each.scheme]
    assert [str(file) for file in files if not file.is_relative_to(DOCS)] == []


def test_the_index_of_the_docs_links_to_every_page() -> None:
    linked = set(_LINK.findall(read(DOCS / "README.md"))) | {"README.md"}
    assert {page.name for page in DOCS.glob("*.md")} - linked == set()


def test_the_settings_table_is_complete() -> None:
    assert documented_tables() == [expected_table()], (
        "Write it anew: .venv/bin/python tests/support/settings_table.py"
    )


def test_every_magic_number_and_token_is_documented() -> None:
    content = read(DOCS / "magic-numbers.md")
    missing = [word for word in (*OUTCOMES, *MAGIC_TOKENS, REVOKED) if word not in content]
    assert missing == []


def test_every_number_that_refuses_is_documented() -> None:
    content = read(DOCS / "magic-numbers.md")
    named = set(re.findall(r"`(\+\d{12})`", content))
    for first, last in re.findall(r"`(\+\d{12})` to `(\+\d{12})` \| \d", content):
        named |= {f"+{number}" for number in range(int(first), int(last) + 1)}
    named |= {
        f"{word}-{n}" for word in re.findall(r"`(answered-\d{3})-1`", content) for n in range(10)
    }
    named |= set(re.findall(r"`(answer[a-z0-9-]+)`", content))
    assert REQUEST_FAULTS.keys() - named == set()


def test_every_warning_is_explained() -> None:
    explained = anchors(DOCS / "warnings.md")
    assert [code for code in WarningCode if code not in explained] == []


def test_every_error_code_has_its_source() -> None:
    content = read(DOCS / "fidelity.md")
    assert [code for code in sorted(codes(ApiError)) if f"`{code}`" not in content] == []


def test_every_control_call_has_an_example() -> None:
    sources = "".join(map(read, (ROOT / "msgine_sandbox" / "control").glob("*.py")))
    declared = {
        (method, path.replace("{id}", "$id"))
        for path, methods in re.findall(r'resource\("(/_sandbox/[^"]*)"([^)]*)\)', sources)
        for method in re.findall(r"\b([A-Z]+)=", methods)
    }
    assert len(declared) > 20
    shown = {call for block, _ in examples(CONTROL) for call in curl_calls(block.text)}
    assert declared - shown == set()


def curl_calls(script: str) -> Iterator[tuple[str, str]]:
    """Return the method and the path of every call that a shell script makes with curl."""
    for command in re.findall(r"\bcurl .*?(?<!\\)(?:\n|\Z)", script, re.DOTALL):
        [path] = re.findall(rf"http://{SANDBOX}([^?\s\"']*)", command)
        method = re.search(r"-X (\w+)", command)
        yield (method[1] if method else "POST" if " -d " in command else "GET"), path


def codes(of: type[ApiError]) -> set[str]:
    """The codes of an error and of all that are more special."""
    return {of.code}.union(*map(codes, of.__subclasses__()))


def anchors(page: Path) -> set[str]:
    """What a link can point at within a page, as GitHub makes it of headings."""
    headings = _HEADING.findall(_FENCE.sub("", read(page)))
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def differences(shown: Any, real: Any, at: str = "the answer") -> Iterator[str]:
    """Return every difference between a response and the one that the page shows."""
    if shown == MORE:
        return
    if isinstance(shown, dict) and isinstance(real, dict):
        names = shown.keys() if MORE in shown else shown.keys() | real.keys()
        for name in names - {MORE}:
            if name in shown and name in real:
                yield from differences(shown[name], real[name], f"{at}.{name}")
            else:
                yield f"{at}.{name} is {'not there' if name in shown else 'not shown'}"
    elif isinstance(shown, list) and isinstance(real, list):
        yield from _differences_of_lists(shown, real, at)
    elif not _is_shown(shown, real, is_measured=at.rpartition(".")[2] in MEASURED):
        yield f"{at} is {real!r}, and shown as {shown!r}"


def _differences_of_lists(shown: list[Any], real: list[Any], at: str) -> Iterator[str]:
    if shown[-1:] == [MORE]:
        shown = shown[:-1]
        real = real[: len(shown)]
    if len(shown) != len(real):
        yield f"{at} has {len(real)} elements, and {len(shown)} are shown"
    for index, (one, other) in enumerate(zip(shown, real, strict=False)):
        yield from differences(one, other, f"{at}[{index}]")


def _is_shown(shown: Any, real: Any, *, is_measured: bool) -> bool:
    """Return whether a value is the one that is shown, or begins as it does."""
    if is_measured:
        return isinstance(shown, int | float) and isinstance(real, int | float)
    if isinstance(shown, str) and isinstance(real, str) and shown.endswith(MORE):
        return real.startswith(shown.removesuffix(MORE))
    return bool(_steady(shown) == _steady(real))


def _steady(value: Any) -> Any:
    """Return a value without what differs from run to run: identifiers and times."""
    if isinstance(value, str):
        for pattern, sign in VOLATILE:
            value = pattern.sub(sign, value)
    return value


def _at(places: dict[str, str], text: str) -> str:
    for name, place in places.items():
        text = text.replace(name, place)
    return text
