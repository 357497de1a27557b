"""Starting and stopping: what is read before the first request, and closed after the last."""

from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.storage.store import Store


class Lifecycle:
    """Starts and stops the services."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        faults: Faults,
        scheduler: Scheduler,
        sender: WebhookSender,
        bus: Bus,
        ids: Ids,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._faults = faults
        self._scheduler = scheduler
        self._sender = sender
        self._bus = bus
        self._ids = ids
        self._real = real
        self.started = False

    async def start(self) -> None:
        """Read what the store has, and resume what is planned; without effect the second time."""
        if self.started:
            return
        # Nothing below suspends, so no other request is handled before all of it is done.
        self.started = True
        # Neither identifiers nor time go back, even if the machine's clock did meanwhile.
        self._real.not_before(self._ids.continue_after(await self._store.largest_id()))
        await self._accounts.load()
        await self._faults.load()
        await self._scheduler.start()

    def stop(self) -> None:
        """End every wait and stream; `close` follows when the last response is sent."""
        self._bus.stop()

    async def close(self) -> None:
        """Stop what is in progress, and close the store."""
        await self._scheduler.close()
        await self._sender.close()
        self._store.close()
