"""Metrics of the whole sandbox, for which nothing stored is looked through."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.messages import Messages
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.storage.steps import StepRows

_MOST_STEPS: Final = 10_000
_MOST_ACCOUNTS: Final = 1000
_LAG_PERIOD: Final = 0.25  # seconds between two measurements
_MEASURED_FOR: Final = 600  # seconds after a scrape: where nobody scrapes, nothing is measured
_STATM: Final = Path("/proc/self/statm")


class Metrics:
    """Reads what the services count as things happen, from the start of the process on."""

    def __init__(
        self,
        journal: Journal,
        messages: Messages,
        sender: WebhookSender,
        accounts: Accounts,
        steps: StepRows,
    ) -> None:
        self.requests = journal.statuses
        self.messages = messages.accepted
        self.attempts = sender.outcomes
        self.lag = LoopLag()
        self._accounts = accounts
        self._steps = steps

    @property
    def account_count(self) -> int:
        """How many accounts there are."""
        return len(self._accounts.ids(None))

    async def steps_due(self) -> int:
        """Return how many steps are due and not yet performed: at most 10,000, of 1,000 accounts.

        So the count costs the same however many are planned.
        """
        count, slices = 0, Slices()
        async for account in self._steps.next_accounts(_MOST_ACCOUNTS):
            if self._accounts.find(account) is not None:
                now = self._accounts.now(account)
                count += await self._steps.count_due(account, now, limit=_MOST_STEPS - count)
            if count == _MOST_STEPS:
                break
            await slices.pause()
        return count


class LoopLag:
    """Measures how late the event loop is, while somebody asks for it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._until = 0.0
        self._largest = 0.0

    async def largest(self) -> float:
        """Return the longest delay in seconds since this was last asked for, and measure on."""
        loop = asyncio.get_running_loop()
        begun, turn = loop.time(), loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn
        largest = max(self._largest, loop.time() - begun)
        is_measuring = self._loop is loop and begun < self._until
        self._largest, self._until = 0.0, begun + _MEASURED_FOR
        if not is_measuring:
            self._loop = loop
            self._measure(loop, loop.time() + _LAG_PERIOD)
        return largest

    def _measure(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        def measured() -> None:
            now = loop.time()
            if self._loop is loop:  # else another one uses the sandbox now
                self._largest = max(self._largest, now - due)
                if now < self._until:
                    self._measure(loop, now + _LAG_PERIOD)

        loop.call_at(due, measured)


def resident_memory() -> int | None:
    """Return how many bytes of memory this process takes, or None where the system does not say."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    import resource  # here, because Windows has none, nor the file that was just read

    return pages * resource.getpagesize()
