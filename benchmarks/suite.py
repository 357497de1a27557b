"""What a user's Python suite pays: a session's start, each test, each wait; the demo suite."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from textwrap import dedent

import httpx

from msgine_sandbox.testing import Account, Server

ROOT = Path(__file__).parent.parent
CALLS = 200

STARTS = {
    "reference": """
        import subprocess, sys
        subprocess.run([sys.executable, "-c", "import uvicorn, starlette"], check=True)
        took = time.perf_counter() - began
    """,
    "sandbox": """
        from msgine_sandbox.testing import Server
        server = Server.start()
        server.account().clock.now
        took = time.perf_counter() - began
        server.close()
    """,
}
"""From a fresh interpreter that has imported pytest to the first answer."""


def measured(act: Callable[[], object]) -> float:
    """Return the median time of an act, in milliseconds."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def start(rounds: int) -> None:
    """Start a session's sandbox, beside a Python that imports what every server imports."""
    times: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(rounds):
        for name, code in STARTS.items():
            program = (
                f"import pytest, time\nbegan = time.perf_counter()\n{dedent(code)}\nprint(took)"
            )
            ended = subprocess.run(
                [sys.executable, "-c", program],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            times[name].append(float(ended.stdout) * 1000)
    reference, ours = median(times["reference"]), median(times["sandbox"])
    print(
        f"session start: {ours:.0f} ms, {ours / reference:.2f} of "
        "`python -c 'import uvicorn, starlette'`"
    )


def each_test() -> None:
    """What a test pays for its account, and for a wait that is satisfied already."""
    with Server.start(tier="unlimited") as server:
        account = server.account()
        health = measured(lambda: server.wire.call("GET", "/health"))

        def fresh() -> None:
            server.account().messages.clear()  # as the fixture does, before and after a test

        print(f"a fresh account for a test: {measured(fresh):.2f} ms")
        _send(account)
        wait = measured(lambda: account.wait_for_message(contains="code"))
        print(f"a wait that is satisfied: {wait:.2f} ms, {wait / health:.2f} of a health check's")


def demo(rounds: int) -> None:
    """The demonstration suite, in a session of its own; and a session with one empty test."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "test_nothing.py")
        empty.write_text("def test_nothing():\n    pass\n")
        times: dict[str, list[float]] = {"empty": [], "demo": []}
        for _ in range(rounds):
            for name, path in (("empty", str(empty)), ("demo", "tests/demo")):
                began = time.perf_counter()
                command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
                subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
                times[name].append(time.perf_counter() - began)
    whole, without = median(times["demo"]), median(times["empty"])
    print(f"demonstration suite: {whole:.2f} s, of which an empty session is {without:.2f} s")


def _send(account: Account) -> None:
    body = {"to": "+256701234567", "message": "Your code is 493817"}
    headers = {"Authorization": f"Bearer {account.token}"}
    httpx.post(f"{account.base_url}/messages/sms", json=body, headers=headers).raise_for_status()
