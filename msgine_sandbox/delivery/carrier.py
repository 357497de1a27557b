"""The carrier: plans what will become of a message, and does it when it is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.deliveries import Change, Deliveries
from msgine_sandbox.domain.magic import Course, fate_of
from msgine_sandbox.model.clock import SECOND
from msgine_sandbox.model.events import StatusChanged
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.store import Store

HOUR = 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a delivery's course: the status it comes to, so long after it was accepted."""

    status: Status
    after: int
    """Microseconds."""
    reason: str = ""

    @property
    def detail(self) -> str:
        """The leg as a step carries it."""
        return f"{self.status} {self.reason}".rstrip()


def courses(sent_after: int, delivered_after: int) -> Mapping[Course, Sequence[Leg]]:
    """Draw every course, for microseconds from acceptance to sending and to delivery."""
    sent = Leg(Status.SENT, sent_after)
    return {
        Course.ARRIVES: (sent, Leg(Status.DELIVERED, delivered_after)),
        Course.ARRIVES_AN_HOUR_LATER: (sent, Leg(Status.DELIVERED, max(HOUR, sent_after))),
        Course.FAILS_AFTER_SENDING: (
            sent,
            Leg(Status.FAILED, delivered_after, "The handset is unreachable"),
        ),
        Course.IS_REFUSED: (Leg(Status.FAILED, sent_after, "The carrier refuses the message"),),
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
        return [
            Step(
                self._ids.next(),
                message.account,
                Lane.STATUS,
                message.created_at + leg.after,
                message.id,
                position,
                leg.detail,
            )
            for position, delivery in enumerate(message.deliveries)
            for leg in self._courses[fate_of(delivery.recipient).course]
        ]

    async def perform(self, steps: Sequence[Step], on_journey: bool) -> int:
        """Take steps in order, in one transaction, and tell how many.

        On a journey it stops where a webhook that a step caused is due before the next step.
        """
        done: list[Step] = []
        async with self._store.unit:
            for step in steps:
                done.append(step)
                if await self._take(step) and on_journey:
                    break
            await self._store.steps.remove_through(done[-1])
        for step in done:
            self._bus.announce(StatusChanged(step.account, step.message))
        return len(done)

    async def _take(self, step: Step) -> Sequence[Step]:
        status, _, reason = step.detail.partition(" ")
        return await self._deliveries.move(
            Change(
                account=step.account,
                message=step.message,
                position=step.subject,
                status=Status(status),
                at=step.due,
                reason=reason or None,
            )
        )
