"""A pytest session in a process of its own, as a user of the plugin runs it."""

import subprocess
import sys
from pathlib import Path

from command import LIMIT

# Warnings are errors, but Starlette's TestClient may prefer another client than httpx. Plugins of
# this project's own tests are left out: a user may not have them, and importing Hypothesis takes
# longer than most of these sessions.
OPTIONS = (
    *("-W", "error", "-W", "ignore:Using `httpx` with", "-p", "no:cacheprovider"),
    *("-p", "no:asyncio", "-p", "no:hypothesispytest"),
)


def run_session(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *OPTIONS, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
