"""The command in this process, and a sandbox that serves HTTPS."""

import sys
from collections.abc import Iterator

import pytest
from command import Run
from live import Secured, serving

from msgine_sandbox.cli import main


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process, and return its status, output and errors.

    A command that would serve ends with status 0 instead. A process for each of a hundred
    commands would take most of a minute.
    """
    monkeypatch.setattr("msgine_sandbox.server.Server.run", lambda *_: None)

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["msgine-sandbox", *arguments])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        output, errors = capfd.readouterr()
        return int(ended.value.code or 0), output, errors

    return run


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A sandbox that serves HTTPS."""
    authority = str(tmp_path_factory.mktemp("tls") / "ca.pem")
    with serving("--tls", "--tls-ca", authority, "--allowed-host", "sandbox.test") as live:
        yield Secured(live, authority)
