"""The only place where parts are built and joined."""

from msgine_sandbox.bus import Bus
from msgine_sandbox.delivery.carrier import Carrier, courses
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.analytics import Analytics
from msgine_sandbox.domain.clocks import Clocks
from msgine_sandbox.domain.coverage import Coverage
from msgine_sandbox.domain.deliveries import Deliveries
from msgine_sandbox.domain.devices import Devices
from msgine_sandbox.domain.email import Email
from msgine_sandbox.domain.faults import Faults
from msgine_sandbox.domain.feed import Feed
from msgine_sandbox.domain.idempotency import Idempotency
from msgine_sandbox.domain.inbox import Inbox
from msgine_sandbox.domain.journal import Journal
from msgine_sandbox.domain.messages import Messages
from msgine_sandbox.domain.polls import Polls
from msgine_sandbox.domain.push import Push
from msgine_sandbox.domain.rate_limit import RateLimit
from msgine_sandbox.domain.reset import Reset
from msgine_sandbox.domain.retries import Retries
from msgine_sandbox.domain.sms import Sms
from msgine_sandbox.edge.connections import Connections
from msgine_sandbox.model.clock import RealTime, seconds
from msgine_sandbox.model.events import Stopping
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.phone import Numbering
from msgine_sandbox.settings import DeliveryMode, Settings
from msgine_sandbox.storage.database import MEMORY
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline
from msgine_sandbox.webhooks.notices import Notices
from msgine_sandbox.webhooks.policy import Targets
from msgine_sandbox.webhooks.remarks import in_container
from msgine_sandbox.webhooks.sender import Sender


class Sandbox:
    """All parts of one sandbox, alive from `start` to `close`."""

    def __init__(self, settings: Settings, *, contained: bool | None = None) -> None:
        """Build everything; whether this is a container it finds out, unless it is said.

        Raises:
            DatabaseUnusable: the database file cannot be used.
        """
        self.settings = settings
        self.port: int | None = None
        self.stopping = False
        self.real = RealTime()
        self.ids = Ids(self.real)
        self.bus = Bus()
        self.connections = Connections()
        self.store = Store(settings.database or MEMORY)
        self.accounts = Accounts(self.store, self.real, settings.tier, settings.token)
        self.rate_limit = RateLimit()
        self.idempotency = Idempotency(
            self.store, self.accounts, strict=settings.strict_idempotency
        )
        self.faults = Faults(self.store, self.ids)
        self.timeline = Timeline(self.store, self.accounts, self.real)
        self.clocks = Clocks(self.store, self.accounts, self.timeline, self.real)
        self.journal = Journal(self.bus)
        self.retries = Retries()
        self.polls = Polls()
        self.coverage = Coverage(self.bus)
        self.feed = Feed(self.bus, self.ids)
        self.inbox = Inbox(self.store, self.accounts, self.bus)
        self.reset = Reset(
            self.store,
            self.accounts,
            self.timeline,
            (
                self.rate_limit.forget,
                self.journal.forget,
                self.retries.forget,
                self.coverage.forget,
                self.inbox.emptied,
            ),
        )
        self.sender = Sender(
            self.store,
            self.accounts,
            self.timeline,
            self.bus,
            self.journal,
            self.ids,
            self.real,
            Targets(settings.webhook_policy, lambda: self.port),
            settings.webhook_timeout,
            contained=in_container() if contained is None else contained,
        )
        self.analytics = Analytics(self.store)
        self.devices = Devices(self.store, self.ids, self.accounts.now)
        notices = Notices(self.store, self.accounts, self.faults, self.ids)
        self.deliveries = Deliveries(
            self.store,
            self.accounts,
            self.timeline,
            self.bus,
            self.analytics,
            notices.heard,
            notices.plan,
        )
        carrier = self._carrier()
        self.messages = Messages(
            self.store,
            self.accounts,
            self.timeline,
            self.bus,
            self.deliveries,
            self.analytics,
            carrier.plan,
        )
        self.sms = Sms(self.ids, Numbering(strict=settings.strict_numbers))
        self.email = Email(self.ids)
        self.push = Push(self.ids, carrier.opening)
        self.timeline.connect(carrier.perform, self.sender.perform)
        self.started = False

    async def start(self) -> None:
        """Take up what the store knows of; does nothing the second time."""
        if not self.started:
            self.started = True
            # Neither identifiers nor time go back, even if the machine's clock did meanwhile.
            self.real.not_before(self.ids.beyond(await self.store.largest_id()))
            await self.accounts.load()
            await self.faults.load()
            await self.timeline.resume()

    def stop(self) -> None:
        """Let nobody wait any more; `close` follows when the last answer is out."""
        self.stopping = True
        self.bus.announce(Stopping())

    async def close(self) -> None:
        """Stop what is under way and let go of the store."""
        await self.timeline.close()
        await self.sender.close()
        self.store.close()

    def _carrier(self) -> Carrier:
        settings = self.settings
        by_clock = settings.delivery is DeliveryMode.AUTO
        drawn = courses(seconds(settings.sent_after), seconds(settings.delivered_after))
        return Carrier(self.store, self.bus, self.ids, self.deliveries, drawn if by_clock else None)
