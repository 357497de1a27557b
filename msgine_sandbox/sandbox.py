"""The sandbox: the only place that builds the services and connects them."""

import sys
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from msgine_sandbox.asgi.connections import MAX_IDLE, MAX_SECONDS, Connections
from msgine_sandbox.asgi.tickets import Tickets
from msgine_sandbox.model.bound import Bound
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.choices import DeliveryMode
from msgine_sandbox.model.clock import Clocks, RealTime, seconds
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.phone_numbers import NumberingPlan
from msgine_sandbox.model.slices import SLICE
from msgine_sandbox.services import journal
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.analytics import Analytics
from msgine_sandbox.services.bus import Bus
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.client_warnings import (
    PollingDetector,
    RetryDetector,
    runs_in_container,
)
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.devices import Devices
from msgine_sandbox.services.drafts import ChannelService
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.email import EmailService
from msgine_sandbox.services.faults import MAX_FAULTS, Faults
from msgine_sandbox.services.feed import MAX_BYTES, MAX_EVENTS, Feed
from msgine_sandbox.services.idempotency import Idempotency
from msgine_sandbox.services.inbox import LOOKED_AT, LOOKED_AT_TOGETHER, Inbox
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.lifecycle import Lifecycle
from msgine_sandbox.services.messages import Messages
from msgine_sandbox.services.patterns import MAX_SECONDS as MAX_PATTERN_SECONDS
from msgine_sandbox.services.patterns import Patterns
from msgine_sandbox.services.plans import Plans
from msgine_sandbox.services.push import PushService
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.reset import Reset
from msgine_sandbox.services.retention import PERIOD, Keep, Retention
from msgine_sandbox.services.scheduler import Scheduler
from msgine_sandbox.services.sms import SmsService
from msgine_sandbox.services.time_travel import TimeTravel
from msgine_sandbox.services.upcoming import Upcoming
from msgine_sandbox.services.waits import Waits
from msgine_sandbox.services.webhooks.authorities import Authorities
from msgine_sandbox.services.webhooks.planner import WebhookPlanner
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.services.webhooks.targets import Targets
from msgine_sandbox.services.webhooks.turns import MAX_IN_FLIGHT
from msgine_sandbox.settings import Settings, SettingsError
from msgine_sandbox.storage import webhooks
from msgine_sandbox.storage.file import MEMORY
from msgine_sandbox.storage.store import Store


