"""What the tests of the shop share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from shop import Shop

NUMBER = "+256701234567"


@pytest.fixture(scope="session")
def msgine_settings():
    """Messages are delivered soon, because some tests wait for it in real time."""
    return {"sent_after": 0.1, "delivered_after": 0.3}


@pytest.fixture
def shop(msgine) -> Shop:
    """The shop, which texts by urllib3."""
    return Shop(msgine.base_url, msgine.token)


@pytest.fixture
def real_time(tmp_path: Path) -> Callable[[], float]:
    """Return the time of the machine in Unix seconds, whatever a test does to Python's clocks.

    The file system writes it.
    """
    stamp = tmp_path / "now"

    def read() -> float:
        stamp.touch()
        return stamp.stat().st_mtime

    return read
