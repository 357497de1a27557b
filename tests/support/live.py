"""The real command in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

_CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("MSGINE_SANDBOX_")}


@dataclass(frozen=True)
class Live:
    """A running sandbox, and where it is."""

    process: subprocess.Popen[str]
    base_url: str

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix("/api/v1")


@contextmanager
def serving(
    *flags: str,
    program: Sequence[str] = ("-m", "msgine_sandbox"),
    stderr: IO[Any] | None = None,
    **environment: str,
) -> Iterator[Live]:
    """Serve on a free port inside the block."""
    command = [sys.executable, *program, "serve", "--port", "0", *flags]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=_CLEAN | environment
    )
    assert process.stdout is not None
    try:
        yield Live(process, process.stdout.readline().strip())
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "msgine_sandbox", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, env=_CLEAN | environment
    )
