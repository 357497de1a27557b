"""Changing the status of deliveries, and planning the webhooks that report the changes."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec

from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import NEXT, Message, Recipient, Status, StatusChange
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.analytics import Analytics
from msgine_sandbox.services.bus import Bus, StatusesChanged
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.webhooks.planner import WebhookPlanner
from msgine_sandbox.storage.store import Store

FAILED_BY_HAND: Final = "Failed by hand"
_EVENTS_TOGETHER: Final = 200
"""Webhooks that are planned in one transaction, about: it takes some milliseconds."""


class Applied(msgspec.Struct, frozen=True):
    """Which status changes were applied."""

    done: int
    """How many of the changes asked for were processed, those without effect included."""
    changes: Sequence[StatusChange]
    """Those that had an effect."""


class Deliveries:
    """Changes the status of deliveries, for the carrier's steps or a call of the control API."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        due_queue: DueQueue,
        bus: Bus,
        analytics: Analytics,
        planner: WebhookPlanner,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._due_queue = due_queue
        self._bus = bus
        self._analytics = analytics
        self._planner = planner

    async def apply(self, account: int, changes: Sequence[StatusChange]) -> Applied:
        """Apply changes in order, inside a write transaction.

        It stops before the first change that is later than a webhook caused by those before it, so
        that during a clock move a receiver that reads the message sees the status that its webhook
        reports; and where it has planned many webhooks, so that others have their turn. A change
        that the lifecycle does not allow any more, because the developer has set another status
        meanwhile, has no effect.
        """
        subscribed = await self._planner.subscribed(account, changes)
        if not subscribed:
            # The usual case: all changes in one statement instead of one for each.
            applied = await self._store.messages.apply(changes)
            await self._analytics.changed(account, applied)
            return Applied(len(changes), applied)
        together = [change for change in changes if change.at <= subscribed[0].at]
        del together[max(_EVENTS_TOGETHER // self._planner.most_urls(account), 1) :]
        applied = [change for change in together if await self._store.messages.apply([change])]
        await self._analytics.changed(account, applied)
        await self._enqueue(account, filter(set(subscribed).__contains__, applied))
        return Applied(len(together), applied)

    async def enqueue_webhooks(self, account: int, changes: Sequence[StatusChange]) -> None:
        """Plan the webhooks of changes that are applied already, inside a write transaction."""
        await self._enqueue(account, await self._planner.subscribed(account, changes))

    async def set_status(self, message: Message, status: Status, to: Recipient | None) -> None:
        """Set the status of one recipient's delivery, or of all; where one cannot, none changes.

        Raises:
            InvalidRequest: the recipient is not among the message's, or the lifecycle forbids it.
        """
        positions = [
            position
            for position, delivery in enumerate(message.deliveries)
            if to in {None, delivery.recipient}
        ]
        if not positions:
            raise InvalidRequest(
                "The message does not go to that recipient",
                field="to",
                value=to,
                expected=message.recipients,
            )
        for position in positions:
            _check(message, position, status)
        now = self._accounts.now(message.account)
        reason = FAILED_BY_HAND if status is Status.FAILED else None
        changes = [StatusChange(message.id, each, status, now, reason) for each in positions]
        done: list[StatusChange] = []
        async with self._store.write():
            while changes:
                applied = await self.apply(message.account, changes)
                done += applied.changes
                changes = changes[applied.done :]
            changed = StatusesChanged(message.account, done)
            self._store.after_commit(partial(self._bus.announce, changed))

    async def _enqueue(self, account: int, changes: Iterable[StatusChange]) -> None:
        steps = await self._planner.plan(account, changes)
        await self._store.steps.add(steps)
        self._store.after_commit(partial(self._due_queue.schedule, steps))


def _check(message: Message, position: int, status: Status) -> None:
    delivery = message.deliveries[position]
    if not delivery.may_become(status):
        raise InvalidRequest(
            f"{delivery.recipient} is {delivery.status} and cannot become {status}",
            field="status",
            value=status,
            expected=sorted(NEXT[delivery.status]),
        )
