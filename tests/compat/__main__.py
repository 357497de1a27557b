"""`make compat`: the sandbox beside what else users have.

A user's suite runs in several ways (`suite/`), whole sessions of pytest start and end in several
ways (`sessions/`), and clients of other languages send over kept connections (`clients/`).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import kept_connections

SUITE = Path(__file__).parent / "suite"
SESSIONS = Path(__file__).parent / "sessions"
PARTS = ("suite", "sessions", "clients")
PAUSES = (5.0, 60.0, 75.0)
SHORT_PAUSES = (5.0,)
_CORES = os.cpu_count() or 1
_OLD_STARLETTE = "The anyio.abc.BlockingPortal alias"
_IN_ORDER = ("-p", "no:randomly")
_ERRORS = ("-W", "error", "-W", f"ignore:{_OLD_STARLETTE}:DeprecationWarning")
_ONLY_THIS_MACHINE = ("--disable-socket", "--allow-hosts=127.0.0.1")
_EACH_TEST = "each test in a session of its own"

Arguments = Sequence[str]
"""What a session of pytest is given."""


@dataclass(frozen=True)
class Way:
    """A way to run tests, in one session of pytest or in several."""

    title: str
    sessions: Sequence[Arguments]
    folder: Path = SUITE


def main() -> int:
    """Run everything, and return the exit status."""
    options = _options()
    with ThreadPoolExecutor(_CORES) as sessions, ThreadPoolExecutor(1) as clients:
        pauses = options.pause or (SHORT_PAUSES if options.short else PAUSES)
        sent = clients.submit(_sent, pauses) if "clients" in options.only else None
        started = [
            (way, [sessions.submit(_run, way.folder, each) for each in way.sessions])
            for way in _ways(options)
        ]
        outcomes = [_report(way, runs) for way, runs in started]
        if sent is not None:
            print("\n".join(kept_connections.describe(sent.result())), flush=True)
            outcomes.append(not any(each.lost for each in sent.result()))
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed", flush=True)
    return 0 if all(outcomes) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make compat", description=__doc__)
    parser.add_argument("--short", action="store_true", help="what CI runs: fewer ways and pauses")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="leave the other parts out; repeatable"
    )
    parser.add_argument(
        "--pause",
        action="append",
        type=float,
        metavar="SECONDS",
        help="how long connections are idle; repeatable",
    )
    options = parser.parse_args()
    options.only = options.only or PARTS
    if any(pause < 1 for pause in options.pause or ()):
        parser.error("a pause takes at least a second")
    missing = kept_connections.missing_programs() if "clients" in options.only else []
    if missing:
        parser.error(f"the clients need {', '.join(missing)}; or leave them out: --only suite")
    return options


def _ways(options: argparse.Namespace) -> Iterator[Way]:
    if "sessions" in options.only:  # first, because it takes longest
        yield Way("sessions start and end", [("-n", str(_CORES))], SESSIONS)
    if "suite" in options.only:
        yield from _short_ways() if options.short else _all_ways()


def _short_ways() -> Iterator[Way]:
    """Yield a few ways to run the user's suite, each of which is several at once."""
    yield Way("in the order of the files, warnings are errors", [(*_IN_ORDER, *_ERRORS)])
    yield Way("in random order, in two processes", [("--randomly-seed=1", "-n", "2")])
    yield Way("pytest-socket allows this machine", [(*_IN_ORDER, *_ONLY_THIS_MACHINE)])
    alone = [test for test in _tests() if "first_requested" in test]
    yield Way(f"{_EACH_TEST}, if it starts the sandbox", [(*_IN_ORDER, test) for test in alone])


def _all_ways() -> Iterator[Way]:
    """Yield the ways to run the user's suite.

    What comes first in a session is when the sandbox starts and the client is imported.
    """
    files = [path.name for path in sorted(SUITE.glob("test_*.py"))]
    yield Way("in the order of the files", [_IN_ORDER])
    yield Way("each file in a session of its own", [(*_IN_ORDER, file) for file in files])
    yield Way(_EACH_TEST, [(*_IN_ORDER, test) for test in _tests()])
    for seed in (1, 2, 3):
        yield Way(f"in random order, seed {seed}", [(f"--randomly-seed={seed}",)])
    for title, arguments in {
        "in two processes": ("-n", "2"),
        "pytest-socket allows this machine": _ONLY_THIS_MACHINE,
        "pytest-recording allows it": ("--block-network", "--allowed-hosts=127.0.0.1"),
        "warnings are errors": _ERRORS,
        "pytest-asyncio runs all coroutines": ("--asyncio-mode=auto",),
    }.items():
        yield Way(title, [arguments])


def _tests() -> list[str]:
    listed = _pytest(SUITE, ("--collect-only", "-q", *_IN_ORDER)).stdout
    return [line for line in listed.splitlines() if "::" in line]


def _run(folder: Path, arguments: Arguments) -> tuple[str, float]:
    """Run a session of pytest; return its output if it failed, and the seconds it took."""
    began = time.monotonic()
    result = _pytest(folder, ("-q", "--tb=short", *arguments))
    return result.stdout if result.returncode else "", time.monotonic() - began


def _pytest(folder: Path, arguments: Arguments) -> subprocess.CompletedProcess[str]:
    # The command and not `-m pytest`, which would make the folder importable, as users have it.
    command = Path(sys.executable).parent / "pytest"
    return subprocess.run(
        [command, "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _report(way: Way, runs: Sequence[Future[tuple[str, float]]]) -> bool:
    """Print how a way ended, and return whether all of its sessions passed."""
    results = [run.result() for run in runs]
    failures = [output for output, _ in results if output]
    took = sum(seconds for _, seconds in results)
    outcome = f"{len(failures)} of {len(results)} FAILED" if failures else "passed"
    print(*failures, f"{way.title}: {outcome}, {took:.0f} s", sep="\n", flush=True)
    return not failures


def _sent(pauses: Sequence[float]) -> list[kept_connections.Outcome]:
    return kept_connections.send_with_pauses(pauses)


if __name__ == "__main__":
    sys.exit(main())
