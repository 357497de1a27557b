"""The mixed load for some minutes, and what must hold during it and after it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from client import Client
from figures import Outcome, Row, quantile
from followers import checked_by, ignored
from ledger import Ledger, final_status, settled
from mix import ACCOUNTS, CALLBACK, FAILING, QUIET, SMS, Counts, Mix
from receivers import Receivers, receiving
from server import STOPPED, Server, Usage, serving

_TREND = 480
"""Seconds of load from which memory is compared: in less, the bounds are reached too late."""
_GROWTH = 1.025
"""From one sixth of the time to the next."""
_MOST = 250
"""Megabytes that are resident at most."""
_SILENCE = 5
"""Seconds without any answer, which even a busy machine does not need."""
_MORE_DESCRIPTORS = 40
"""For 32 webhooks in flight of the account whose receivers hang, which are tried again."""
_CLOSED = 20
"""Seconds in which the server must have noticed that its clients are gone."""
_PAUSES = 2
"""Pauses a second, on average."""
_HANGING = 8
"""Webhooks that hang when the sandbox is stopped."""
_SHOWN = 10


async def run_mixed(seconds: float, rate: float, seed: int, keep: int, *, in_file: bool) -> Outcome:
    """Run so many requests a second; `keep` is how many messages the sandbox keeps."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--tier", "unlimited", "--keep-messages", str(keep)]
        if in_file:
            flags += ["--database", str(Path(folder, "sandbox.db"))]
        with serving(*flags) as server:
            async with receiving() as receivers:
                outcome = await MixedLoad(server, receivers, seconds, rate, seed, keep).run()
        outcome.wrong += [f"standard error: {line}" for line in server.errors[:_SHOWN]]
    return outcome


