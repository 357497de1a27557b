"""Short bursts of requests to several servers in turn, each compared with the one before it.

Other work on the machine slows a burst and its neighbour alike, and the median of many rounds is
not moved by the few that it hits. A burst begins and ends with a server at rest, so it pays for the
steps of its own sends, and for no others.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks import calls
from benchmarks.cpu import REST
from benchmarks.figures import Figure, Scale, figure
from benchmarks.load import Load, Write
from benchmarks.servers import Server

_MINUTE = 60
_STEP = 4


@dataclass(frozen=True)
class Cost:
    """What a request took."""

    microseconds: float
    """Of the server's processor time."""
    rate: float
    """Requests a second by the clock."""


@dataclass(frozen=True)
class Burst:
    """Requests of one kind to one server."""

    name: str
    server: Server
    write: Write
    status: int = 200
    rest: float = REST
    """Seconds without work after which nothing of the burst is left to be done."""

    def run(self, requests: int, scale: Scale) -> Cost:
        """Return what a request took; raise RuntimeError unless all have the expected status."""
        with Load(self.server.port, scale.connections, scale.pause / 1e6) as load:
            before = self.server.cpu.at_rest()
            result = load.burst(requests, self.write).expect(self.status)
            taken = self.server.cpu.at_rest(self.rest) - before
        return Cost(taken / requests / 1000, result.rate)

    def fitting(self, scale: Scale) -> int:
        """Return how many requests make a short burst.

        What is imported, opened or cached once is done after this.
        """
        self.run(1, scale)
        count, least = 1, math.inf
        while True:
            # Few requests cost more each than many, and any of them may be slow by chance.
            least = min(least, max(self.run(count, scale).microseconds, 1))
            fitting = max(min(scale.requests, int(scale.longest * 1e6 / least)), 1)
            if count * _STEP > fitting:
                return fitting
            count *= _STEP


def against_echo(bare: Server, bursts: Sequence[Burst], scale: Scale) -> Iterator[Figure]:
    """Return for each burst which share of its processor time the bare echo takes.

    The echo of a burst is the mean of the one before it and the one after it.
    """
    echo = Burst("echo", bare, calls.echo, 201)
    ours: defaultdict[str, list[Cost]] = defaultdict(list)
    echoes: defaultdict[str, list[float]] = defaultdict(list)
    counts = {each.name: each.fitting(scale) for each in (*bursts, echo)}
    for each in (*bursts, echo):
        before = each.run(counts[each.name], scale)  # the first burst does not count
    for _ in range(scale.rounds):
        for each in bursts:
            ours[each.name].append(each.run(counts[each.name], scale))
            after = echo.run(scale.requests, scale)
            echoes[each.name].append((before.microseconds + after.microseconds) / 2)
            before = after
    for name, costs in ours.items():
        yield figure(
            name,
            [bare / cost.microseconds for bare, cost in zip(echoes[name], costs, strict=True)],
            us=[cost.microseconds for cost in costs],
            us_echo=echoes[name],
            per_second=[cost.rate for cost in costs],
        )


def against_each_other(pairs: Sequence[tuple[Burst, Burst]], scale: Scale) -> Iterator[Figure]:
    """Return for each pair how many times the first burst's time the second one takes.

    A pair that takes over a minute has fewer rounds.
    """
    for small, large in pairs:
        # As many of both: requests that come together cost less than one alone.
        requests = min(small.fitting(scale), large.fitting(scale))
        ends = time.monotonic() + _MINUTE
        costs: list[tuple[Cost, Cost]] = []
        while len(costs) < scale.rounds and (not costs or time.monotonic() < ends):
            costs.append((small.run(requests, scale), large.run(requests, scale)))
        yield figure(
            small.name,
            [large.microseconds / small.microseconds for small, large in costs],
            us_small=[small.microseconds for small, _ in costs],
            us=[large.microseconds for _, large in costs],
        )
