"""The carrier: plans the status changes of a message, and applies them when they are due."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.model.channel import TRAITS, Channel, ChannelTraits
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.magic import DeliveryPlan
from msgine_sandbox.model.message import NEXT, Delivery, Message, Status, StatusChange
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.services.bus import Bus, StatusesChanged
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.magic import outcome_of
from msgine_sandbox.storage.store import Store

HOUR: Final = 3600 * SECOND
IF_REGISTERED: Final = "to a device"
"""The reason in a step whose status is failed instead if the device has been removed by then."""


class PlannedStatus(msgspec.Struct, frozen=True):
    """A status that a delivery will have."""

    detail: str
    """The status and its reason, in the form of `Step.detail`."""
    after: int
    """Microseconds from acceptance, or from the time that the message is scheduled for."""


Plans = Mapping[DeliveryPlan, Sequence[PlannedStatus]]
_FIRST: Final = PlannedStatus("pending", 0)
"""The change with which a scheduled message, which is `queued`, begins."""


def delivery_plans(sent_after: int, delivered_after: int) -> Mapping[Channel, Plans]:
    """Return each channel's plans, for microseconds from acceptance to sending and to delivery."""
    return {
        channel: _plans_of(traits, sent_after, delivered_after)
        for channel, traits in TRAITS.items()
    }


def _plans_of(traits: ChannelTraits, sent_after: int, delivered_after: int) -> Plans:
    refused = f"failed {traits.fails_without_sending}"
    failed = f"failed {traits.fails_after_sending}"
    if traits.settled_at_acceptance:
        # A push service accepts or refuses at once; only a receipt may follow later.
        sent = PlannedStatus(f"sent {IF_REGISTERED}", 0)
        fails: Sequence[PlannedStatus] = (PlannedStatus(failed, 0),)
        refusal = PlannedStatus(refused, 0)
    else:
        sent = PlannedStatus("sent", sent_after)
        fails = (sent, PlannedStatus(failed, delivered_after))
        refusal = PlannedStatus(refused, sent_after)
    return {
        DeliveryPlan.DELIVERED: (sent, PlannedStatus("delivered", delivered_after)),
        DeliveryPlan.DELIVERED_AN_HOUR_LATER: (
            sent,
            PlannedStatus("delivered", max(HOUR, sent.after)),
        ),
        DeliveryPlan.FAILS_AFTER_SENDING: fails,
        DeliveryPlan.REFUSED: (refusal,),
        DeliveryPlan.STAYS_PENDING: (),
        DeliveryPlan.STAYS_SENT: (sent,),
    }


class Carrier:
    """Delivers messages as time passes; without plans, statuses change by control calls only."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        ids: Ids,
        deliveries: Deliveries,
        plans: Mapping[Channel, Plans] | None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._ids = ids
        self._deliveries = deliveries
        self._plans = plans

    async def at_acceptance(self, message: Message) -> list[StatusChange]:
        """Return the first changes of a push, which precede the response to its request.

        A scheduled push has none yet, because its service gets it later.
        """
        if self._plans is None or message.scheduled_at is not None:
            return []
        changes = [
            _change(message.id, position, planned.detail, message.created_at)
            for position, delivery in enumerate(message.deliveries)
            for planned in self._plan_of(message, delivery)[:1]
        ]
        return await self._with_devices(message, changes)

    def plan(self, message: Message) -> list[Step]:
        """Return the steps of a new message: without plans, at most those of a schedule."""
        starts = message.created_at if message.scheduled_at is None else message.scheduled_at
        planned = [
            (position, each)
            for position, delivery in enumerate(message.deliveries)
            for each in self._remaining(message, delivery)
        ]
        return [
            Step(
                step,
                message.account,
                Lane.STATUS,
                starts + each.after,
                message.id,
                position,
                each.detail,
            )
            for step, (position, each) in enumerate(planned, self._ids.next(len(planned)))
        ]

    async def perform(self, steps: Sequence[Step]) -> int:
        """Perform the first of an account's steps in one transaction, and return how many.

        It stops before the first that is later than a webhook caused by those before it. A step is
        removed in the transaction that applies it, so that a crash neither loses nor repeats it.
        """
        account = steps[0].account
        async with self._store.write():
            applied = await self._deliveries.apply(account, await self._changes(steps))
            await self._store.steps.remove(steps[: applied.done])
            changed = StatusesChanged(account, applied.changes)
            self._store.after_commit(partial(self._bus.announce, changed))
        return applied.done

    def _plan_of(self, message: Message, delivery: Delivery) -> Sequence[PlannedStatus]:
        if self._plans is None:
            return ()
        return self._plans[message.channel][outcome_of(delivery.recipient).plan]

    def _remaining(self, message: Message, delivery: Delivery) -> Sequence[PlannedStatus]:
        """Return what is planned for a delivery of a new message, from its present status on."""
        if message.scheduled_at is not None:
            return (_FIRST, *self._plan_of(message, delivery))
        # Of a push, what `at_acceptance` returned is in the history already.
        done = len(delivery.history) - 1
        return self._plan_of(message, delivery)[done:] if NEXT[delivery.status] else ()

    async def _changes(self, steps: Sequence[Step]) -> list[StatusChange]:
        # At the time when they are due, even if the event loop performs them later.
        changes = [_change(step.message, step.subject, step.detail, step.due) for step in steps]
        for message_id in {each.message for each in changes if each.reason == IF_REGISTERED}:
            message = await self._store.messages.get(message_id)
            if message is not None:
                changes = await self._with_devices(message, changes)
        return changes

    async def _with_devices(
        self, message: Message, changes: Sequence[StatusChange]
    ) -> list[StatusChange]:
        """Return changes in which a message fails for devices that have been removed."""
        tokens = message.recipients
        removed = await self._store.devices.removed(message.account, tokens)
        not_registered = TRAITS[message.channel].fails_after_sending

        def with_device(change: StatusChange) -> StatusChange:
            if change.reason != IF_REGISTERED or change.message != message.id:
                return change
            if tokens[change.position] in removed:
                return replace(change, status=Status.FAILED, reason=not_registered)
            return replace(change, reason=None)

        return list(map(with_device, changes))


def _change(message: int, position: int, detail: str, at: Instant) -> StatusChange:
    status, reason = _parse(detail)
    return StatusChange(message, position, status, at, reason)


@lru_cache(64)  # a handful of details, parsed at every change
def _parse(detail: str) -> tuple[Status, str | None]:
    status, _, reason = detail.partition(" ")
    return Status(status), reason or None
