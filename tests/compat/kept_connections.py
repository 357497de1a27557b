"""Clients of several languages send over kept connections that are idle between the sends.

Each client makes SENDS sends over each of CONNECTIONS connections, and pauses between them. The
lengths of the pauses are spread around a time: a server that closes connections that were idle for
that long closes some of them just when a client sends, and then a send is lost.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgine_sandbox

SOURCES = Path(__file__).parent / "clients"
CONNECTIONS = 50
SENDS = 4
SPREADS = (0.1, 0.005)
_STARTUP = 120  # seconds; only a client that hangs takes so long beyond its pauses
_MAX_REASONS = 3

_Run = tuple[Sequence[str], int]
"""A command, and how many processes of it run at once."""


@dataclass(frozen=True)
class Outcome:
    """What became of the sends of one client."""

    client: str
    pause: float
    spread: float
    statuses: Counter[str]
    accepted: int
    """How many messages the sandbox has."""

    @property
    def answered(self) -> int:
        return self.statuses["201"]

    @property
    def lost(self) -> int:
        return CONNECTIONS * SENDS - self.answered

    @property
    def reasons(self) -> list[str]:
        """What came instead of the status 201, the most frequent first."""
        return [
            f"{count} × {status}"
            for status, count in self.statuses.most_common()
            if status != "201"
        ][:_MAX_REASONS]


def missing_programs() -> list[str]:
    """Return the programs that the clients need and that are not installed."""
    programs = ("javac", "java", "go", "node", "php", "ruby", "curl")
    return [program for program in programs if shutil.which(program) is None]


def send_with_pauses(pauses: Sequence[float]) -> list[Outcome]:
    """Run every client with every pause in seconds and every spread, all at the same time."""
    with tempfile.TemporaryDirectory() as folder:
        clients = _build(folder)
        return asyncio.run(_run_all(clients, pauses))


def describe(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Return the lines of a table."""
    yield f"{'pause':<12}  {'client':<16} {'answered':>8} {'lost':>5} {'accepted':>8}"
    for each in outcomes:
        pause = f"{each.pause:g} ± {each.spread:g} s"
        yield (
            f"{pause:<12}  {each.client:<16} {each.answered:>8} {each.lost:>5} {each.accepted:>8}"
        )
        yield from (f"{'':>14}{reason}" for reason in each.reasons)


def _build(folder: str) -> dict[str, _Run]:
    """Compile what must be compiled, and return the clients."""
    subprocess.run(["javac", "-d", folder, SOURCES / "Clients.java"], check=True)
    subprocess.run(["go", "build", "-o", f"{folder}/client", SOURCES / "client.go"], check=True)

    def source(name: str) -> str:
        return str(SOURCES / name)

    return {
        "Java HttpClient": (["java", "-cp", folder, "Clients"], 1),
        "Go net/http": ([f"{folder}/client"], 1),
        "Node fetch": (["node", source("fetch.mjs")], 1),
        "Node http.Agent": (["node", source("agent.mjs")], 1),
        "PHP curl": (["php", source("client.php")], CONNECTIONS),
        "Ruby Net::HTTP": (["ruby", source("client.rb")], 1),
        "curl": (["sh", source("client.sh")], CONNECTIONS),
        "Python requests": ([sys.executable, source("session.py")], 1),
    }


async def _run_all(clients: dict[str, _Run], pauses: Sequence[float]) -> list[Outcome]:
    runs = [_run_with_pause(clients, pause, spread) for pause in pauses for spread in SPREADS]
    return [outcome for outcomes in await asyncio.gather(*runs) for outcome in outcomes]


async def _run_with_pause(clients: dict[str, _Run], pause: float, spread: float) -> list[Outcome]:
    """Run every client against one sandbox, each with an account of its own."""
    with msgine_sandbox.start(tier="unlimited") as sandbox:

        async def outcome(name: str, command: Sequence[str], processes: int) -> Outcome:
            account = sandbox.another(f"test_unlimited_{secrets.token_hex(8)}")
            variables = {
                "BASE_URL": account.base_url,
                "TOKEN": account.token,
                "CONNECTIONS": str(CONNECTIONS // processes),
                "SENDS": str(SENDS),
                "SHORTEST_PAUSE": str(pause - spread),
                "LONGEST_PAUSE": str(pause + spread),
            }
            limit = pause * SENDS + _STARTUP
            printed = await asyncio.gather(
                *(_output(command, variables, limit) for _ in range(processes))
            )
            statuses = Counter(line for lines in printed for line in lines)
            accepted = await asyncio.to_thread(lambda: len(account.messages))
            return Outcome(name, pause, spread, statuses, accepted)

        return await asyncio.gather(*(outcome(name, *run) for name, run in clients.items()))


async def _output(command: Sequence[str], variables: dict[str, str], limit: float) -> Sequence[str]:
    """Return the lines that a client printed; one that takes longer than the limit is killed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **variables},
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), limit)
    except TimeoutError:
        process.kill()
        await process.wait()
        return ["the client did not end"]
    return printed.decode(errors="replace").splitlines()
