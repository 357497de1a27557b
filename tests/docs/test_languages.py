"""The pages about tests in other languages lead from nothing to a green test, as they stand."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from command import LIMIT
from live import serving
from needs import require, skip_or_fail
from project import DOCS, ROOT

JUNIT = Path("/usr/share/java/junit-platform-console-standalone.jar")
NEEDS = {
    "go": ("go",),
    "java": ("java", "javac"),
    "php": ("php", "phpunit"),
    "ruby": ("ruby",),
}
"""The commands that the tests in each language need."""

ELSEWHERE = "http://localhost:8256"
"""Where the pages have a sandbox that runs already."""
WITH_OUR_COMMANDS = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
"""The PATH on which `msgine-sandbox` and `python3` are those of this environment."""
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options with which Java takes little more than half the time for a program this short."""

every_language = pytest.mark.parametrize("language", NEEDS)


@dataclass(frozen=True)
class Page:
    """What a page shows."""

    files: Mapping[str, str]
    """Each file's text, by the name in its first line: the application, the sandbox, the test."""
    packages: list[str]
    install: str
    run: str
    output: str
    run_elsewhere: str

    def write(self, folder: Path) -> None:
        """Write the files into a folder."""
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")


def read(language: str) -> Page:
    content = (DOCS / f"testing-{language}.md").read_text(encoding="utf-8")

    def blocks(of: str) -> list[str]:
        return re.findall(rf"^```{of}\n(.*?)^```$", content, re.MULTILINE | re.DOTALL)

    packages, install, run, container = blocks("console")
    [output] = blocks("text")
    return Page(
        {text.split("\n")[0].split()[-1]: text for text in blocks(language)},
        packages.removeprefix("sudo apt-get install ").split(),
        install,
        run,
        output,
        run_elsewhere=container.splitlines()[-1],
    )


def run(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run commands, until every process that inherited their standard error has ended."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MSGINE_SANDBOX_")}
    clean |= {"GOCACHE": str(folder / "cache"), "JAVA_TOOL_OPTIONS": SHORT_LIVED}
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def require_language(language: str) -> None:
    require("bash", *NEEDS[language])
    if language == "java" and not JUNIT.exists():
        skip_or_fail(f"This test needs {JUNIT}")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.live
@every_language
def test_the_tests_of_a_page_are_green_and_leave_no_sandbox(language: str, tmp_path: Path) -> None:
    require_language(language)
    page = read(language)
    page.write(tmp_path)
    # The sandbox inherits the standard error of the tests: a sandbox that is left exceeds the time.
    ended = run(page.run, tmp_path, PATH=WITH_OUR_COMMANDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert words(page.output.rstrip("…\n")) in words(ended.stdout)


@pytest.mark.live
@every_language
def test_with_a_sandbox_that_runs_they_notice_a_retry_without_a_key(
    language: str, tmp_path: Path
) -> None:
    require_language(language)
    page = read(language)
    page.write(tmp_path)
    application, text = next(iter(page.files.items()))
    assert "Idempotency-Key" in text
    (tmp_path / application).write_text(text.replace("Idempotency-Key", "X-No-Key"))
    prepare = page.run.strip().rpartition("\n")[0]
    with serving() as live:
        again = page.run_elsewhere.replace(ELSEWHERE, live.origin)
        # Without vet, which takes long and has been run by the other test.
        ended = run(f"{prepare}\n{again}", tmp_path, GOFLAGS="-vet=off")
        messages = httpx.get(f"{live.origin}/_sandbox/messages").json()["total"]
    assert ended.returncode != 0
    assert re.search("a_?retry_?makes", ended.stdout + ended.stderr, re.IGNORECASE)
    assert messages == 3, "One of the test that passes, and two of the retry"


def test_what_the_pages_install_is_the_command(tmp_path: Path) -> None:
    require("bash")
    [install] = {read(language).install for language in NEEDS}
    ended = run(
        f"{install}\ntype -p msgine-sandbox\nmsgine-sandbox --version",
        ROOT,
        PATH=WITH_OUR_COMMANDS,
        HOME=str(tmp_path),
        # Without network: what the sandbox needs, and what builds it, comes from this environment.
        PYTHONPATH=sysconfig.get_path("purelib"),
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",  # this is how pip spells "no isolation" in a variable
    )
    assert ended.returncode == 0, ended.stderr
    *_, place, version = ended.stdout.splitlines()
    assert place == f"{tmp_path}/.msgine-sandbox/bin/msgine-sandbox"
    assert version.startswith("msgine-sandbox, version ")


@every_language
def test_the_packages_of_a_page_are_installed_before_the_checks(language: str) -> None:
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    installed = set(re.findall(r"^need (\S+) ", checks, re.MULTILINE))
    assert set(read(language).packages) - installed == set()
