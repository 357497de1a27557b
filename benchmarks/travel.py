"""Moving an account's clock over much that is due."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.calls import RECEIVER, send
from benchmarks.client import Client
from benchmarks.figures import Figure, Row, Scale, at_most, figure
from benchmarks.load import run
from benchmarks.servers import sandbox

ROWS = (
    Row("advance", "advance over 100,000 unheard messages", "ms", at_most(100)),
    Row("advance-webhooks", "advance over 100,000 webhooks, no receiver", "ms", at_most(3000)),
)
STATED = 100_000
"""Messages or webhooks that the goals are about; with fewer, the time is projected."""
_TOKEN = "traveller"
_CHUNK = 10_000
_TWO = 2  # webhooks of a message: sent, delivered


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows."""
    if "advance" in names:
        yield _advance("advance", min(scale.messages, STATED), 1, None)
    if "advance-webhooks" in names:
        # A tenth of them, because each costs much more than an unheard message.
        messages = min(scale.messages // 10, STATED) // _TWO
        yield _advance("advance-webhooks", messages, _TWO, RECEIVER)


def _advance(row: str, messages: int, each: int, callback_url: str | None) -> Figure:
    """Return how long the call takes in milliseconds, projected to the stated number."""
    write = send(_TOKEN, callback_url=callback_url)
    delays = ("--sent-after", "0.5", "--delivered-after", "2")
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox(Path(folder, "travel.db"), *delays) as server,
        Client(server.port, _TOKEN) as account,
    ):
        # One message of another account, because the first webhook imports the HTTP client.
        run(server.port, 1, send("first", callback_url=callback_url)).expect(201)
        with Client(server.port, "first") as first:
            first.call("POST", "/_sandbox/clock/advance", {"seconds": 4})
        account.call("POST", "/_sandbox/clock/freeze")
        for sent in range(0, messages, _CHUNK):
            run(server.port, min(_CHUNK, messages - sent), write).expect(201)
        before = server.cpu.at_rest()
        # Before the second attempt of any webhook, five seconds after the first.
        account.call("POST", "/_sandbox/clock/advance", {"seconds": 4})
        took = account.seconds * 1000
        taken = (server.cpu.at_rest() - before) / 1e6
    scaled = STATED / (messages * each)
    return figure(row, [took * scaled], ms_CPU=[taken * scaled], measured=[float(messages * each)])
