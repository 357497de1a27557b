"""The figures with a goal as a picture, in SVG: how far each is from its goal.

A bar is the share of the goal that is reached, on a scale by powers of two, so that twice too slow
is as far to the left as twice as fast is to the right.
"""

import math
from html import escape

from benchmarks.figures import Figure, Row, rounded
from benchmarks.report import Report

_WIDTH, _LABEL, _VALUE, _LINE, _TOP = 860, 330, 190, 26, 44
_LEAST, _MOST = -6, 2
"""The ends of the scale, as powers of two."""

_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #59636e }
.met { fill: #1a7f37 }
.missed { fill: #bc4c00 }
.line { stroke: #59636e; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .met { fill: #3fb950 }
  .missed { fill: #f0883e }
  .line { stroke: #9198a1 }
}"""


def picture(report: Report) -> str:
    """Return the picture of a run, with its text alternative."""
    judged = [(each, report.rows[each.row]) for each in report.figures]
    judged = [(figure, row) for figure, row in judged if row.goal is not None]
    height = _TOP + _LINE * len(judged) + 34
    goal = _at(0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' role="img" aria-labelledby="title description">',
        '<title id="title">Speed of msgine-sandbox against its goals</title>',
        f'<desc id="description">{escape(_words(judged))}</desc>',
        f"<style>\n{_STYLE}\n</style>",
        '<text class="title" x="12" y="24">Speed against the goals</text>',
        f'<text class="quiet" x="{goal}" y="24" text-anchor="middle">goal</text>',
        f'<text class="quiet" x="{_at(_LEAST)}" y="24">a 64th</text>',
        f'<text class="quiet" x="{_at(_MOST)}" y="24" text-anchor="end">4 ×</text>',
        *(part for place, one in enumerate(judged) for part in _bar(place, *one)),
        f'<path class="line" d="M{goal} 32V{height - 34}"/>',
        f'<text class="quiet" x="12" y="{height - 12}">{escape(report.header[0])}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(place: int, figure: Figure, row: Row) -> list[str]:
    y = _TOP + _LINE * place
    assert row.goal is not None
    kind = "met" if row.goal.is_met(figure.value) else "missed"
    end, goal = _at(math.log2(max(_share(figure, row), 2**_LEAST))), _at(0)
    value = f"{rounded(figure.value)} {row.unit} ({row.goal})"
    return [
        f'<text x="12" y="{y + 14}">{escape(row.what)}</text>',
        f'<rect class="{kind}" x="{min(end, goal)}" y="{y + 4}"'
        f' width="{max(abs(end - goal), 2)}" height="13" rx="2"/>',
        f'<text class="quiet" x="{_WIDTH - _VALUE - 60}" y="{y + 14}">{escape(value)}</text>',
    ]


def _share(figure: Figure, row: Row) -> float:
    """Return which share of its goal a figure reaches; above 1 it is better than that."""
    assert row.goal is not None
    value, bound = max(figure.value, 1e-9), row.goal.bound
    return value / bound if row.goal.is_least else bound / value


def _at(power: float) -> int:
    """Return the place of a power of two of the goal."""
    power = min(max(power, _LEAST), _MOST)
    width = _WIDTH - _LABEL - _VALUE - 80
    return _LABEL + round((power - _LEAST) / (_MOST - _LEAST) * width)


def _words(judged: list[tuple[Figure, Row]]) -> str:
    """Return the figures in words, for who does not see the picture."""
    return "; ".join(
        f"{row.what}: {rounded(figure.value)} {row.unit}, goal {row.goal}" for figure, row in judged
    )
