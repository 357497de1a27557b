"""Webhooks that come to a receiver: how many a second, and how late."""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.calls import send
from benchmarks.client import Client
from benchmarks.figures import Figure, Row, Scale, at_least, at_most, figure
from benchmarks.load import run
from benchmarks.servers import RECEIVER, Server, running, sandbox

ROWS = (
    Row("webhooks", "webhooks to a local receiver", "a second", at_least(3000)),
    Row("lateness", "from due to the receiver, 99th percentile", "ms", at_most(20)),
)
_TOKEN = "hooks"
_APART = 0.02
"""Seconds between two sends whose webhooks are to come in time."""
_LIMIT = 600
"""Seconds; it only ends a hang."""


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows."""
    for name, one in (("webhooks", _rate), ("lateness", _lateness)):
        if name in names:
            with tempfile.TemporaryDirectory() as folder, running(RECEIVER) as receiver:
                yield one(Path(folder, f"{name}.db"), receiver, scale)


def _rate(file: Path, receiver: Server, scale: Scale) -> Figure:
    """Return how many webhooks come in a second when all are due at once."""
    messages = max(scale.messages // 50, 20)
    # Both statuses fall due together, so that no pause between them counts.
    delays = ("--sent-after", "0.5", "--delivered-after", "0.5")
    with sandbox(file, *delays) as server, Client(server.port, _TOKEN) as account:
        _send_one(account, receiver)
        account.call("POST", "/_sandbox/clock/freeze")
        write = send(_TOKEN, callback_url=f"http://127.0.0.1:{receiver.port}/hooks")
        run(server.port, messages, write).expect(201)
        before = server.cpu.at_rest()
        account.call("POST", "/_sandbox/clock/resume")
        times = sorted(at for at, _ in _arrivals(receiver, 2 * messages + 2))[2:]
        taken = server.cpu.at_rest() - before
    rate = (len(times) - 1) / (times[-1] - times[0])
    return figure("webhooks", [rate], us_each=[taken / len(times) / 1000])


def _lateness(file: Path, receiver: Server, scale: Scale) -> Figure:
    """Return how much later than due the webhooks of single messages come."""
    messages = max(scale.messages // 500, 20)
    due: dict[tuple[str, str], float] = {}
    delays = ("--sent-after", "0.1", "--delivered-after", "0.4")
    with sandbox(file, *delays) as server, Client(server.port, _TOKEN) as account:
        _send_one(account, receiver)
        sent = []
        for _ in range(messages):
            sent.append(_send(account, receiver))
            time.sleep(_APART)
        arrivals = _arrivals(receiver, 2 * messages + 2)[2:]
        for message in sent:
            full = account.call("GET", f"/_sandbox/messages/{message}")
            for entry in full["recipients"][0]["timeline"]:
                at = datetime.fromisoformat(entry["at"]).timestamp()
                due[message, entry["status"]] = at
    late = [(at - due[body["messageId"], body["status"]]) * 1000 for at, body in arrivals]
    points = quantiles(late, n=100, method="inclusive")
    return figure("lateness", [points[98]], ms_median=[points[49]], ms_longest=[max(late)])


def _send_one(account: Client, receiver: Server) -> None:
    """Send a message and wait for its webhooks, because the first ones import and connect."""
    _send(account, receiver)
    _arrivals(receiver, 2)


def _send(account: Client, receiver: Server) -> str:
    """Send a message with webhooks, and return its id."""
    body = {"to": "+256701234567", "message": "Hello"}
    body["callbackUrl"] = f"http://127.0.0.1:{receiver.port}/hooks"
    return str(account.call("POST", "/api/v1/messages/sms", body)["id"])


def _arrivals(receiver: Server, count: int) -> list[tuple[float, Any]]:
    """Return when each webhook came, and its body, once all have come."""
    ends = time.monotonic() + _LIMIT
    with Client(receiver.port) as client:
        while len(found := client.call("GET", "/arrivals")) < count:
            if time.monotonic() > ends:
                raise RuntimeError(f"{len(found)} of {count} webhooks came")
            time.sleep(0.2)
    return [(at, json.loads(body)) for at, body in found]
