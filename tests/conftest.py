"""Fixtures of all tests, and how Hypothesis and event loops are set up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import pytest_asyncio
from box import Box, sandbox
from browsing import Tab, chromium, new_tab
from command import LIMIT
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck, settings
from live import Live, serving
from needs import CI
from playwright.async_api import Browser
from receiver import Receiver, receiving

# They have environments of their own: `make compat`, `make fuzz`.
collect_ignore = ["compat", "fuzz"]

try:
    from uvloop import new_event_loop as new_uvloop
except ModuleNotFoundError:  # it is not made for every platform, and the sandbox does without
    new_uvloop = None


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on asyncio's event loop; those marked `both_loops` on uvloop too."""
    loops = {"asyncio": asyncio.new_event_loop}
    if new_uvloop is not None and item.get_closest_marker("both_loops"):
        loops["uvloop"] = new_uvloop
    return loops


# httpx gives up after five seconds unless told otherwise; a busy machine may take longer to answer.
for each in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, each, LIMIT)

# An example takes as long as the machine is busy, so neither its time nor that of its generation
# counts. Where changes are judged, every run tries the same examples: a test that passed for one
# change and fails for the next fails because of that change. More than fifty would be tried again
# and again; elsewhere they are others each time, and so find more.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=CI,
    max_examples=50 if CI else 100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")
# Where the same tests have run with all examples, and other packages are what is tested.
settings.register_profile("fewer", settings.get_profile("tests"), max_examples=10)


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    """A new account on a sandbox of its own."""
    async with sandbox() as fresh:
        yield fresh


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver on a free port of this machine."""
    with receiving() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """One sandbox for all tests of this process that use a token of their own."""
    with serving("--tier", "unlimited") as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser for the whole session."""
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser, live: Live) -> AsyncIterator[Tab]:
    """A tab with the page, and a client with an account of its own."""
    async with new_tab(browser, live) as fresh:
        yield fresh
