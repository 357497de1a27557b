"""A disk that is full for some seconds, while messages are sent and webhooks are due."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

from client import Client
from figures import Outcome
from followers import checked_by
from ledger import DELIVERED, Ledger, Owed, settled
from mix import SMS
from receivers import Receivers, receiving
from server import Server, serving

_TOKEN = "test_unlimited_soak_disk"
_RATE = 30
_BEFORE = _AFTER = 1.5
"""Seconds of sending."""


async def run_disk(seconds: float) -> Outcome:
    """Send before, while and after the disk is full for so long; then start again on the file."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        flags = ("--tier", "unlimited", "--database", str(Path(folder, "sandbox.db")))
        async with receiving() as receivers:
            with serving(*flags) as server:
                disk = FullDisk(server, receivers, outcome)
                await disk.run(seconds)
            lines = server.errors
        with serving(*flags) as server:
            missing = await disk.missing(server)
    outcome.notes.append(f"{len(lines)} lines on standard error: {'; '.join(lines[:3])}")
    # One a second at most.
    if len(lines) > seconds + 1 or any("Traceback" in line for line in lines):
        outcome.wrong += [f"standard error: {line}" for line in lines[:10]]
    if missing:
        outcome.wrong.append(f"Not there, or not delivered, after a restart: {missing[:5]}")
    return outcome


class FullDisk:
    """Sends at a steady rate, whatever the answers are."""

    def __init__(self, server: Server, receivers: Receivers, outcome: Outcome) -> None:
        self._server = server
        self._client = Client(server.port)
        self._url = receivers.url("good")
        self._ledger = Ledger(receivers.accepted)
        self._outcome = outcome
        self._number = 0

    async def run(self, seconds: float) -> None:
        """Run it, until the sandbox has ended."""
        async with checked_by(self._server.port, self._ledger):
            refused = await self._send(_BEFORE)
            with self._server.full_disk():
                refused_full = await self._send(seconds)
            refused += await self._send(_AFTER)
            is_settled = await settled(self._ledger)
        self._client.close()
        self._server.stop()
        self._outcome.notes += [
            f"{len(self._ledger.owed)} messages acknowledged",
            *(f"{n} × {status} {error}" for (status, error), n in refused_full.items()),
        ]
        wrong = self._outcome.wrong
        wrong += self._ledger.differences()
        if not is_settled:
            wrong.append("Some of what fell due while the disk was full has never been done.")
        if refused:
            wrong.append(f"Sends are refused though the disk is not full: {dict(refused)}")
        if not refused_full or any(status != 503 for status, _ in refused_full):
            wrong.append(f"Sends to a full disk are not answered 503: {dict(refused_full)}")

    async def missing(self, server: Server) -> list[str]:
        """Return which of the acknowledged messages another process does not have delivered."""
        client = Client(server.port)
        path = "/_sandbox/messages?status=delivered&limit=1000"
        listed = (await client.call("GET", path, token=_TOKEN)).content.get("data", [])
        client.close()
        return sorted(set(self._ledger.owed) - {each["id"] for each in listed})

    async def _send(self, seconds: float) -> Counter[tuple[int, str]]:
        """Send, and end with the last answer; return how often there was which refusal."""
        refused: Counter[tuple[int, str]] = Counter()
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(seconds * _RATE)):
                await asyncio.sleep(began + number / _RATE - time.monotonic())
                tasks.create_task(self._send_one(refused))
        return refused

    async def _send_one(self, refused: Counter[tuple[int, str]]) -> None:
        self._number += 1
        to = f"+256701{self._number:06d}"
        body = {"to": to, "message": "Hello", "callbackUrl": self._url}
        answer = await self._client.call("POST", SMS, body, token=_TOKEN)
        if answer.status == 201:
            owed = Owed({to: DELIVERED}, has_webhooks=True)
            self._ledger.acknowledged(answer.content["id"], owed, None)
        else:
            refused[answer.status, answer.error] += 1
