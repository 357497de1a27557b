"""The carrier: plans the timelines of messages, and performs the steps about statuses."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from typing import Final

from msgspec.structs import replace

from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.delivery import (
    PlannedStatus,
    Recipient,
    Status,
    Timeline,
    Timelines,
    known_at_acceptance,
    planned_timelines,
    rule_of,
)
from msgine_sandbox.model.fault import Fault
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.step import SEND, Lane, Step
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import Bus, StatusesChanged
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.due_queue import DueQueue
from msgine_sandbox.services.magic import outcome_of
from msgine_sandbox.services.plans import UNPLANNED, Plans, scheduled
from msgine_sandbox.storage.messages import Changing
from msgine_sandbox.storage.store import Store

_FOLLOWED_TOGETHER: Final = 100
"""Messages that get their steps in one transaction."""


class Carrier:
    """Delivers messages as time passes.

    What is to come is in a message's timelines. There are steps only where somebody is to be told
    of a status when it begins: a receiver of webhooks, a wait, or a subscriber of the feed.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        due_queue: DueQueue,
        bus: Bus,
        ids: Ids,
        deliveries: Deliveries,
        plans: Plans,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._due_queue = due_queue
        self._bus = bus
        self._ids = ids
        self._deliveries = deliveries
        self._plans = plans
        self._heard: set[int] = set()
        """Accounts that are about to have webhook endpoints."""
        self._followed: set[int] = set()
        """Accounts in which everything that is under way has its steps."""
        self._without_steps = 0
        """Messages that were accepted without steps."""

    # Planning

    def planned(
        self,
        channel: Channel,
        recipients: Sequence[Recipient],
        created_at: Instant,
        scheduled_at: Instant | None,
    ) -> Timelines:
        """Return the timelines of a new message."""
        known = known_at_acceptance(channel, scheduled_at)
        plans = self._plans.built_in[channel]
        each = [plans[outcome_of(recipient).rule] for recipient in recipients]
        if scheduled_at is not None:
            if TRAITS[channel].settled_at_acceptance:
                # What the push service says of others than magic recipients depends on the devices
                # that are registered by then.
                each = [plan if rule_of(plan) is not None else UNPLANNED for plan in each]
            each = [scheduled(plan, scheduled_at - created_at) for plan in each]
        return planned_timelines(created_at, known, each)

    def decided(self, message: Message, faults: Mapping[Recipient, Fault]) -> Message:
        """Return a new message whose deliveries to some recipients faults have decided."""
        created_at, scheduled_at = message.created_at, message.scheduled_at
        each = [*message.timelines.each]
        for index, recipient in enumerate(message.recipients):
            if recipient in faults:
                plan = self._plans.of_fault(message.channel, faults[recipient])
                if scheduled_at is not None:
                    plan = scheduled(plan, scheduled_at - created_at)
                each[index] = plan
        timelines = planned_timelines(created_at, message.timelines.known, each)
        return replace(message, timelines=timelines)

    async def with_devices(
        self, account: int, tokens: Sequence[Recipient], timelines: Timelines
    ) -> Timelines:
        """Return timelines in which a push fails for devices that have been removed.

        Magic ones are left out: their names decide.
        """
        removed = await self._store.devices.removed(account, tokens)
        if not removed:
            return timelines
        reason = TRAITS[Channel.PUSH].fails_after_sending
        each = [
            _failing(timeline, reason)
            if token in removed and rule_of(timeline) is None
            else timeline
            for token, timeline in zip(tokens, timelines.each, strict=True)
        ]
        return planned_timelines(timelines.created_at, timelines.known, each)

    # Steps

    def steps(self, message: Message, since: Instant = 0) -> list[Step]:
        """Return the steps of a new message: none where nobody is to be told of its statuses.

        Statuses up to `since` have none, because they have happened already.
        """
        account, scheduled_at = message.account, message.scheduled_at
        is_heard = message.callback_url is not None or self._is_heard(account)
        if not is_heard:
            self._without_steps += 1
            self._followed.discard(account)
        if scheduled_at is not None and scheduled_at > since and self._sends_later(message.channel):
            # It also tells of `pending`, which begins at the same time.
            return self._steps(account, message.id, [scheduled_at], SEND)
        if not is_heard:
            return []
        instants = message.timelines.instants()
        return self._steps(account, message.id, [at for at in instants if at > since])

    @contextmanager
    def hearing(self, account: int) -> Iterator[None]:
        """Let all that an account sends inside the block have steps."""
        self._heard.add(account)
        try:
            yield
        finally:
            self._heard.discard(account)

    async def follow(self, account: int | None) -> None:
        """Add the steps of all that is under way, of an account or of all.

        Called once what is accepted from now on gets steps: somebody has begun to listen.
        """
        slices = Slices()
        for each in await self._store.messages.accounts_under_way(account):
            without_steps = self._without_steps
            if each in self._followed:
                continue
            now, pending = self._accounts.seen(each), []
            async for message in self._store.messages.under_way(each, now):
                pending.append(message)
                if len(pending) == _FOLLOWED_TOGETHER:
                    await self._follow(each, pending, now)
                    pending = []
                    await slices.pause()
            await self._follow(each, pending, now)
            if self._without_steps == without_steps:
                self._followed.add(each)

    async def _follow(self, account: int, messages: Sequence[Changing], now: Instant) -> None:
        have_steps = await self._store.steps.have_statuses([message.id for message in messages])
        steps = [
            step
            for message in messages
            if message.id not in have_steps
            for step in self._steps(
                account, message.id, {each for each in message.timelines.instants() if each > now}
            )
        ]
        if steps:
            async with self._store.write():
                await self._store.steps.add(steps)
                self._store.after_commit(partial(self._due_queue.schedule, steps))

    async def perform(self, steps: Sequence[Step]) -> None:
        """Perform the first of an account's steps about statuses, in one transaction.

        It stops before the first that is later than a webhook caused by those before it. A step is
        removed in the transaction in which it has its effect, so that a crash neither loses nor
        repeats it.
        """
        sends = [index for index, step in enumerate(steps) if step.detail == SEND]
        if sends:
            steps = steps[: sends[0] or 1]  # alone, because the others depend on it
        async with self._store.write():
            if sends and sends[0] == 0:
                await self._send(steps[0])
            changes = await self._deliveries.tell(steps)
            if changes:
                # During a clock move, whoever is told sees the statuses of that time.
                self._accounts.move_pin(steps[0].account, changes[-1].at)
            changed = StatusesChanged(steps[0].account, changes)
            self._store.after_commit(partial(self._bus.announce, changed))

    async def _send(self, step: Step) -> None:
        """Let the push service accept or refuse a scheduled push, inside a write transaction."""
        message = (await self._store.messages.timelines([step.message])).get(step.message)
        if message is None:
            return
        plans = self._plans.built_in[message.channel]
        each = [plans[outcome_of(to).rule] for to in message.recipients]
        planned = planned_timelines(step.due, 1, each)
        planned = await self.with_devices(message.account, message.recipients, planned)
        is_decided = [rule_of(timeline) is not None for timeline in message.timelines.each]
        changes = [
            change
            for change in planned.all_changes(message.id)
            if not is_decided[change.position]  # else its timeline is complete already
        ]
        timelines = message.timelines.with_changes(changes, step.due)
        await self._deliveries.change(message, timelines)
        if message.callback_url is not None or self._is_heard(step.account):
            later = {at for at in timelines.instants() if at > step.due}
            steps = self._steps(step.account, message.id, later)
            await self._store.steps.add(steps)
            self._store.after_commit(partial(self._due_queue.schedule, steps))

    def _is_heard(self, account: int) -> bool:
        return (
            self._bus.has_listener(StatusesChanged)
            or bool(self._accounts.get(account).endpoints)
            or account in self._heard
        )

    def _sends_later(self, channel: Channel) -> bool:
        return self._plans.by_clock and TRAITS[channel].settled_at_acceptance

    def _steps(
        self, account: int, message: int, instants: Collection[Instant], detail: str = ""
    ) -> list[Step]:
        first = self._ids.next(len(instants))
        return [
            Step(first + index, account, Lane.STATUS, due, message, 0, detail)
            for index, due in enumerate(sorted(instants))
        ]


def _failing(timeline: Timeline, reason: str) -> Timeline:
    """Return a timeline that ends where it would be sent."""
    begun = tuple(takewhile(lambda each: each.status is not Status.SENT, timeline))
    if len(begun) == len(timeline):
        return timeline  # it fails for another reason, or is never sent
    return (*begun, PlannedStatus(Status.FAILED, timeline[len(begun)].after, reason))
