"""Which documented behaviours a whole session met, gathered from servers and workers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgine_sandbox.testing.coverage import Coverage

if TYPE_CHECKING:
    from msgine_sandbox.testing.server import Server

Packed = Mapping[str, Sequence[str]]


class Tally:
    """Coverage of a session, and the bar that it must reach, if any."""

    def __init__(self, *, wanted: bool, bar: float | None) -> None:
        self.wanted = wanted
        self.coverage = Coverage()
        self.problems: list[str] = []
        self._bar = bar
        self._lock = threading.Lock()

    @property
    def is_too_low(self) -> bool:
        """Whether the bar is not reached."""
        return self._bar is not None and self.coverage.percent < self._bar

    def look(self, server: Server) -> None:
        """Take what was met on a server."""
        from msgine_sandbox.testing.errors import SandboxError

        try:
            if self.wanted:
                self.add(server.coverage)
        except SandboxError as error:
            self.problems.append(f"It could not be asked for: {error}")

    def add(self, coverage: Coverage) -> None:
        """Take what somebody met."""
        with self._lock:
            self.coverage = self.coverage.merged(coverage)

    def packed(self) -> Packed:
        """Give it as plain lists, for another process."""
        return {"met": self.coverage.met, "unmet": self.coverage.unmet, "problems": self.problems}

    def unpack(self, packed: Packed) -> None:
        """Take what another process met."""
        self.add(Coverage(tuple(packed["met"]), tuple(packed["unmet"])))
        self.problems += packed["problems"]

    def lines(self) -> Iterator[str]:
        """Say what was met and what was not."""
        met, unmet = self.coverage.met, self.coverage.unmet
        yield from self.problems
        if not met and not unmet:
            yield "No test used the sandbox."
            return
        yield (
            f"{self.coverage.percent:.0f} % of the documented behaviours met: "
            f"{len(met)} of {len(met) + len(unmet)}"
        )
        yield from self._list("met", met)
        yield from self._list("never met", unmet)

    def verdict(self) -> str:
        """Say that the bar is not reached."""
        return (
            f"FAIL: {self.coverage.percent:.2f} % is less than --msgine-coverage-fail-under "
            f"{self._bar:g}"
        )

    def _list(self, title: str, behaviours: Sequence[str]) -> Iterator[str]:
        if behaviours:
            yield f"{title}:"
            yield from (f"  {each}" for each in behaviours)
