"""A figure, the row that it belongs to, its goal, and how much is measured for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles


@dataclass(frozen=True)
class Goal:
    """What a figure should be at least, or at most."""

    bound: float
    is_least: bool

    def is_met(self, value: float) -> bool:
        # As it is shown: a figure of 1.0 in the table meets a goal of 1.0.
        value = float(rounded(value).replace(",", ""))
        return value >= self.bound if self.is_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {rounded(self.bound)}"


def at_least(bound: float) -> Goal:
    return Goal(bound, is_least=True)


def at_most(bound: float) -> Goal:
    return Goal(bound, is_least=False)


@dataclass(frozen=True)
class Row:
    """What is measured: a row of the table."""

    name: str
    what: str
    unit: str
    goal: Goal | None = None


@dataclass(frozen=True)
class Figure:
    """The median of what was measured for a row, the quartiles, and what it was made of."""

    row: str
    value: float
    low: float
    high: float
    parts: Mapping[str, float] = field(default_factory=dict)
    """By unit and name, such as `us_echo`."""
    is_smaller: bool = False
    """Whether it was measured with fewer messages than the goal is about."""


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    rounds: int = 40
    requests: int = 200
    """Requests in a burst."""
    longest: float = 0.2
    """Seconds of processor time that a burst should take at most; it then has fewer requests."""
    messages: int = 100_000
    """Messages that are sent for a figure of memory or of clock moves."""
    many: int = 1_000_000
    """Messages of the larger of two database files."""
    connections: int = 32
    pause: int = 0
    """Microseconds for which the client is busy before each request of a burst."""


SHORT = Scale(rounds=3, requests=60, messages=1_000, many=2_000)
LARGE = Scale(messages=1_000_000, many=10_000_000)


def figure(row: str, values: Sequence[float], **parts: Sequence[float]) -> Figure:
    """Return the figure of several rounds."""
    low, middle, high = quartiles(values)
    medians = {name: median(each) for name, each in parts.items()}
    return Figure(row, middle, low, high, medians)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the quartiles; of a single value, that one three times."""
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def rounded(value: float) -> str:
    """Return a number with as many digits as say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
