"""The snippets of docs/ci.md: valid YAML, and commands and variables that there are."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import yaml
from project import DOCS, ROOT

from msgine_sandbox.cli.ready import ready
from msgine_sandbox.cli.serve import serve
from msgine_sandbox.settings import Settings, environment_name

TEXT = (DOCS / "ci.md").read_text("utf-8")
SNIPPETS = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
SETTINGS = {environment_name(each) for each in fields(Settings)}


def scripts(value: Any) -> Iterator[str]:
    """Return the shell lines of a snippet."""
    if isinstance(value, dict):
        for name, each in value.items():
            lines = [each] if isinstance(each, str) else each
            yield from lines if name in {"run", "script"} else scripts(each)
    elif isinstance(value, list):
        for each in value:
            yield from scripts(each)


LINES = [line for each in SNIPPETS for text in scripts(each) for line in text.splitlines()]


def test_there_are_snippets_for_both() -> None:
    assert len(SNIPPETS) == 4
    assert {"on", True} & SNIPPETS[0].keys()  # YAML 1.1 reads `on` as a boolean
    assert all("test" in each or "jobs" in each for each in SNIPPETS)


@pytest.mark.parametrize("line", [each for each in LINES if "msgine-sandbox" in each.split()[:2]])
def test_a_command_of_a_snippet_is_one(line: str) -> None:
    words = shlex.split(line.partition(" >")[0])
    words = words[words.index("msgine-sandbox") + 1 :]
    command = ready if words[0] == "ready" else serve
    command.make_context(command.name, words[1:] if words[0] == "ready" else words)


def test_a_variable_of_a_snippet_is_a_setting() -> None:
    named = set(re.findall(r"MSGINE_SANDBOX_[A-Z_]+", TEXT + (ROOT / "compose.yaml").read_text()))
    assert named
    assert named <= SETTINGS


def test_nothing_is_taken_from_where_nothing_was_released() -> None:
    assert not [each for each in LINES if re.search(r"pip install ([^&]* )?msgine-sandbox\b", each)]
    assert "SANDBOX_REPOSITORY" in TEXT


def test_no_runner_finds_the_tests_of_the_sandbox() -> None:
    checkouts = [each for each in SNIPPETS if "path: msgine-sandbox" in yaml.safe_dump(each)]
    assert len(checkouts) == 2
    for snippet in checkouts:
        installs, *_, tests = [
            line for line in scripts(snippet) if re.match("pip|pytest|npm", line)
        ]
        assert installs.endswith(" && rm -r msgine-sandbox")
        assert tests in {"pytest", "npm test"}
    clones = [line.split()[-1] for line in LINES if line.startswith("git clone")]
    assert clones == ["/tmp/msgine-sandbox"]
