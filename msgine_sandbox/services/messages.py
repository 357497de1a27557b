"""Accepting messages: one transaction for a message, its planned steps, and its idempotency key."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant, RealTime
from msgine_sandbox.model.delivery import Status, StatusChange
from msgine_sandbox.model.fault import Fault
from msgine_sandbox.model.idempotency import StoredAnswer
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.step import Step
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.analytics import Analytics
from msgine_sandbox.services.bus import Bus, MessageAccepted, StatusesChanged
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.drafts import SendContext
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.storage.messages import changing
from msgine_sandbox.storage.store import Store


class Messages:
    """Accepts the messages that the channels have composed."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        due_queue: DueQueue,
        bus: Bus,
        deliveries: Deliveries,
        analytics: Analytics,
        carrier: Carrier,
        faults: Faults,
        ids: Ids,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._due_queue = due_queue
        self._bus = bus
        self._deliveries = deliveries
        self._analytics = analytics
        self._carrier = carrier
        self._faults = faults
        self._ids = ids
        self._real = real
        self.accepted: Counter[tuple[Channel, Status]] = Counter()
        """How many were accepted since the start, by the status that is planned as their last."""

    def send_context(self, account: Account, request_id: str) -> SendContext:
        """Return the context of a message that an account's request asks for, with the time."""
        # Later than the request's `now`, where a fault or another request with its idempotency key
        # has delayed it.
        real = self._real.now()
        now, message_id = self._accounts.at(account.id, real), self._ids.next(now=real)
        return SendContext(account, request_id, message_id, now)

    async def decided(self, message: Message) -> tuple[Message, Collection[Fault]]:
        """Return a new message as faults have decided its deliveries, and the faults for `accept`.

        Nothing between the two may suspend, so that draws are in the order of acceptance.
        """
        faults = await self._faults.decide(message)
        if faults.acting:
            message = self._carrier.decided(message, faults.acting)
        return message, faults.counted

    async def accept(
        self,
        message: Message,
        answer: StoredAnswer | None = None,
        counted: Collection[Fault] = (),
    ) -> None:
        """Store a message with its steps and the answer to its key; return once committed.

        With it the counts of faults that have decided its deliveries, or could have, are stored.
        """
        # Planned outside of the transaction: one that fails would fail all others in its batch.
        steps = self._carrier.steps(message)
        # The first statuses of a push precede the response; no other message has any yet.
        changes = _changes_so_far(message) if message.timelines.known > 1 else []
        async with self._store.write():
            await self._store.messages.add(message)
            await self._analytics.accepted(message)
            if steps:
                await self._store.steps.add(steps)
            if counted:
                await self._faults.count(counted)
            if answer is not None:
                await self._store.idempotency.remember(answer)
            if changes:
                await self._deliveries.enqueue_webhooks(changing(message), changes)
            self._store.after_commit(partial(self._accepted, message, steps, changes))

    async def restore(self, message: Message, since: Instant) -> None:
        """Store a message of a scenario with its steps, inside a write transaction.

        What has happened to it up to `since` is told to nobody.
        """
        steps = self._carrier.steps(message, since)
        is_told = message.timelines.known > 1 and not since  # as in `accept`
        changes = _changes_so_far(message) if is_told else []
        await self._store.messages.add(message)
        await self._analytics.accepted(message)
        if steps:
            await self._store.steps.add(steps)
        if changes:
            await self._deliveries.enqueue_webhooks(changing(message), changes)
        self._store.after_commit(partial(self._accepted, message, steps, changes))

    def _accepted(
        self, message: Message, steps: Sequence[Step], changes: Sequence[StatusChange]
    ) -> None:
        if steps:
            self._due_queue.schedule(steps)
        self.accepted[message.channel, message.timelines.form.end_status] += 1
        self._bus.announce(MessageAccepted(message))
        if changes:
            self._bus.announce(StatusesChanged(message.account, changes))


def _changes_so_far(message: Message) -> list[StatusChange]:
    """Return the status changes that a push has had when it is accepted; others have none."""
    return [
        StatusChange(message.id, position, status, at, delivery.reason)
        for position, delivery in enumerate(message.deliveries)
        for status, at in delivery.history[1:]
    ]
