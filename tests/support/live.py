"""The real command in a process of its own."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import httpx
from command import LIMIT, PROGRAM, start


@dataclass(frozen=True)
class Live:
    """A running sandbox, and where it is."""

    process: subprocess.Popen[str]
    base_url: str

    @property
    def origin(self) -> str:
        return self.base_url.removesuffix("/api/v1")

    def send(
        self, token: str = "test_live", to: str = "+256701234567", **kwargs: Any
    ) -> httpx.Response:
        """Send an SMS."""
        return httpx.post(
            f"{self.base_url}/messages/sms",
            json={"to": to, "message": "Hello"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=LIMIT,
            **kwargs,
        )

    def wait(self) -> int:
        """Wait until the process ends, and return its status."""
        return self.process.wait(timeout=LIMIT)


@dataclass(frozen=True)
class Secured:
    """A sandbox that serves HTTPS, and the file with its certificate authority."""

    live: Live
    authority: str


@contextmanager
def serving(
    *flags: str,
    program: Sequence[str] = PROGRAM,
    stderr: IO[Any] | int | None = None,
    **environment: str,
) -> Iterator[Live]:
    """Serve on a free port inside the block."""
    process = start("serve", "--port", "0", *flags, program=program, stderr=stderr, **environment)
    assert process.stdout is not None
    try:
        yield Live(process, process.stdout.readline().strip())
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=LIMIT)
        process.stdout.close()
        if process.stderr is not None:
            process.stderr.close()
