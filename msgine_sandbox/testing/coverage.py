"""Which documented behaviours a client has met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Coverage:
    """Behaviours met and not met, each in words, in order."""

    met: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """How much of all is met, from 0 to 100."""
        total = len(self.met) + len(self.unmet)
        return 100 * len(self.met) / total if total else 0.0

    def merged(self, other: Coverage) -> Coverage:
        """Give what either has met."""
        met = {*self.met, *other.met}
        unmet = {*self.unmet, *other.unmet} - met
        return Coverage(tuple(sorted(met)), tuple(sorted(unmet)))


def coverage_of(raw: Mapping[str, Any]) -> Coverage:
    """Read what the sandbox tells."""
    return Coverage(tuple(sorted(raw["met"])), tuple(sorted(raw["unmet"])))
