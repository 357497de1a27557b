"""The REST page's own programs, over HTTPS: they differ from production in origin and token."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import LIMIT
from live import Live, serving
from needs import skip_or_fail
from project import DOCS, EXAMPLES

pytestmark = pytest.mark.live


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

    def run(
        self, name: str, token: str, language: str = "curl", trusting: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in an environment that holds nothing of this machine but its PATH."""
        spoken = LANGUAGES[language]
        _require(spoken)
        trust = {k: v.format(**self.files) for k, v in spoken.trust.items()} if trusting else {}
        return subprocess.run(
            [*spoken.command, EXAMPLES / f"{name}.{spoken.ending}"],
            env={
                "PATH": os.environ["PATH"],
                "MSGINE_ORIGIN": self.live.origin,
                "MSGINE_TOKEN": token,
                **trust,
            },
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
    with serving("--tls", "--tls-ca", str(ca), "--delivery", "manual") as live:
        yield Page(live, {"ca": ca, "ini": folder})


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
