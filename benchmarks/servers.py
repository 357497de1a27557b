"""Servers in processes of their own."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.cpu import CpuClock

BARE = (sys.executable, "-m", "benchmarks.bare")
RECEIVER = (sys.executable, "-m", "benchmarks.receiver")
SANDBOX = (sys.executable, "-m", "msgine_sandbox", "serve", "--tier", "unlimited", "--port")
HEALTH = {BARE: "/health", RECEIVER: "/health", SANDBOX: "/_sandbox/health"}
STEPS = 0.08
"""Seconds within which a message of `sandbox` is delivered."""
_PREPARED = 1.5
"""Seconds without work after which it has imported what it does not need to answer."""
_START_TIMEOUT = 120


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    process: int
    seconds: float
    """From starting it to its first answer."""
    by_ticks: bool = False
    """Whether it has a thread for each request: see `CpuClock`."""

    @cached_property
    def cpu(self) -> CpuClock:
        return CpuClock(self.process, by_ticks=self.by_ticks)

    @property
    def resident_megabytes(self) -> float:
        """Its resident memory (Linux)."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(command: Sequence[str], *more: str) -> Iterator[Server]:
    """Run one of the project's own servers."""
    command = tuple(command)
    with started(command, HEALTH[command], *more) as server:
        yield server


@contextmanager
def sandbox(file: Path, *more: str) -> Iterator[Server]:
    """Run a sandbox on a database file, with delays that end within a burst."""
    delays = ("--sent-after", "0.02", "--delivered-after", "0.05")
    with running(SANDBOX, "--database", str(file), *(more or delays)) as server:
        server.cpu.at_rest(rest=_PREPARED)
        yield server


@contextmanager
def started(
    command: Sequence[str], path: str, *more: str, folder: Path | None = None
) -> Iterator[Server]:
    """Run a command with a free port as its next argument, until it answers a GET of the path."""
    port = free_port()
    began = time.perf_counter()
    # The sandbox logs each request, as it does by default.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, str(port), *more], stdout=subprocess.DEVNULL, stderr=log, cwd=folder
        )
        try:
            while not answers(port, path):
                if process.poll() is not None or time.perf_counter() - began > _START_TIMEOUT:
                    log.seek(0)
                    said = log.read().decode(errors="replace")
                    raise RuntimeError(f"the server does not run: {said[-2000:]}")
                time.sleep(0.001)
            yield Server(port, process.pid, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int, path: str) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
    return True
