"""The REST page's own programs, over HTTPS: with another origin and token, and without a change."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import LIMIT
from live import Live, serving
from needs import skip_or_fail
from project import DOCS, EXAMPLES
from tunnel import tunnelling

pytestmark = pytest.mark.live

API = "api.msgine.net"


@dataclass(frozen=True)
class Language:
    """What a program is run with, and how its client is given the authority to trust."""

    needs: str
    probe: tuple[str, ...]
    """Succeeds where the language and its HTTP client are there."""
    command: tuple[str, ...]
    ending: str
    trust: Mapping[str, str]
    """Environment; {ca} is the authority's file, {ini} a folder with an ini file for PHP."""


LANGUAGES = {
    "curl": Language("curl", ("curl", "--version"), ("sh",), "sh", {"CURL_CA_BUNDLE": "{ca}"}),
    "javascript": Language(
        "Node.js 18 or later",
        ("node", "-e", "fetch"),
        ("node",),
        "mjs",
        {"NODE_EXTRA_CA_CERTS": "{ca}"},
    ),
    "python": Language(
        "requests",
        (sys.executable, "-c", "import requests"),
        (sys.executable,),
        "py",
        {"REQUESTS_CA_BUNDLE": "{ca}"},
    ),
    "php": Language(
        "PHP with its curl extension",
        ("php", "-r", "curl_version();"),
        ("php",),
        "php",
        # The empty entry stands for the distribution's own folder, which loads ext-curl.
        {"PHP_INI_SCAN_DIR": f"{os.pathsep}{{ini}}"},
    ),
    "ruby": Language(
        "Ruby", ("ruby", "-e", "require 'openssl'"), ("ruby",), "rb", {"SSL_CERT_FILE": "{ca}"}
    ),
}


