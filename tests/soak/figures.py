"""The figures of a soak: a row a second as CSV, and the periods of it as a table in Markdown."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from statistics import median

PERIODS = 10


@dataclass(frozen=True)
class Row:
    """One second."""

    elapsed_s: int
    resident_mb: float
    descriptors: int
    threads: int
    processor_percent: float
    requests: int
    unasked_5xx: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    backlog: int
    """Messages of which something is a second late."""
    webhooks: int
    """Webhooks that were accepted."""
    messages: int
    """Messages that are kept."""
    pauses: int
    """How often the process was stopped for 20 ms."""


@dataclass
class Outcome:
    """How a part of the soak ended."""

    wrong: list[str] = field(default_factory=list)
    """A sentence for each thing that is not as it must be."""
    notes: list[str] = field(default_factory=list)
    """Figures in sentences."""
    rows: list[Row] = field(default_factory=list)


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([each.name for each in fields(Row)])
        writer.writerows(map(astuple, rows))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table with a row for each period."""
    yield (
        "| until | requests/s | p50 | median p99 | slowest | backlog | memory | descriptors |"
        " webhooks/s | messages kept |"
    )
    yield "| --- " * 10 + "|"
    size = -(-len(rows) // PERIODS)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        yield (
            f"| {part[-1].elapsed_s} s"
            f" | {_mean([row.requests for row in part]):.0f}"
            f" | {median(row.p50_ms for row in part):.1f} ms"
            f" | {median(row.p99_ms for row in part):.1f} ms"
            f" | {max(row.max_ms for row in part):.0f} ms"
            f" | {max(row.backlog for row in part)}"
            f" | {max(row.resident_mb for row in part):.0f} MB"
            f" | {max(row.descriptors for row in part)}"
            f" | {_mean([row.webhooks for row in part]):.0f}"
            f" | {part[-1].messages} |"
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
