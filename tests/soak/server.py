"""The sandbox as a child process, with what Linux says about it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from command import start

PROGRAM = (str(Path(__file__).with_name("served.py")),)
STOPPED = 2.0
"""Seconds in which a sandbox has promised to stop."""
_PAUSE = 0.02


@dataclass(frozen=True)
class Usage:
    """What a process uses at a moment."""

    resident: float
    """Megabytes."""
    peak: float
    """Megabytes: the most that was resident until now."""
    descriptors: int
    threads: int
    processor: float
    """Seconds in all."""


class Server:
    """A running sandbox."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"the sandbox did not start: {process.stderr.read()}")
        self.port = int(url.split(":")[2].split("/")[0])
        self.errors: list[str] = []
        """The lines of standard error."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def usage(self) -> Usage:
        """Return what the process uses now."""
        folder = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        times = (folder / "stat").read_text().rpartition(")")[2].split()
        return Usage(
            resident=_megabytes(status["VmRSS"]),
            peak=_megabytes(status["VmHWM"]),
            descriptors=len(list((folder / "fd").iterdir())),
            threads=int(status["Threads"]),
            processor=(int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
        )

    async def pause(self) -> None:
        """Stop the process for 20 ms, as a busy machine does."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(_PAUSE)
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """Refuse every write to a file inside the block, for any user and on any file system."""
        limits = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            yield
        finally:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, limits)

    def stop(self) -> float:
        """Send SIGTERM, and return the seconds until the process has ended; 30 at most."""
        began = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return time.monotonic() - began

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End the process if it runs, and read the rest of what it wrote."""
        if not self.ended:
            self._process.kill()
        self._process.wait()
        self._reader.join(10)
        self._process.stdout.close()

    def _read(self) -> None:
        with self._process.stderr as lines:
            for line in lines:
                self.errors.append(line.rstrip("\n"))


@contextmanager
def serving(*flags: str) -> Iterator[Server]:
    """Serve on a free port inside the block."""
    server = Server(start("serve", "--port", "0", "--quiet", *flags, program=PROGRAM))
    try:
        yield server
    finally:
        server.close()


def _megabytes(text: str) -> float:
    return int(text.split()[0]) * 1024 / 1e6
