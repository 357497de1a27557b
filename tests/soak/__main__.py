"""`make soak`: a mixed load for minutes, a full disk, and all that could fill the memory."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import uvloop
from disk import run_disk
from figures import Outcome, table, write_csv
from memory import run_memory
from mixed import run_mixed

PARTS = ("mixed", "disk", "memory")
_SHORT = 0.25
"""Minutes."""
_KEPT = 10_000
"""Messages, which the load reaches after two minutes."""


def main() -> int:
    """Run everything, and return the exit status."""
    options = _options()
    outcomes = []
    if "mixed" in options.only:
        outcome = uvloop.run(
            run_mixed(
                options.minutes * 60,
                options.rate,
                options.seed,
                _KEPT,
                in_file=options.database,
            )
        )
        write_csv(options.csv, outcome.rows)
        outcome.notes += [f"figures of each second: {options.csv}", *table(outcome.rows)]
        outcomes.append(_report("mixed load", outcome))
    if "disk" in options.only:
        outcomes.append(_report("full disk", uvloop.run(run_disk(3 if options.short else 10))))
    if "memory" in options.only:
        outcomes.append(_report("memory", uvloop.run(run_memory(short=options.short))))
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed", flush=True)
    return 0 if all(outcomes) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--short", action="store_true", help="what CI runs: half a minute")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="leave the other parts out; repeatable"
    )
    parser.add_argument("--minutes", type=float, help="of the mixed load; 10 by default")
    parser.add_argument("--rate", type=float, help="requests a second; 100 by default")
    parser.add_argument("--seed", type=int, default=1, help="of all choices; 1 by default")
    parser.add_argument("--database", action="store_true", help="in a file instead of memory")
    parser.add_argument(
        "--csv", type=Path, default=Path("build/soak.csv"), help="file for the figures"
    )
    options = parser.parse_args()
    options.only = options.only or PARTS
    options.minutes = options.minutes or (_SHORT if options.short else 10.0)
    options.rate = options.rate or (60.0 if options.short else 100.0)
    if options.minutes < 0.1:
        parser.error("it takes six seconds at least")
    return options


def _report(title: str, outcome: Outcome) -> bool:
    """Print how a part ended, and return whether all is as it must be."""
    title = f"{title}: {'FAILED' if outcome.wrong else 'passed'}"
    wrong = [f"  WRONG {each}" for each in outcome.wrong]
    notes = [each if each.startswith("|") else f"  {each}" for each in outcome.notes]
    print(title, *wrong, *notes, "", sep="\n", flush=True)
    return not outcome.wrong


if __name__ == "__main__":
    sys.exit(main())
