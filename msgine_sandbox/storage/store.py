"""The whole store: the one database, and the rows of each noun on it."""

from msgine_sandbox.storage.accounts import AccountRows
from msgine_sandbox.storage.database import MEMORY, Database
from msgine_sandbox.storage.devices import DeviceRows
from msgine_sandbox.storage.faults import FaultRows
from msgine_sandbox.storage.idempotency import IdempotencyRows
from msgine_sandbox.storage.messages import MessageRows
from msgine_sandbox.storage.steps import StepRows
from msgine_sandbox.storage.tallies import TallyRows
from msgine_sandbox.storage.webhooks import WebhookRows


class Store:
    """What the rest of the house sees of storage: `async with store.unit:` and rows by noun."""

    def __init__(self, path: str = MEMORY) -> None:
        self.unit = Database(path)
        self.accounts = AccountRows(self.unit)
        self.messages = MessageRows(self.unit)
        self.steps = StepRows(self.unit)
        self.keys = IdempotencyRows(self.unit)
        self.webhooks = WebhookRows(self.unit)
        self.faults = FaultRows(self.unit)
        self.devices = DeviceRows(self.unit)
        self.tallies = TallyRows(self.unit)

    async def largest_id(self) -> int:
        """Give the largest number that a row was given, or 0."""
        numbers = [
            self.unit.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
            for table in ("messages", "steps", "notices", "attempts", "faults", "devices")
        ]
        return max(number or 0 for number in numbers)

    async def clear(self, account: int | None) -> None:
        """Delete all that an account, or every account, has; the accounts themselves stay."""
        await self.clear_messages(account)
        await self.keys.clear(account)
        await self.faults.remove(account)
        await self.devices.clear(account)

    async def clear_messages(self, account: int | None) -> int:
        """Delete messages with their steps and webhooks; tell how many messages there were."""
        await self.steps.clear(account)
        await self.webhooks.clear(account)
        await self.tallies.clear(account)
        return await self.messages.clear(account)

    def close(self) -> None:
        """Let go of the file."""
        self.unit.close()
