"""Accepting messages: one transaction for a message, what will become of it, and its key."""

from collections.abc import Callable, Sequence

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.analytics import Analytics
from msgine_sandbox.domain.deliveries import Deliveries
from msgine_sandbox.domain.drafts import Origin
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.events import MessageAccepted, StatusesChanged
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.step import Step
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline

Plan = Callable[[Message], Sequence[Step]]


class Messages:
    """Accepts what the channels have composed."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        timeline: Timeline,
        bus: Bus,
        deliveries: Deliveries,
        analytics: Analytics,
        plan: Plan,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._bus = bus
        self._deliveries = deliveries
        self._analytics = analytics
        self._plan = plan

    def origin(self, account: Account, request_id: str) -> Origin:
        """Give what a message of an account's request begins with."""
        return Origin(account, request_id, self._accounts.now(account.id))

    async def accept(self, message: Message, answer: Remembered | None = None) -> None:
        """Store a message, its steps and the answer to its key; leave once all is committed."""
        plan = self._plan(message)
        taken = _taken_already(message)
        async with self._store.unit:
            await self._store.messages.add(message)
            await self._analytics.accepted(message)
            await self._store.steps.add(plan)
            if answer is not None:
                await self._store.keys.remember(answer)
            if taken:
                await self._deliveries.tell(message.account, taken)
            self._timeline.planned(plan)
        self._bus.announce(MessageAccepted(message))
        if taken:
            self._bus.announce(StatusesChanged(message.account, taken))


def _taken_already(message: Message) -> list[Move]:
    """Give the steps that a message has behind it when it is accepted; most have none."""
    return [
        Move(message.id, position, status, at, delivery.reason)
        for position, delivery in enumerate(message.deliveries)
        for status, at in delivery.history[1:]
    ]
