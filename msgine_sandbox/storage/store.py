"""The whole store: one database, and the rows of each noun in it."""

import asyncio
from contextlib import AbstractAsyncContextManager

from msgine_sandbox.model.bound import Bound
from msgine_sandbox.model.clock import Clocks
from msgine_sandbox.storage.accounts import AccountRows
from msgine_sandbox.storage.database import Database
from msgine_sandbox.storage.devices import DeviceRows
from msgine_sandbox.storage.faults import FaultRows
from msgine_sandbox.storage.file import MEMORY
from msgine_sandbox.storage.filter import functions
from msgine_sandbox.storage.idempotency import IdempotencyRows
from msgine_sandbox.storage.messages import MessageRows
from msgine_sandbox.storage.removal import Removal
from msgine_sandbox.storage.searches import Searches
from msgine_sandbox.storage.steps import StepRows
from msgine_sandbox.storage.tallies import TallyRows
from msgine_sandbox.storage.upcoming import UpcomingRows
from msgine_sandbox.storage.webhooks import IN_ALL, PER_ACCOUNT, WebhookRows


class Store:
    """Reads rows at any time, and writes them inside `async with store.write():`."""

    def __init__(
        self,
        clocks: Clocks,
        path: str = MEMORY,
        *,
        attempts_per_account: Bound = PER_ACCOUNT,
        attempts_in_all: Bound = IN_ALL,
    ) -> None:
        self.database = Database(path, functions(clocks))
        self.accounts = AccountRows(self.database)
        self.messages = MessageRows(self.database, clocks)
        self.searches = Searches(self.database, clocks)
        self.steps = StepRows(self.database)
        self.upcoming = UpcomingRows(self.database)
        self.idempotency = IdempotencyRows(self.database)
        self.webhooks = WebhookRows(
            self.database, per_account=attempts_per_account, in_all=attempts_in_all
        )
        self.removal = Removal(self.database, self.webhooks, clocks)
        self.faults = FaultRows(self.database)
        self.devices = DeviceRows(self.database)
        self.tallies = TallyRows(self.database)
        self.settled = self.database.settled
        self.after_commit = self.database.after_commit
        self.on_rollback = self.database.on_rollback
        self.unavailable = self.database.unavailable
        self.check_disk = self.database.check_disk

    def write(self) -> AbstractAsyncContextManager[None]:
        """Return a write transaction; its block may await nothing but the store."""
        return self.database

    async def largest_id(self) -> int:
        """Return the largest id that `Ids` has assigned to a row, or 0."""
        ids = [
            self.database.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
            for table in ("messages", "steps", "webhook_events", "attempts", "faults", "devices")
        ]
        return max(each or 0 for each in ids)  # an empty table has no largest

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let an event loop use the store from now on.

        Raises:
            DatabaseUnusable: the file, which had been closed, cannot be opened again.
        """
        self.database.enter(loop)

    def close(self) -> None:
        """Commit and close the file."""
        self.database.close()
