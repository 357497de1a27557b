"""Coverage: which documented behaviours a client, or the tests of a whole session, have met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgine_sandbox.testing.errors import SandboxError

if TYPE_CHECKING:
    from msgine_sandbox.testing.server import Server


@dataclass(frozen=True, slots=True)
class Coverage:
    """Names of the behaviours that were met and of those that were not, sorted."""

    met: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """Share of the behaviours that were met, from 0 to 100."""
        total = len(self.met) + len(self.unmet)
        return 100 * len(self.met) / total if total else 0.0

    def merged(self, other: Coverage) -> Coverage:
        """Return the coverage of both together: met is what either has met."""
        met = {*self.met, *other.met}
        unmet = {*self.unmet, *other.unmet} - met
        return Coverage(tuple(sorted(met)), tuple(sorted(unmet)))


def coverage_of(raw: Mapping[str, Any]) -> Coverage:
    """Return the coverage that the control API writes as JSON."""
    return Coverage(tuple(sorted(raw["met"])), tuple(sorted(raw["unmet"])))


class CoverageReport:
    """Coverage of a test session: collected from servers and worker processes, and printed.

    `minimum` is the percentage below which the session fails, or None.
    """

    def __init__(self, *, enabled: bool, minimum: float | None) -> None:
        self.enabled = enabled
        self.coverage = Coverage()
        self._minimum = minimum
        self._problems: list[str] = []

    @property
    def is_too_low(self) -> bool:
        """Whether the coverage is below the minimum; it never is where no test used the sandbox."""
        if self._minimum is None or not self._is_used:
            return False
        return self.coverage.percent < self._minimum

    @property
    def _is_used(self) -> bool:
        return bool(self.coverage.met or self.coverage.unmet or self._problems)

    def collect(self, server: Server) -> None:
        """Add the coverage of a server, or note why it cannot be read."""
        if not self.enabled:
            return
        try:
            self._add(server.coverage)
        except SandboxError as error:
            self._problems.append(f"The coverage could not be read: {error}")

    def dump(self) -> Mapping[str, Sequence[str]]:
        """Return what was collected, as plain lists that can be sent to another process."""
        return {"met": self.coverage.met, "unmet": self.coverage.unmet, "problems": self._problems}

    def load(self, dumped: Mapping[str, Sequence[str]]) -> None:
        """Add what another process collected."""
        self._add(coverage_of(dumped))
        self._problems += dumped["problems"]

    def lines(self) -> Iterator[str]:
        """Return the report, line by line."""
        if not self._is_used:
            yield "No test used the sandbox."
            return
        met, unmet = self.coverage.met, self.coverage.unmet
        yield from self._problems
        yield (
            f"{self.coverage.percent:.0f} % of the documented behaviours met: "
            f"{len(met)} of {len(met) + len(unmet)}"
        )
        yield from _section("met", met)
        yield from _section("never met", unmet)

    def failure(self) -> str:
        """Return the line that says by how much the coverage is below the minimum."""
        return (
            f"FAIL: {self.coverage.percent:.2f} % is less than --msgine-coverage-fail-under "
            f"{self._minimum:g}"
        )

    def _add(self, coverage: Coverage) -> None:
        self.coverage = self.coverage.merged(coverage)


def _section(title: str, behaviours: Sequence[str]) -> Iterator[str]:
    if behaviours:
        yield f"{title}:"
        yield from (f"  {behaviour}" for behaviour in behaviours)
