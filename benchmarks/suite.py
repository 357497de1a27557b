"""What a user's Python suite pays: a whole test, a session's start, the demonstration suite."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from textwrap import dedent

from benchmarks.calls import SENDS, sms
from benchmarks.client import Client
from benchmarks.figures import Figure, Row, Scale, at_most, figure
from benchmarks.machine import ROOT
from benchmarks.servers import BARE, running
from msgine_sandbox.testing import Server

ROWS = (
    Row("pytest", "a whole test", "echo calls", at_most(5)),
    Row("session", "start of a test session", "of `import uvicorn, starlette`"),
    Row("demo", "the demonstration suite", "s"),
)
_CALLS = 20
"""Whole tests, or calls of the echo, in a round."""

_STARTS = {
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


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows."""
    rounds = min(scale.rounds, 15)
    if "pytest" in names:
        yield _whole_test(scale.rounds)
    if "session" in names:
        yield _session(rounds)
    if "demo" in names:
        yield _demo(rounds)


def _whole_test(rounds: int) -> Figure:
    """Time what a test with the fixture does: a fresh account, send, wait, advance, assert.

    The send and the echo are calls of the same client; the rest are calls of the Python client,
    which uses the same HTTP client of the standard library.
    """
    with running(BARE) as bare, Server.start() as server, Client(bare.port) as reference:
        port = int(server.origin.rpartition(":")[2])

        def echo() -> None:
            reference.call("POST", "/echo", sms(0))

        def test() -> None:
            account = server.account()
            with Client(port, account.token) as application:  # the code under test
                application.call("POST", SENDS, sms(493817))
            message = account.wait_for_message(contains="493817")
            account.clock.advance(hours=24)
            assert message.refresh().status == "delivered"
            account.messages.clear()  # as the fixture does

        for act in (echo, test):
            _timed(act)
        times = [(_timed(echo), _timed(test), _timed(echo)) for _ in range(rounds)]
    shares = [whole / ((before + after) / 2) for before, whole, after in times]
    whole = [each[1] for each in times]
    return figure("pytest", shares, ms=whole, ms_echo=[each[0] for each in times])


def _timed(act: Callable[[], None]) -> float:
    """Return the median time of an act, in milliseconds."""
    times = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _session(rounds: int) -> Figure:
    """Start a session's sandbox, beside a Python that imports what every server imports."""
    times: dict[str, list[float]] = {name: [] for name in _STARTS}
    for _ in range(rounds):
        for name, code in _STARTS.items():
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
    pairs = zip(times["sandbox"], times["reference"], strict=True)
    shares = [ours / reference for ours, reference in pairs]
    return figure("session", shares, ms=times["sandbox"], ms_reference=times["reference"])


def _demo(rounds: int) -> Figure:
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
    return figure("demo", times["demo"], s_with_an_empty_test=times["empty"])