class MixedLoad:
    """A run of the mixed load."""

    def __init__(
        self,
        server: Server,
        receivers: Receivers,
        seconds: float,
        rate: float,
        seed: int,
        keep: int,
    ) -> None:
        self._server = server
        self._receivers = receivers
        self._seconds = seconds
        self._rate = rate
        self._keep = keep
        self._random = Random(seed)
        self._client = Client(server.port)
        self._ledger = Ledger(receivers.accepted)
        self._mix = Mix(self._client, self._ledger, receivers, seed)
        self._pauses = 0
        self._outcome = Outcome()

    async def run(self) -> Outcome:
        """Run it, until the sandbox has ended."""
        outcome = self._outcome
        await self._mix.prepare()
        before = self._server.usage()
        async with checked_by(self._server.port, self._ledger):
            async with ignored(self._server.port, (None, CALLBACK)):
                await self._load()
            if not await settled(self._ledger):
                outcome.wrong.append("Some of what is owed has never come.")
        after = await self._without_clients(before)
        outcome.wrong += [f"{n} × {what}" for what, n in self._mix.wrong.most_common(_SHOWN)]
        outcome.wrong += self._ledger.differences()
        outcome.wrong += await self._kept()
        outcome.wrong += self._trends()
        if after.descriptors > before.descriptors + _MORE_DESCRIPTORS:
            outcome.wrong.append("More descriptors are open once all clients have disconnected.")
        outcome.wrong += await self._stopped()
        outcome.notes += [
            f"{len(self._ledger.owed)} messages acknowledged, {self._receivers.count} webhooks"
            " accepted",
            f"webhooks at failing receivers: {dict(self._receivers.failed)}",
            f"descriptors: {before.descriptors} before the load,"
            f" {after.descriptors} once all clients have disconnected",
        ]
        return outcome

    async def _load(self) -> None:
        began = time.monotonic()
        until = began + self._seconds
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sample(until))
            tasks.create_task(self._pause(began))
            due = began
            while due < until:
                await asyncio.sleep(max(due - time.monotonic(), 0))
                # Whether the answers to earlier ones have come or not: a server that stands still
                # is measured by all that it keeps waiting.
                tasks.create_task(self._mix.start(due))
                due += self._random.expovariate(self._rate)

    async def _pause(self, began: float) -> None:
        """Stop the process for moments: all the time in a short run, else in a tenth of it."""
        tenths = (0, 10) if self._seconds < _TREND else (8, 9)
        start, end = (began + self._seconds * tenth / 10 for tenth in tenths)
        await asyncio.sleep(start - time.monotonic())
        while time.monotonic() < end:
            await asyncio.sleep(self._random.expovariate(_PAUSES))
            await self._server.pause()
            self._pauses += 1

    async def _sample(self, until: float) -> None:
        """Add a row of figures every second."""
        began = time.monotonic()
        rows = self._outcome.rows
        used, accepted, pauses = self._server.usage(), 0, 0
        asked = asyncio.create_task(self._total())
        messages = 0
        while time.monotonic() < until:
            await asyncio.sleep(len(rows) + 1 - (time.monotonic() - began))
            # Not awaited, because a server that stands still must not delay the rows.
            if asked.done():
                messages, asked = asked.result(), asyncio.create_task(self._total())
            counts, self._mix.counts = self._mix.counts, Counts()
            usage = self._server.usage()
            rows.append(
                Row(
                    elapsed_s=len(rows) + 1,
                    resident_mb=round(usage.resident, 1),
                    descriptors=usage.descriptors,
                    threads=usage.threads,
                    processor_percent=round((usage.processor - used.processor) * 100),
                    requests=counts.requests,
                    unasked_5xx=counts.unasked,
                    p50_ms=round(quantile(counts.waits, 0.5) * 1000, 1),
                    p99_ms=round(quantile(counts.waits, 0.99) * 1000, 1),
                    max_ms=round(max(counts.waits, default=0) * 1000, 1),
                    backlog=self._ledger.backlog(time.monotonic()),
                    webhooks=self._receivers.count - accepted,
                    messages=messages,
                    pauses=self._pauses - pauses,
                )
            )
            used, accepted, pauses = usage, self._receivers.count, self._pauses
        await asked

    async def _without_clients(self, before: Usage) -> Usage:
        """Disconnect, and return the server's usage once it has noticed."""
        self._client.close()
        self._receivers.close()
        until = time.monotonic() + _CLOSED
        while (usage := self._server.usage()).descriptors > before.descriptors:
            if time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        return usage

    async def _kept(self) -> list[str]:
        """Return what is wrong with the messages that the sandbox still has."""
        present: dict[str, Any] = {}
        for token in ACCOUNTS:
            async for message in self._listed(token):
                present[message["id"]] = message
        total = await self._total()
        self._outcome.notes.append(f"{len(present)} messages read at the end, {total} kept")
        self._client.close()
        unfinished = [
            f"{identifier} to {each['to']} is {each['status']}"
            for identifier, owed in self._ledger.owed.items()
            for each in present.get(identifier, {"recipients": []})["recipients"]
            if each["status"] != final_status(owed.recipients[each["to"]])
        ]
        return [*self._ledger.missing(present, total, self._keep), *unfinished[:_SHOWN]]

    def _trends(self) -> Iterator[str]:
        """Yield what is wrong with the figures; how fast it is depends on the machine."""
        rows = self._outcome.rows
        for start in range(len(rows) - _SILENCE + 1):
            if not any(row.requests for row in rows[start : start + _SILENCE]):
                yield f"Nothing was answered from {start} s to {start + _SILENCE} s."
        most = max(row.resident_mb for row in rows)
        if most > _MOST:
            yield f"{most} MB were resident, more than {_MOST}."
        # The last two sixths: before them, the journals of most accounts are still being filled.
        sixth = len(rows) // 6
        before = median(row.resident_mb for row in rows[-2 * sixth : -sixth])
        last = median(row.resident_mb for row in rows[-sixth:])
        if self._seconds >= _TREND and last > before * _GROWTH:
            yield f"Memory grows: {before} MB in the last sixth but one, {last} MB in the last."

    async def _stopped(self) -> list[str]:
        """Stop the sandbox while all that can hang does, and return what is wrong with that."""
        client, hanging = self._client, self._receivers.failed["hang"] + _HANGING
        urls = [self._receivers.url("hang")] * _HANGING
        urls += [f"http://{number}.hangs.test/" for number in range(_HANGING)]
        wait = "/_sandbox/messages/wait?q=never&timeout=60"
        async with ignored(self._server.port, (None, CALLBACK)):
            waits = [asyncio.create_task(client.call("GET", wait, token=QUIET)) for _ in urls]
            for url in urls:
                body = {"to": "+256701234567", "message": "x", "callbackUrl": url}
                await client.call("POST", SMS, body, token=FAILING)
            while self._receivers.failed["hang"] < hanging:
                await asyncio.sleep(0.1)
            seconds = await asyncio.to_thread(self._server.stop)
            await asyncio.gather(*waits)
        client.close()
        status = self._server.status
        ended = f"SIGTERM ended it after {seconds:.2f} s, with status {status}"
        self._outcome.notes.append(ended)
        return [] if seconds <= STOPPED and status == 0 else [ended]

    async def _total(self) -> int:
        """Return how many messages are kept."""
        answer = await self._client.call("GET", "/_sandbox/messages?limit=1")
        total: int = answer.content.get("total", 0)
        return total

    async def _listed(self, token: str) -> AsyncIterator[Any]:
        """Yield all messages of an account."""
        path = "/_sandbox/messages?limit=1000"
        before = ""
        while True:
            page = (await self._client.call("GET", path + before, token=token)).content.get("data")
            if not page:
                return
            for message in page:
                yield message
            before = f"&before={page[-1]['id']}"
