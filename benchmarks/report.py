"""The figures of a run as a table in the terminal, as JSON, and as a table in a page."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.figures import Figure, Row, rounded
from benchmarks.machine import Machine

_HEADINGS = ("row", "what", "figure", "quartiles", "goal", "met", "by")


@dataclass(frozen=True)
class Report:
    """A run: its header, and the figures of its rows."""

    machine: Machine
    rows: Mapping[str, Row]
    figures: Sequence[Figure]
    load_before: float
    load_after: float

    @property
    def header(self) -> list[str]:
        return self.machine.lines(self.load_before, self.load_after)

    def table(self) -> str:
        """Return the table for a terminal."""
        lines = [_HEADINGS, *map(self._cells, self.figures)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        texts = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*self.header, "", *texts])

    def markdown(self) -> str:
        """Return the table for a page of the docs."""
        lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(self._cells, self.figures)]
        table = [f"| {' | '.join(line)} |" for line in lines]
        return "\n".join([*(f"- {line}" for line in self.header), "", *table])

    def write_json(self, file: Path) -> None:
        """Write all figures with all that they were made of."""
        figures = [
            asdict(figure) | {"unit": row.unit, "goal": row.goal and asdict(row.goal),
                              "met": row.goal and row.goal.is_met(figure.value)}
            for figure in self.figures
            for row in [self.rows[figure.row]]
        ]  # fmt: skip
        load = {"before": self.load_before, "after": self.load_after}
        content = self.machine.members() | {"load": load, "figures": figures}
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _cells(self, figure: Figure) -> tuple[str, ...]:
        row = self.rows[figure.row]
        met = "" if row.goal is None else "yes" if row.goal.is_met(figure.value) else "no"
        met += ", with fewer" if met and figure.is_smaller else ""
        spread = f"{rounded(figure.low)} to {rounded(figure.high)}"
        parts = ", ".join(f"{rounded(each)} {_words(name)}" for name, each in figure.parts.items())
        return (
            figure.row,
            row.what,
            f"{rounded(figure.value)} {row.unit}",
            spread if figure.low != figure.high else "",
            "" if row.goal is None else str(row.goal),
            met,
            parts,
        )


def _words(part: str) -> str:
    """Return the name of a part as it is shown: `us_echo` is `µs echo`."""
    unit, _, rest = part.partition("_")
    return f"{'µs' if unit == 'us' else unit} {rest.replace('_', ' ')}".rstrip()


def put_into_page(page: Path, part: str, markdown: str) -> None:
    """Replace what stands between the marks of a part in a page of the docs.

    Raise ValueError unless the page has them.
    """
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    text, count = re.subn(
        f"{re.escape(begin)}.*?{re.escape(end)}",
        lambda _: f"{begin}\n\n{markdown}\n\n{end}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{page} has no {begin} and {end}")
    page.write_text(text, encoding="utf-8")
