"""Accounts for tests of the Python client."""

from collections.abc import Iterator

import pytest
from live import serving

from msgine_sandbox.testing import Account, Server


@pytest.fixture(scope="session", params=["started", "remote"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A sandbox that the client has started, and one that runs already."""
    if request.param == "remote":
        with serving() as live, Server.connect(live.base_url) as server:
            yield server
    else:
        with Server.start() as server:
            yield server


@pytest.fixture
def account(server: Server) -> Account:
    """A new account."""
    return server.account()
