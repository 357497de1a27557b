"""A session of pytest in a process of its own, and what it leaves on this machine (Linux)."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LIMIT = 120  # seconds; only what hangs takes so long
_MARK = "COMPAT_SESSION"
_INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"


@dataclass(frozen=True)
class Process:
    """A process that has the mark of a session in its environment."""

    pid: int
    command: str
    session: int

    @property
    def is_sandbox(self) -> bool:
        return "msgine_sandbox" in self.command.split()


class Session:
    """A folder with tests, in which pytest runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        # pytest keeps folders of its own; they are no matter here.
        self._pytest = folder / "pytest"
        self._pytest.mkdir()
        self._mark = secrets.token_hex(8)
        (self.folder / "pytest.ini").write_text(_INI)

    def write(self, **files: str) -> None:
        """Write Python files, by their names without `.py`."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))

    @contextmanager
    def running(
        self, *arguments: str, python: str = sys.executable, **variables: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Run pytest inside the block, as the leader of a process group."""
        process = subprocess.Popen(
            [python, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "TMPDIR": str(self.temporary),
                "PYTEST_DEBUG_TEMPROOT": str(self._pytest),
                _MARK: self._mark,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()
            for left in self.processes():
                os.kill(left.pid, signal.SIGKILL)

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run pytest to its end, and return its status and output."""
        with self.running(*arguments, **variables) as process:
            output, _ = process.communicate(timeout=LIMIT)
        return process.returncode, output

    def wait_for_file(self, name: str) -> str:
        """Return the text of a file in the folder once a test has written it."""
        path = self.folder / name
        eventually(path.exists, f"no test wrote {name}")
        return path.read_text()

    def processes(self) -> list[Process]:
        """Return the processes that the session started, itself included."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes()
                session = os.getsid(int(folder.name))
            except OSError:  # it has just ended
                continue
            # A zombie has no command line: it waits to be collected, and holds nothing.
            if f"{_MARK}={self._mark}".encode() in environment.split(b"\0") and command:
                text = command.replace(b"\0", b" ").decode(errors="replace")
                found.append(Process(int(folder.name), text, session))
        return found

    def check_that_nothing_is_left(self, *origins: str) -> None:
        """Fail unless all processes end and their sockets and temporary files go."""
        eventually(lambda: not self.processes(), f"still running: {self.processes()}")
        for origin in origins:
            assert not accepts_connections(origin), f"{origin} still answers"
        assert list(self.temporary.iterdir()) == []


def accepts_connections(origin: str) -> bool:
    """Return whether something listens there."""
    url = urlsplit(origin)
    try:
        socket.create_connection((url.hostname, url.port), timeout=LIMIT).close()
    except OSError:
        return False
    return True


def eventually(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait until a condition holds; there is no event for what happens to other processes."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.02)
