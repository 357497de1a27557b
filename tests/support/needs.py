"""What a test needs of the machine: without it a user's run skips the test, and CI fails it."""

import os
import shutil
from typing import NoReturn

import pytest

CI = os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test; where changes are judged, fail it, because there nothing may be missing."""
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


def require(*commands: str) -> None:
    """Skip or fail the test unless all these commands are installed."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        skip_or_fail(f"This test needs {' and '.join(missing)}")
