"""The carrier: plans what will become of a message, and does it when it is due."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.deliveries import Deliveries
from msgine_sandbox.domain.magic import Course, fate_of
from msgine_sandbox.model.clock import SECOND
from msgine_sandbox.model.events import StatusesChanged
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.store import Store

HOUR = 3600 * SECOND
UNREACHABLE = "The handset is unreachable"
REFUSED = "The carrier refuses the message"


class Leg(msgspec.Struct, frozen=True):
    """A part of a delivery's course: what it comes to, so long after it was accepted."""

    detail: str
    """The status, and why, as a step carries it."""
    after: int
    """Microseconds."""


def courses(sent_after: int, delivered_after: int) -> Mapping[Course, Sequence[Leg]]:
    """Draw every course, for microseconds from acceptance to sending and to delivery."""
    sent = Leg("sent", sent_after)
    return {
        Course.ARRIVES: (sent, Leg("delivered", delivered_after)),
        Course.ARRIVES_AN_HOUR_LATER: (sent, Leg("delivered", max(HOUR, sent_after))),
        Course.FAILS_AFTER_SENDING: (sent, Leg(f"failed {UNREACHABLE}", delivered_after)),
        Course.IS_REFUSED: (Leg(f"failed {REFUSED}", sent_after),),
        Course.STAYS_PENDING: (),
        Course.STAYS_SENT: (sent,),
    }


class Carrier:
    """Delivers messages by the clock, unless all is left to be done by hand."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        ids: Ids,
        deliveries: Deliveries,
        courses: Mapping[Course, Sequence[Leg]] | None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._ids = ids
        self._deliveries = deliveries
        self._courses = courses

    def plan(self, message: Message) -> list[Step]:
        """Give the steps that a new message will take; none where deliveries go by hand."""
        if self._courses is None:
            return []
        legs = [
            (position, leg)
            for position, delivery in enumerate(message.deliveries)
            for leg in self._courses[fate_of(delivery.recipient).course]
        ]
        account, accepted, number = message.account, message.created_at, message.id
        return [
            Step(step, account, Lane.STATUS, accepted + leg.after, number, position, leg.detail)
            for step, (position, leg) in enumerate(legs, self._ids.next(len(legs)))
        ]

    async def perform(self, steps: Sequence[Step]) -> int:
        """Take the first of an account's steps in one transaction, and tell how many.

        It stops before a step that is later than a webhook which those before it caused.
        """
        account = steps[0].account
        async with self._store.unit:
            moved = await self._deliveries.move(account, list(map(_move, steps)))
            await self._store.steps.remove(steps[: moved.done])
        self._bus.announce(StatusesChanged(account, moved.taken))
        return moved.done


def _move(step: Step) -> Move:
    status, reason = _read(step.detail)
    return Move(step.message, step.subject, status, step.due, reason)


@lru_cache(64)
def _read(detail: str) -> tuple[Status, str | None]:
    status, _, reason = detail.partition(" ")
    return Status(status), reason or None
