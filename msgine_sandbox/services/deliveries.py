"""What follows from a status that begins or is set by hand: webhooks, and those who listen."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.clock import ClockState, Instant
from msgine_sandbox.model.delivery import NEXT, Recipient, Status, StatusChange, Timelines
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.step import Step
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.analytics import Analytics
from msgine_sandbox.services.bus import Bus, StatusesChanged
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.webhooks.planner import WebhookPlanner
from msgine_sandbox.storage.messages import Changing
from msgine_sandbox.storage.store import Store

FAILED_BY_HAND: Final = "Failed by hand"
_EVENTS_TOGETHER: Final = 200
"""Webhooks that are planned in one transaction, about: it takes some milliseconds."""


class Deliveries:
    """Plans what follows from statuses that begin, and sets them for calls of the control API."""

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

    async def tell(self, steps: Sequence[Step]) -> Sequence[StatusChange]:
        """Plan the webhooks of the first of an account's steps, inside a write transaction.

        Return the status changes that those steps are about, and remove them. During a clock move
        it stops before the first change that is later than a webhook caused by those before it, so
        that a receiver that reads the message sees the status that its webhook reports. It also
        stops where it has planned many webhooks, so that others have their turn.
        """
        account = steps[0].account
        messages = await self._store.messages.timelines({step.message for step in steps})
        changes = [
            change
            for step in steps
            if (message := messages.get(step.message)) is not None
            for change in message.timelines.changes(step.message, step.due, step.subject)
        ]
        subscribed = self._planner.subscribed(account, changes, messages)
        if not subscribed:
            await self._store.steps.remove(steps)
            return changes
        is_moved = self._accounts.clock_state(account) is ClockState.MOVING
        until = (subscribed if is_moved else changes[-1:])[0].at
        told = changes[: self._count_together(account, changes, until)]
        await self._remove(steps, messages, told[-1])
        if len(told) < len(changes):
            subscribed = self._planner.subscribed(account, told, messages)
        await self._enqueue(account, subscribed, messages)
        return told

    def _count_together(self, account: int, changes: Sequence[StatusChange], until: Instant) -> int:
        together = [change for change in changes if change.at <= until]
        count = min(len(together), max(_EVENTS_TOGETHER // self._planner.most_urls(account), 1))
        # A step goes on with the next recipient, so one that changes twice at a time is not split.
        while count < len(together) and _place(changes[count]) == _place(changes[count - 1]):
            count += 1
        return count

    async def _remove(
        self, steps: Sequence[Step], messages: Mapping[int, Changing], last: StatusChange
    ) -> None:
        """Remove the steps up to a change; the step of the change goes on after it."""
        index = next(
            index
            for index, step in enumerate(steps)
            if (step.message, step.due) == (last.message, last.at)
        )
        await self._store.steps.remove(steps[: index + 1])
        if messages[last.message].timelines.changes(last.message, last.at, last.position + 1):
            rest = replace(steps[index], subject=last.position + 1, detail="")
            await self._store.steps.add([rest])

    async def enqueue_webhooks(self, message: Changing, changes: Sequence[StatusChange]) -> None:
        """Plan the webhooks of changes of a message, inside a write transaction."""
        messages = {message.id: message}
        subscribed = self._planner.subscribed(message.account, changes, messages)
        await self._enqueue(message.account, subscribed, messages)

    async def set_status(self, message_id: int, status: Status, to: Recipient | None) -> None:
        """Set the status of one recipient's delivery, or of all; where one cannot, none changes.

        Without effect where the message is gone.

        Raises:
            InvalidRequest: the recipient is not among the message's, or the lifecycle forbids it.
        """
        async with self._store.write():
            found = await self._store.messages.timelines([message_id])
            if message_id in found:
                await self._set_status(found[message_id], status, to)

    async def _set_status(self, message: Changing, status: Status, to: Recipient | None) -> None:
        now, seen = self._accounts.now(message.account), self._accounts.seen(message.account)
        reason = FAILED_BY_HAND if status is Status.FAILED else None
        changes = [
            StatusChange(message.id, position, status, now, reason)
            for position in _checked_positions(message, status, to, seen)
        ]
        await self.change(message, message.timelines.with_changes(changes, seen))
        await self.enqueue_webhooks(message, changes)
        changed = StatusesChanged(message.account, changes)
        self._store.after_commit(partial(self._bus.announce, changed))

    async def change(self, message: Changing, timelines: Timelines) -> None:
        """Store other timelines of a message, inside a write transaction."""
        await self._store.messages.change(message.id, timelines)
        await self._analytics.changed(message, timelines)

    async def stop(self, message_id: int) -> None:
        """Take from a message what is still to come, inside a write transaction."""
        found = await self._store.messages.timelines([message_id])
        for message in found.values():
            seen = self._accounts.seen(message.account)
            if message.timelines.ends_at > seen:
                await self.change(message, message.timelines.until(seen))

    async def _enqueue(
        self,
        account: int,
        changes: Sequence[StatusChange],
        messages: Mapping[int, Changing],
    ) -> None:
        steps = await self._planner.plan(account, changes, messages)
        await self._store.steps.add(steps)
        self._store.after_commit(partial(self._due_queue.schedule, steps))


def _place(change: StatusChange) -> tuple[int, int, Instant]:
    return change.message, change.position, change.at


def _checked_positions(
    message: Changing, status: Status, to: Recipient | None, now: Instant
) -> list[int]:
    chosen = [
        (position, recipient, present)
        for position, (recipient, present) in enumerate(
            zip(message.recipients, message.timelines.statuses_at(now), strict=True)
        )
        if to in {None, recipient}
    ]
    if not chosen:
        raise InvalidRequest(
            "The message does not go to that recipient",
            field="to",
            value=to,
            expected=message.recipients,
        )
    for _, recipient, present in chosen:
        if status not in NEXT[present]:
            raise InvalidRequest(
                f"{recipient} is {present} and cannot become {status}",
                field="status",
                value=status,
                expected=sorted(NEXT[present]),
            )
    return [position for position, _, _ in chosen]
