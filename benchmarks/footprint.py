"""How long a sandbox takes to its first answer, and how much memory it has."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.calls import send
from benchmarks.figures import LARGE, Figure, Row, Scale, at_most, figure
from benchmarks.load import run
from benchmarks.servers import BARE, SANDBOX, running, sandbox

ROWS = (
    Row("start", "start to first answer", "of the bare server's", at_most(1.25)),
    Row("memory-idle", "resident memory, idle", "MB", at_most(40)),
    Row("memory", "resident memory, many messages on a file", "MB", at_most(60)),
)
_CHUNK = 10_000


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows."""
    if "start" in names:
        yield _start(min(scale.rounds, 15))
    if names & {"memory-idle", "memory"}:
        with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder, "memory.db")) as server:
            if "memory-idle" in names:
                yield figure("memory-idle", [server.resident_megabytes])
            if "memory" in names:
                for sent in range(0, scale.messages, _CHUNK):
                    count = min(_CHUNK, scale.messages - sent)
                    run(server.port, count, send("bench")).expect(201)
                server.cpu.at_rest(bound=60)
                found = [server.resident_megabytes]
                memory = figure("memory", found, messages=[float(scale.messages)])
                yield replace(memory, is_smaller=scale.messages < LARGE.messages)


def _start(rounds: int) -> Figure:
    """Return the time from starting the process, as a share of what the bare server takes."""
    times: dict[tuple[str, ...], list[float]] = {BARE: [], SANDBOX: []}
    for _ in range(rounds):
        for command, seconds in times.items():
            with running(command) as server:
                seconds.append(server.seconds * 1000)
    shares = [ours / bare for bare, ours in zip(times[BARE], times[SANDBOX], strict=True)]
    return figure("start", shares, ms=times[SANDBOX], ms_bare=times[BARE])
