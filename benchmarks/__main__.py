"""`make bench`: each figure with its goal, against a reference measured in the same run."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from benchmarks import (
    deliveries,
    exchanges,
    footprint,
    growth,
    paced,
    page,
    suite,
    travel,
)
from benchmarks.figures import LARGE, SHORT, Figure, Scale
from benchmarks.machine import Machine, load_average
from benchmarks.picture import picture
from benchmarks.report import Report, put_into_page

PARTS = {
    "exchanges": exchanges,
    "paced": paced,
    "footprint": footprint,
    "growth": growth,
    "deliveries": deliveries,
    "travel": travel,
    "suite": suite,
    "page": page,
}
ROWS = {row.name: row for part in PARTS.values() for row in part.ROWS}
_LONG = {row.name for part in (paced, page) for row in part.ROWS} | {"demo"}
"""Rows that a short run leaves out, unless they are named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the chosen rows; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        names = chosen(given.rows, is_short=given.short)
    except ValueError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    scale = SHORT if given.short else LARGE if given.large else Scale()
    wanted = {each.name: getattr(given, each.name, None) for each in fields(Scale)}
    scale = replace(scale, **{name: each for name, each in wanted.items() if each is not None})
    before = load_average()
    failures: list[str] = []
    figures = list(_measured(names, scale, failures))
    report = Report(Machine.here(), ROWS, figures, before, load_average())
    print(report.table())
    if given.json:
        report.write_json(given.json)
    if given.svg:
        given.svg.write_text(picture(report), encoding="utf-8")
    if given.page:
        put_into_page(given.page, "bench", report.markdown())
    for each in failures:
        print(f"benchmarks: not measured: {each}", file=sys.stderr)
    return 1 if failures else 0


def chosen(text: str | None, *, is_short: bool) -> set[str]:
    """Return the names of rows that a list of rows and parts, with commas, stands for.

    Raise ValueError for a name that is neither.
    """
    if text is None:
        return ROWS.keys() - _LONG if is_short else set(ROWS)
    names: set[str] = set()
    for name in text.split(","):
        if name in PARTS:
            names |= {row.name for row in PARTS[name].ROWS}
        elif name in ROWS:
            names.add(name)
        else:
            raise ValueError(f"there is no row {name}; there are {', '.join([*PARTS, *ROWS])}")
    return names


def _measured(names: set[str], scale: Scale, failures: list[str]) -> Iterator[Figure]:
    """Measure part after part; what keeps one from being measured is added to the failures."""
    for title, part in PARTS.items():
        wanted = names & {row.name for row in part.ROWS}
        if wanted:
            began = time.monotonic()
            print(f"{title} …", file=sys.stderr, flush=True)
            try:
                yield from part.measure(wanted, scale)
            except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
                failures.append(f"{title}: {error}")
            print(f"{title}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", help=f"rows, or of {', '.join(PARTS)}, with commas")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="less than a minute, and less exact")
    size.add_argument("--large", action="store_true", help="1,000,000 and 10,000,000 messages")
    parser.add_argument("--rounds", type=int, help="bursts of each row")
    parser.add_argument("--requests", type=int, help="requests in a burst")
    parser.add_argument("--messages", type=int, help="messages for memory and clock moves")
    parser.add_argument("--many", type=int, help="messages in the larger file of the growth rows")
    parser.add_argument("--connections", type=int, help="connections of a burst")
    parser.add_argument("--pause", type=int, help="microseconds of the client before a request")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a picture")
    parser.add_argument("--page", type=Path, metavar="FILE", help="put the table into this page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
