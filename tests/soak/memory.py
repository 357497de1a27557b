"""What could fill the memory: each case in a sandbox of its own."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from client import Client
from figures import Outcome, quantile
from followers import read_all, read_nothing, running
from mix import EMAIL, QUIET, SMS
from server import Server, serving

_MOST = 100
"""Megabytes that are resident at most."""
_REQUESTS = 2000
_HEADER = 60_000
_EMAILS, _EMAILS_SHORT = 300, 100
_EMAIL = 500_000
_LONGEST_LIST = 8_000_000
_MESSAGES = 200_000
_KEPT = 100_000
"""The bound on messages by default."""
_CONNECTIONS = 4
_GROWTH = 1.05
_LONG = 0.05
"""Seconds that no call should take."""


async def run_memory(*, short: bool) -> Outcome:
    """Fill each thing that grows; a short run leaves out the messages themselves."""
    outcome = Outcome()
    await _journal(outcome)
    await _feed_and_lists(outcome, _EMAILS_SHORT if short else _EMAILS)
    if not short:
        await _retention(outcome)
    return outcome


async def _journal(outcome: Outcome) -> None:
    """Send requests with the largest headers, all of which the journal could keep."""
    with serving("--tier", "unlimited") as server:
        client = Client(server.port)
        headers = [f"X-Large: {'x' * _HEADER}"]
        for _ in range(_REQUESTS):
            answer = await client.call("GET", "/api/v1/messages", token=QUIET, headers=headers)
            if answer.status != 200:
                outcome.wrong.append(f"a large header was answered {answer.error}")
                break
        client.close()
        _check(server, f"{_REQUESTS} requests with headers of {_HEADER} bytes", outcome)


async def _feed_and_lists(outcome: Outcome, emails: int) -> None:
    """Send large emails while one follower reads and one does not, and then list them."""
    body = {"from": "a@example.com", "to": "b@example.com", "subject": "Hello"}
    body["html"] = "x" * _EMAIL
    with tempfile.TemporaryDirectory() as folder:
        # In a file, because in memory the messages themselves would be resident.
        flags = ("--tier", "unlimited", "--database", str(Path(folder, "sandbox.db")))
        with serving(*flags) as server:
            client = Client(server.port)
            async with running([read_all(server.port), read_nothing(server.port)]):
                for _ in range(emails):
                    await client.call("POST", EMAIL, body, token=QUIET)
                _check(server, f"{emails} followed emails of {_EMAIL} bytes", outcome)
                listed = await client.call("GET", "/_sandbox/messages?limit=1000", token=QUIET)
                size = len(listed.body)
                _check(server, f"and a list of them, {size} bytes", outcome)
            client.close()
    if size > _LONGEST_LIST or not listed.content.get("truncated"):
        outcome.wrong.append(f"The list of large emails has {size} bytes, and is not truncated.")


def _check(server: Server, what: str, outcome: Outcome) -> None:
    usage = server.usage()
    found = f"{what}: {usage.resident:.0f} MB resident, {usage.peak:.0f} MB at most"
    outcome.notes.append(found)
    if usage.peak > _MOST:
        outcome.wrong.append(found)


async def _retention(outcome: Outcome) -> None:
    """Send twice as many messages as are kept."""
    waits: list[float] = []
    resident: dict[int, float] = {}
    numbers = iter(range(_MESSAGES))

    async def send() -> None:
        for number in numbers:
            body = {"to": f"+256701{number:06d}", "message": "Hello"}
            began = time.monotonic()
            await client.call("POST", SMS, body, token=QUIET)
            waits.append(time.monotonic() - began)
            if number % 10_000 == 0:
                resident[number] = server.usage().resident

    with serving("--tier", "unlimited") as server:
        client = Client(server.port)
        began = time.monotonic()
        await asyncio.gather(*(send() for _ in range(_CONNECTIONS)))
        rate = _MESSAGES / (time.monotonic() - began)
        client.close()
    full = [megabytes for number, megabytes in resident.items() if number > _KEPT]
    outcome.notes += [
        f"{_MESSAGES} messages, {rate:.0f} a second: {full[0]:.0f} MB resident once {_KEPT} are"
        f" kept, {full[-1]:.0f} MB at the end",
        f"calls meanwhile: p99.9 {quantile(waits, 0.999) * 1000:.1f} ms, the slowest"
        f" {max(waits) * 1000:.0f} ms, {sum(wait > _LONG for wait in waits)} over 50 ms",
    ]
    if max(full) > full[0] * _GROWTH:
        outcome.wrong.append("Memory grows though old messages are removed.")
