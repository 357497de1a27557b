"""Sends and reads of a sandbox on a database file, against the bare echo."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bursts import Burst, against_echo
from benchmarks.calls import RECEIVER, read, send, send_with_key
from benchmarks.client import Client
from benchmarks.figures import Figure, Row, Scale, at_least
from benchmarks.load import run
from benchmarks.servers import BARE, STEPS, Server, running, sandbox

_ECHO = "of the echo"
ROWS = (
    Row("send", "send, unlimited tier", _ECHO, at_least(0.80)),
    Row("send-ordinary", "send, both rate windows count", _ECHO, at_least(0.75)),
    Row("send-key", "send with an idempotency key", _ECHO, at_least(0.60)),
    Row("send-three", "send to three recipients", _ECHO),
    Row("send-webhook", "send, two webhooks planned", _ECHO, at_least(0.40)),
    Row("get", "a message", _ECHO, at_least(1.0)),
    Row("list", "a list of 20", _ECHO, at_least(0.45)),
    Row("list-other", "a list of 20 others each time", _ECHO),
    Row("wait", "a wait that is satisfied", _ECHO),
    Row("inbox", "the inbox, first page of 50", _ECHO),
    Row("search-text", "search by text, 10 of 1,000", _ECHO),
    Row("search-status", "search by status, 50 of 1,000", _ECHO),
)
READ = 1000
"""Messages of the account that is read."""
LISTED = 6000
"""Messages of the account of which each list has others, more than a sandbox remembers."""
_SENDER, _ORDINARY, _KEYS, _THREE, _PLANNED, _READER, _LISTER = (
    "sender", "ordinary", "keys", "three", "planned", "reader", "lister",
)  # fmt: skip


def measure(names: set[str], scale: Scale) -> Iterator[Figure]:
    """Measure those rows, with the burst of the echo before each of their bursts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(BARE) as bare,
        sandbox(Path(folder, "exchanges.db")) as server,
    ):
        bursts = [burst for burst in _bursts(server) if burst.name in names]
        yield from against_echo(bare, bursts, scale)


def _bursts(server: Server) -> list[Burst]:
    message = _prepare(server)
    control = "/_sandbox/messages?view=summary&limit=50"
    return [
        Burst("send", server, send(_SENDER), 201, rest=STEPS),
        Burst("send-ordinary", server, send(_ORDINARY), 201, rest=STEPS),
        Burst("send-key", server, send_with_key(_KEYS), 201, rest=STEPS),
        Burst("send-three", server, send(_THREE, recipients=3), 201, rest=STEPS),
        Burst("send-webhook", server, send(_PLANNED, callback_url=RECEIVER), 201, rest=STEPS),
        Burst("get", server, read(_READER, f"/api/v1/messages/{message}")),
        Burst("list", server, read(_READER, "/api/v1/messages?page=2&limit=20")),
        Burst("list-other", server, read(_LISTER, *_pages(LISTED))),
        Burst("wait", server, read(_READER, "/_sandbox/messages/wait?contains=000500")),
        Burst("inbox", server, read(_READER, control)),
        Burst("search-text", server, read(_READER, f"{control}&q=is+00050")),
        Burst("search-status", server, read(_READER, f"{control}&status=failed")),
    ]


def _prepare(server: Server) -> str:
    """Set the accounts up, and return the id of a message."""
    with Client(server.port, _ORDINARY) as account:
        # So high that nothing is refused; both windows count all the same.
        limits = {"perMinute": 1_000_000, "perSecond": 1_000_000}
        account.call("PATCH", "/_sandbox/account", {"tier": "starter", "limits": limits})
    with Client(server.port, _PLANNED) as account:
        # Planned in the burst, and due only after the run: what a receiver costs is another row.
        effect = {"webhook": "delay", "delay": 86_400}
        account.call("POST", "/_sandbox/faults", {"effect": effect})
    with Client(server.port, _READER) as account:
        for number in range(READ):
            to = "+256700000002" if number % 20 == 0 else f"+256701{number:06d}"
            body = {"to": to, "message": f"Your code is {number:06d}"}
            message = account.call("POST", "/api/v1/messages/sms", body)["id"]
        account.call("POST", "/_sandbox/clock/advance", {"seconds": 10})
    run(server.port, LISTED, send(_LISTER)).expect(201)
    server.cpu.at_rest()
    return str(message)


def _pages(messages: int) -> list[str]:
    return [f"/api/v1/messages?page={page}&limit=20" for page in range(1, messages // 20 + 1)]
