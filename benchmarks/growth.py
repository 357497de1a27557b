"""What calls cost with many messages in the database file, against a thousand."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.bursts import Burst, against_each_other
from benchmarks.calls import read, send
from benchmarks.client import Client
from benchmarks.figures import LARGE, Figure, Row, Scale, at_most, figure
from benchmarks.filling import TOKEN, filled
from benchmarks.servers import STEPS, Server, sandbox

FEW = 1000
_TIMES = "of the time with 1,000"
_GOAL = at_most(1.3)
_INBOX = "/_sandbox/messages?view=summary&limit=50"
_TEXT = f"{_INBOX}&q=shop+417"
ROWS = (
    Row("growth-get", "a message, among many", _TIMES, _GOAL),
    Row("growth-page", "a page of 20 in the middle of many", _TIMES, _GOAL),
    Row("growth-inbox", "the inbox of many, first page", _TIMES, _GOAL),
    Row("growth-status", "search by status, among many", _TIMES, _GOAL),
    Row("growth-analytics", "analytics of many", _TIMES),
    Row("growth-text", "search by text, newest 50 of many", "ms", at_most(50)),
    Row("growth-send", "send, beside many", _TIMES, _GOAL),
)


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows, with a burst to each of two sandboxes in turn."""
    for each in _measured(names, scale):
        yield replace(each, is_smaller=scale.many < LARGE.many)


def _measured(names: set[str], scale: Scale) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        few, many = (filled(Path(folder, f"{count}.db"), count) for count in (FEW, scale.many))
        with sandbox(few) as small, sandbox(many) as large:
            pairs = zip(_reads(small, FEW), _reads(large, scale.many), strict=True)
            chosen = [pair for pair in pairs if pair[0].name in names]
            yield from against_each_other(chosen, scale)
            if "growth-text" in names:
                yield _text(large, scale)
            if "growth-send" in names:  # last, because a thousand become more
                yield from against_each_other([(_send(small), _send(large))], scale)


def _send(server: Server) -> Burst:
    return Burst("growth-send", server, send(TOKEN), 201, rest=STEPS)


def _reads(server: Server, count: int) -> list[Burst]:
    with Client(server.port, TOKEN) as account:
        middle = f"/api/v1/messages?page={count // 40}&limit=20"
        message = account.call("GET", middle)["data"][0]["id"]
    history, status = "/api/v1/developers/analytics/overview", f"{_INBOX}&status=failed"
    return [
        Burst("growth-get", server, read(TOKEN, f"/api/v1/messages/{message}")),
        Burst("growth-page", server, read(TOKEN, middle)),
        Burst("growth-inbox", server, read(TOKEN, _INBOX)),
        Burst("growth-status", server, read(TOKEN, status)),
        Burst("growth-analytics", server, read(TOKEN, history)),
    ]


def _text(server: Server, scale: Scale) -> Figure:
    """Return how long a search takes that one of a thousand messages matches."""
    by_clock, by_cpu = [], []
    with Client(server.port, TOKEN) as account:
        for _ in range(min(scale.rounds, 10)):
            before = server.cpu.at_rest()
            found = account.call("GET", _TEXT)["data"]
            by_clock.append(account.seconds * 1000)
            by_cpu.append((server.cpu.at_rest() - before) / 1e6)
            if len(found) != min(50, scale.many // 1000):
                raise RuntimeError(f"{len(found)} messages were found")
    return figure("growth-text", by_clock, ms_CPU=by_cpu)