def _descriptors() -> int:
    """Return how many files and connections this process may have open."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


_DESCRIPTORS: Final = _descriptors()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept, and for how long; tests set small bounds, which they can reach."""

    journal_per_account: int = journal.PER_ACCOUNT.entries
    journal_bytes_per_account: int = journal.PER_ACCOUNT.size
    journal_without_account: int = journal.WITHOUT_ACCOUNT.entries
    journal_bytes_without_account: int = journal.WITHOUT_ACCOUNT.size
    journal_entries: int = journal.IN_ALL.entries
    journal_bytes: int = journal.IN_ALL.size
    attempts_per_account: int = webhooks.PER_ACCOUNT.entries
    attempt_bytes_per_account: int = webhooks.PER_ACCOUNT.size
    attempts: int = webhooks.IN_ALL.entries
    attempt_bytes: int = webhooks.IN_ALL.size
    feed_events: int = MAX_EVENTS
    feed_bytes: int = MAX_BYTES
    faults: int = MAX_FAULTS
    slice_seconds: float = SLICE
    looked_at: int = LOOKED_AT
    looked_at_together: int = LOOKED_AT_TOGETHER
    pattern_seconds: float = MAX_PATTERN_SECONDS
    connections: int = max(_DESCRIPTORS * 3 // 4 - 64, _DESCRIPTORS // 4)
    idle_connections: int = min(MAX_IDLE, _DESCRIPTORS // 4)
    request_seconds: float = MAX_SECONDS
    webhooks_in_flight: int = min(MAX_IN_FLIGHT, _DESCRIPTORS // 4)
    retention_period: float = PERIOD


class Sandbox:
    """The services of one sandbox, in calling order: each takes those that it calls."""

    def __init__(
        self,
        settings: Settings,
        *,
        in_process: bool = False,
        in_container: bool | None = None,
        bounds: Bounds = Bounds(),  # noqa: B008  (frozen)
    ) -> None:
        """Build the services; nothing runs before `lifecycle.start`.

        `in_process` is whether the code under test calls the application in this process, where an
        event loop may end without `lifecycle.close`. `in_container` is whether this process runs in
        another container than that code; None means to detect it.

        Raises:
            SettingsError: a file with certificate authorities cannot be used.
            DatabaseUnusable: the database file cannot be used.
        """
        self.settings = settings
        self.in_process = in_process
        authorities = self._authorities()
        self.real = RealTime()
        self.ids = Ids(self.real)
        self.tickets = Tickets(self.real)
        self.form = AnswerForm(settings.answers)
        self.bus = Bus()
        self.connections = Connections(
            max_open=bounds.connections,
            max_idle=bounds.idle_connections,
            max_seconds=bounds.request_seconds,
        )
        clocks = Clocks(self.real)
        self.store = Store(
            clocks,
            settings.database or MEMORY,
            attempts_per_account=Bound(
                bounds.attempts_per_account, bounds.attempt_bytes_per_account
            ),
            attempts_in_all=Bound(bounds.attempts, bounds.attempt_bytes),
        )
        self.targets = Targets(settings.webhook_policy)
        self.accounts = Accounts(self.store, clocks, settings.tier, settings.token)
        self.due_queue = DueQueue(self.accounts, self.real)
        self.idempotency = Idempotency(
            self.store, self.accounts, strict=settings.strict_idempotency
        )
        self.rate_limit = RateLimit()
        self.journal = Journal(
            self.bus,
            per_account=Bound(bounds.journal_per_account, bounds.journal_bytes_per_account),
            without_account=Bound(
                bounds.journal_without_account, bounds.journal_bytes_without_account
            ),
            in_all=Bound(bounds.journal_entries, bounds.journal_bytes),
        )
        self.retries = RetryDetector()
        self.polling = PollingDetector(self.form)
        self.coverage = Coverage(self.bus)
        self.analytics = Analytics(self.store, clocks)
        self.faults = Faults(self.store, self.ids, max_faults=bounds.faults)
        self.deliveries = Deliveries(
            self.store,
            self.accounts,
            self.due_queue,
            self.bus,
            self.analytics,
            WebhookPlanner(self.store, self.accounts, self.faults, self.ids),
        )
        self.carrier = carrier = self._carrier()
        self.channels = self._channels(carrier)
        self.devices = Devices(self.store, self.accounts, self.ids)
        self.messages = Messages(
            self.store,
            self.accounts,
            self.due_queue,
            self.bus,
            self.deliveries,
            self.analytics,
            carrier,
            self.faults,
            self.ids,
            self.real,
        )
        self.patterns = Patterns(max_seconds=bounds.pattern_seconds)
        slices = bounds.slice_seconds
        self.inbox = Inbox(
            self.store,
            self.accounts,
            self.deliveries,
            self.bus,
            slice_seconds=slices,
            looked_at=bounds.looked_at,
            looked_at_together=bounds.looked_at_together,
        )
        self.waits = Waits(self.store, self.inbox, carrier, self.bus, slice_seconds=slices)
        self.feed = Feed(
            self.bus, carrier, self.ids, max_events=bounds.feed_events, max_bytes=bounds.feed_bytes
        )
        self.sender = WebhookSender(
            self.store,
            self.accounts,
            self.due_queue,
            self.bus,
            self.journal,
            self.ids,
            self.real,
            self.targets,
            authorities,
            self.form,
            settings.webhook_timeout,
            most_in_flight=bounds.webhooks_in_flight,
            in_container=runs_in_container() if in_container is None else in_container,
            keep_alive=not in_process,
        )
        scheduler = Scheduler(
            self.store, self.accounts, self.due_queue, carrier, self.sender, self.real
        )
        self.upcoming = Upcoming(self.store, self.accounts)
        self.time_travel = TimeTravel(
            self.store, self.accounts, self.upcoming, scheduler, self.real
        )
        self.reset = Reset(
            self.store,
            self.accounts,
            scheduler,
            self.rate_limit,
            self.journal,
            self.retries,
            self.coverage,
            self.inbox,
            self.deliveries,
            self.faults,
            self.messages,
        )
        self.lifecycle = Lifecycle(
            self.store,
            self.accounts,
            self.faults,
            self.idempotency,
            self.inbox,
            self.waits,
            self.upcoming,
            scheduler,
            self.sender,
            Retention(
                self.store,
                self.accounts,
                self.bus,
                self.real,
                self._keep(),
                period=bounds.retention_period,
            ),
            self.bus,
            self.ids,
            self.real,
        )

    def _keep(self) -> Keep:
        settings = self.settings
        return Keep.of(
            settings.keep_messages,
            settings.keep_megabytes,
            settings.keep_for,
            in_memory=settings.database is None,
        )

    def _authorities(self) -> Authorities:
        try:
            return Authorities(self.settings.webhook_ca)
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def _carrier(self) -> Carrier:
        settings = self.settings
        plans = Plans(
            seconds(settings.sent_after),
            seconds(settings.delivered_after),
            by_clock=settings.delivery is DeliveryMode.AUTO,
        )
        return Carrier(
            self.store,
            self.accounts,
            self.due_queue,
            self.bus,
            self.ids,
            self.deliveries,
            plans,
        )

    def _channels(self, carrier: Carrier) -> Mapping[Channel, ChannelService[Any]]:
        numbering_plan = NumberingPlan(self.settings.number_check)
        services: list[ChannelService[Any]] = [
            SmsService(carrier, numbering_plan),
            EmailService(carrier),
            PushService(self.store, carrier),
        ]
        return {service.channel: service for service in services}