@dataclass(frozen=True)
class Page:
    """The sandbox that the page's programs speak to, and what they need to trust it."""

    live: Live
    files: Mapping[str, Path]
    proxy: str
    """Leads every name to the sandbox, also `api.msgine.net`."""

    def run(
        self, name: str, token: str, language: str = "curl", trusting: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that is told the sandbox's origin."""
        spoken = LANGUAGES[language]
        program = EXAMPLES / f"{name}.{spoken.ending}"
        return self._run(spoken, [program], token, trusting, MSGINE_ORIGIN=self.live.origin)

    def run_unchanged(
        self, spoken: Language, *program: str | Path, token: str = "", trusting: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that calls https://api.msgine.net."""
        proxies = {"https_proxy": self.proxy, "http_proxy": self.proxy}  # the second is Ruby's
        return self._run(spoken, program, token, trusting, **proxies)

    def _run(
        self,
        spoken: Language,
        program: Sequence[str | Path],
        token: str,
        trusting: bool,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in an environment that holds nothing of this machine but its PATH."""
        _require(spoken)
        trust = {k: v.format(**self.files) for k, v in spoken.trust.items()} if trusting else {}
        clean = {"PATH": os.environ["PATH"], "MSGINE_TOKEN": token}
        return subprocess.run(
            [*spoken.command, *program],
            env=clean | environment | trust,
            cwd=self.files["ca"].parent,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )

    def answer(self, name: str, token: str, language: str = "curl") -> Any:
        """The body that a program printed."""
        ended = self.run(name, token, language)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def client(self, token: str) -> httpx.Client:
        """A client of the same account."""
        return httpx.Client(
            base_url=self.live.base_url,
            headers={"Authorization": f"Bearer {token}"},
            verify=ssl.create_default_context(cafile=self.files["ca"]),
            trust_env=False,
        )

    def total(self, token: str) -> int:
        """How many messages an account has."""
        with self.client(token) as client:
            return client.get("/messages").json()["pagination"]["total"]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("trust")
    ca = folder / "ca.pem"
    # Notices belong on standard error, wherever a machine's own ini sends them.
    (folder / "sandbox.ini").write_text(f'curl.cainfo="{ca}"\ndisplay_errors=stderr\n')
    # Manual delivery, so that nothing is ever sent to the page's callbackUrl.
    flags = ("--tls", "--tls-ca", str(ca), "--allowed-host", API, "--delivery", "manual")
    with serving(*flags) as live, tunnelling(int(live.origin.rpartition(":")[2])) as proxy:
        yield Page(live, {"ca": ca, "ini": folder}, proxy)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_program_gets_the_documented_answer(page: Page, language: str) -> None:
    token = f"test_{language}"
    _assert_documented(page.answer("send", token, language), "Hello from MsGine!")
    assert page.total(token) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_client_without_the_authority_refuses_the_certificate(page: Page, language: str) -> None:
    token = f"test_{language}_untrusting"
    assert '"id"' not in page.run("send", token, language, trusting=False).stdout
    assert page.total(token) == 0


# Node.js 20 knows no proxy; that it trusts the authority is tested above.
PROXIED = [each for each in LANGUAGES if each != "javascript"]


@pytest.mark.parametrize("language", PROXIED)
def test_the_pages_program_runs_without_any_change_where_the_name_leads_to_the_sandbox(
    page: Page, language: str
) -> None:
    spoken, token = LANGUAGES[language], f"test_{language}_unchanged"
    program = EXAMPLES / f"send.{spoken.ending}"
    ended = page.run_unchanged(spoken, program, token=token)
    assert ended.returncode == 0, ended.stderr
    _assert_documented(json.loads(ended.stdout), "Hello from MsGine!")
    assert page.total(token) == 1
    assert '"id"' not in page.run_unchanged(spoken, program, token=token, trusting=False).stdout
    assert page.total(token) == 1


def test_the_call_that_the_docs_show_for_msgines_own_url_gets_what_is_shown(page: Page) -> None:
    [(program, shown)] = re.findall(
        rf"```console\n(export [^`]*curl [^`]*https://{API}/[^`]*)```\n+```json\n(.*?)```",
        read_docs("tls.md"),
        re.DOTALL,
    )
    # The folder has the file that the program names, and the program itself makes curl trust it.
    ended = page.run_unchanged(LANGUAGES["curl"], "-c", program, trusting=False)
    assert ended.returncode == 0, ended.stderr
    answer, expected = json.loads(ended.stdout), json.loads(shown)
    for name in ("to", "message", "status"):
        assert answer[name] == expected[name]


def test_the_docs_name_what_makes_each_language_trust_the_authority() -> None:
    content = read_docs("tls.md")
    names = {name for each in LANGUAGES.values() for name in each.trust} - {"PHP_INI_SCAN_DIR"}
    assert [name for name in names | {"curl.cainfo"} if f"`{name}=" not in content] == []


def test_the_pages_list_call_gets_the_documented_pagination(page: Page) -> None:
    token = "test_unlimited_pages"
    with page.client(token) as client:
        for number in range(247):
            sent = {"to": "+256701234567", "message": f"number {number}"}
            client.post("/messages/sms", json=sent).raise_for_status()
    listed = page.answer("list", token)
    assert [each["message"] for each in listed["data"]] == [
        f"number {n}" for n in range(196, 146, -1)
    ]
    assert listed["pagination"] == {"page": 2, "limit": 50, "total": 247, "pages": 5}


def test_the_pages_idempotent_call_is_answered_the_same_twice(page: Page) -> None:
    first = page.answer("idempotent", "test_idempotent")
    _assert_documented(first, "Hello from MsGine!")
    assert page.answer("idempotent", "test_idempotent") == first
    assert page.total("test_idempotent") == 1


def test_the_pages_webhook_call_gets_the_documented_answer(page: Page) -> None:
    _assert_documented(page.answer("callback", "test_callback"), "Your code is 123456")


def test_a_suite_in_another_language_runs_the_sandbox_as_its_child(tmp_path: Path) -> None:
    _require(LANGUAGES["javascript"])
    [program] = re.findall(r"```javascript\n(.*?)```", read_docs("settings.md"), re.DOTALL)
    (tmp_path / "suite.mjs").write_text(program)
    # The command is the one that is installed beside this interpreter.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ended = subprocess.run(
        ["node", "suite.mjs"],
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert (ended.returncode, ended.stdout) == (0, "201\n"), ended.stderr


def read_docs(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _require(language: Language) -> None:
    """Skip or fail the test unless a language and its HTTP client are installed."""
    try:
        there = subprocess.run(language.probe, capture_output=True).returncode == 0
    except FileNotFoundError:
        there = False
    if not there:
        skip_or_fail(f"This test needs {language.needs}")


def _assert_documented(answer: dict[str, Any], text: str) -> None:
    assert re.fullmatch(r"msg_\w+", answer["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["createdAt"])
    documented = {
        "status": "pending",
        "to": ["+256701234567"],
        "message": text,
        "cost": 0.05,
        "currency": "USD",
    }
    assert answer | documented == answer
