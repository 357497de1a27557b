"""Shell scripts that use the sandbox with curl alone."""

import os
import subprocess
from collections.abc import Iterator

import pytest
from command import LIMIT
from live import Live, serving
from needs import require
from project import EXAMPLES
from receiver import Receiver

SCRIPTS = {"retries": 12, "login-code": 6, "webhooks": 5}
"""The scripts, and how many expectations each prints."""

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with serving() as live:
        yield live


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_finds_what_it_expects(live: Live, receiver: Receiver, script: str) -> None:
    require("bash", "curl")
    ended = subprocess.run(
        ["bash", EXAMPLES / f"{script}.sh"],
        env={
            "PATH": os.environ["PATH"],
            "MSGINE_ORIGIN": live.origin,
            "MSGINE_TOKEN": f"test_{script}",
            "MSGINE_HOOKS": receiver.url,
        },
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert len(ended.stdout.splitlines()) == SCRIPTS[script], ended.stdout
