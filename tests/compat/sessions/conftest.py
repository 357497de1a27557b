"""Fixtures of the tests that run sessions of pytest."""

from pathlib import Path

import pytest
from inner import Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session of pytest that is still to be written."""
    return Session(tmp_path)
