"""Both parsers of HTTP/1.1 that the server can have."""

import pytest


@pytest.fixture(params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers that a test starts in this process use httptools, and then h11."""
    if request.param == "h11":
        find = "msgine_sandbox.protocol.importlib.util.find_spec"
        monkeypatch.setattr(find, lambda _: None)
