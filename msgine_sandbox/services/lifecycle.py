"""Starting and stopping, and which event loop the sandbox runs in: one at a time."""

import asyncio
import threading
from typing import Final

from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import ServiceUnavailable
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.services.idempotency import Idempotency
from msgine_sandbox.services.inbox import Inbox
from msgine_sandbox.services.retention import Retention
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.services.upcoming import Upcoming
from msgine_sandbox.services.waits import Waits
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.storage.file import DatabaseUnusable
from msgine_sandbox.storage.store import Store

_IN_USE: Final = (
    "This sandbox is in use by another event loop that is running: call it from one event loop at "
    "a time, or create an app for each"
)
_NOT_ASYNCIO: Final = "The sandbox runs on asyncio only, not on trio"


class Lifecycle:
    """Starts and stops the services, in one event loop at a time.

    A server has one event loop. Tests that call the application in their process may use many, one
    after the other and each in a thread of its own. All that is stored or in memory stays; what
    belongs to a loop, such as tasks and locks, ends with it and is made anew in the next one.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        faults: Faults,
        idempotency: Idempotency,
        inbox: Inbox,
        waits: Waits,
        upcoming: Upcoming,
        scheduler: Scheduler,
        sender: WebhookSender,
        retention: Retention,
        bus: Bus,
        ids: Ids,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._faults = faults
        self._idempotency = idempotency
        self._inbox = inbox
        self._waits = waits
        self._upcoming = upcoming
        self._scheduler = scheduler
        self._sender = sender
        self._retention = retention
        self._bus = bus
        self._ids = ids
        self._real = real
        self._loop: asyncio.AbstractEventLoop | None = None
        """The event loop that uses the sandbox, or used it last."""
        self._taking_over = threading.Lock()
        self.runs_in: asyncio.AbstractEventLoop | None = None
        """The same, once everything is started in it: then it need not call `start` again."""
        self._is_loaded = False

    async def start(self, *, briefly: bool = False) -> None:
        """Start in the current event loop; without effect where everything is started in it.

        `briefly` is for a loop that may end with the present request: nothing falls due by itself
        in it, or else it would depend on the speed of the machine whether it does before the end.
        If `start` is called again, the loop has gone on.

        Raises:
            ServiceUnavailable: another event loop that runs uses the sandbox, or the current one
                is not asyncio's, or the database file that was closed cannot be opened again.
        """
        is_new = self._take_over(_current_loop())
        # Nothing suspends before all of it is done, so no other request is handled before that.
        if not self._is_loaded:
            await self._load()
        goes_on = not (briefly and is_new)
        self._accounts.let_statuses_begin(by_themselves=goes_on)
        if goes_on:
            await self._scheduler.start()
            await self._retention.start()
            self.runs_in = self._loop
        if is_new:
            await self._retention.catch_up()

    def stop(self) -> None:
        """End every wait and stream; `close` follows when the last response is sent."""
        self._bus.stop()

    async def close(self) -> None:
        """Stop what is in progress, and close the database file; `start` goes on with it.

        Raises:
            ServiceUnavailable: another event loop that runs uses the sandbox.
        """
        self._take_over(_current_loop())
        await self._scheduler.close()
        await self._retention.close()
        await self._sender.close()
        self._store.close()
        self._loop = self.runs_in = None
        self._is_loaded = False

    def _take_over(self, loop: asyncio.AbstractEventLoop | None) -> bool:
        """Let a loop use the sandbox; return whether it is another one than before."""
        if loop is None:
            raise ServiceUnavailable(_NOT_ASYNCIO)
        with self._taking_over:
            if loop is self._loop:
                return False
            if self._loop is not None and self._loop.is_running():
                raise ServiceUnavailable(_IN_USE)
            # From here on the other threads' loops are refused, because this one is running.
            self._loop, self.runs_in = loop, None
        self._scheduler.leave_loop()
        self._retention.leave_loop()
        self._sender.leave_loop()
        self._idempotency.leave_loop()
        self._inbox.leave_loop()
        self._waits.leave_loop()
        self._upcoming.leave_loop()
        try:
            self._store.enter(loop)
        except DatabaseUnusable as unusable:
            self._loop = None
            raise ServiceUnavailable(str(unusable)) from unusable
        return True

    async def _load(self) -> None:
        # Neither identifiers nor time go back, even if the machine's clock did meanwhile.
        self._real.not_before(self._ids.continue_after(await self._store.largest_id()))
        await self._accounts.load()
        await self._faults.load()
        self._is_loaded = True


def _current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, or None where there is none of asyncio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
