"""The command `msgine-sandbox` in a process of its own."""

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Any

LIMIT = 120  # seconds; only a command that hangs takes so long
PROGRAM = ("-m", "msgine_sandbox")
Result = tuple[int, str, str]
"""Status, output and errors."""
Run = Callable[..., Result]
"""Takes arguments, and variables of the environment by name."""


def start(
    *arguments: str,
    program: Sequence[str] = PROGRAM,
    stderr: IO[Any] | int | None = subprocess.PIPE,
    **environment: str,
) -> subprocess.Popen[str]:
    """Start the command without settings from this process's environment."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MSGINE_SANDBOX_")}
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=clean | environment,
    )


def finish(process: subprocess.Popen[str]) -> Result:
    """Wait until a command ends, and return its status, output and errors."""
    try:
        output, errors = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
    return process.returncode, output, errors


def run(*arguments: str, **environment: str) -> Result:
    """Run the command, and return its status, output and errors."""
    return finish(start(*arguments, **environment))


def is_refusal(result: Result, words: str) -> bool:
    """Return whether a command ended with status 2 and one sentence that has these words."""
    status, output, errors = result
    return (
        (status, output, len(errors.splitlines())) == (2, "", 1)
        and errors.startswith("msgine-sandbox: ")
        and words in errors
    )


def free_port() -> int:
    """Return a port that nothing has, and that no system gives away by itself.

    Those are given to the connections of other tests, too, and so are soon taken.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port
