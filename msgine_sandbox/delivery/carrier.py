"""The carrier: plans what will become of a message, and does it when it is due."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.deliveries import Deliveries
from msgine_sandbox.domain.magic import Course, fate_of
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import SECOND, Instant
from msgine_sandbox.model.events import StatusesChanged
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import NEXT, Status
from msgine_sandbox.model.message import Delivery, Message, Move
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.storage.store import Store

HOUR = 3600 * SECOND
TO_DEVICE = "to a device"
"""Marks a step that depends on whether a device is still registered when it is taken."""

_REASONS: Mapping[Channel, tuple[str, str]] = {
    Channel.SMS: ("The handset is unreachable", "The carrier refuses the message"),
    Channel.EMAIL: ("The message bounced", "The mail server refuses the message"),
    Channel.PUSH: ("The device is not registered", "The push service refuses the message"),
}
"""Why messages fail after they were sent, and before."""


class Leg(msgspec.Struct, frozen=True):
    """A part of a delivery's course: what it comes to, so long after it was due."""

    detail: str
    """The status, and why, as a step carries it."""
    after: int
    """Microseconds."""


Courses = Mapping[Course, Sequence[Leg]]
_FIRST = Leg("pending", 0)
"""What a scheduled message begins with when its time has come."""


def courses(sent_after: int, delivered_after: int) -> Mapping[Channel, Courses]:
    """Draw every course, for microseconds from acceptance to sending and to delivery."""
    drawn = {}
    for channel in (Channel.SMS, Channel.EMAIL):
        fails, refused = _REASONS[channel]
        drawn[channel] = _courses(
            Leg("sent", sent_after),
            delivered_after,
            fails=(Leg("sent", sent_after), Leg(f"failed {fails}", delivered_after)),
            refused=Leg(f"failed {refused}", sent_after),
        )
    # A push service takes or refuses at once; only a receipt may come back later.
    fails, refused = _REASONS[Channel.PUSH]
    drawn[Channel.PUSH] = _courses(
        Leg(f"sent {TO_DEVICE}", 0),
        delivered_after,
        fails=(Leg(f"failed {fails}", 0),),
        refused=Leg(f"failed {refused}", 0),
    )
    return drawn


def _courses(sent: Leg, delivered_after: int, *, fails: Sequence[Leg], refused: Leg) -> Courses:
    return {
        Course.ARRIVES: (sent, Leg("delivered", delivered_after)),
        Course.ARRIVES_AN_HOUR_LATER: (sent, Leg("delivered", max(HOUR, sent.after))),
        Course.FAILS_AFTER_SENDING: fails,
        Course.IS_REFUSED: (refused,),
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
        courses: Mapping[Channel, Courses] | None,
    ) -> None:
        self._store = store
        self._bus = bus
        self._ids = ids
        self._deliveries = deliveries
        self._courses = courses

    async def opening(self, message: Message) -> list[Move]:
        """Give the first steps of a push, which are taken before its request is answered."""
        if self._courses is None or message.scheduled_at is not None:
            return []
        moves = [
            _move(message.id, position, leg.detail, message.created_at)
            for position, delivery in enumerate(message.deliveries)
            for leg in self._course(message, delivery)[:1]
        ]
        return await self._judged(message, moves)

    def plan(self, message: Message) -> list[Step]:
        """Give the steps that a new message will take, which by hand are few or none."""
        account, number = message.account, message.id
        begins = message.created_at if message.scheduled_at is None else message.scheduled_at
        legs = [
            (position, leg)
            for position, delivery in enumerate(message.deliveries)
            for leg in self._ahead(message, delivery)
        ]
        return [
            Step(step, account, Lane.STATUS, begins + leg.after, number, position, leg.detail)
            for step, (position, leg) in enumerate(legs, self._ids.next(len(legs)))
        ]

    async def perform(self, steps: Sequence[Step]) -> int:
        """Take the first of an account's steps in one transaction, and tell how many.

        It stops before a step that is later than a webhook which those before it caused.
        """
        account = steps[0].account
        async with self._store.unit:
            moves = await self._moves(steps)
            moved = await self._deliveries.move(account, moves)
            await self._store.steps.remove(steps[: moved.done])
        self._bus.announce(StatusesChanged(account, moved.taken))
        return moved.done

    def _course(self, message: Message, delivery: Delivery) -> Sequence[Leg]:
        if self._courses is None:
            return ()
        return self._courses[message.channel][fate_of(delivery.recipient).course]

    def _ahead(self, message: Message, delivery: Delivery) -> Sequence[Leg]:
        """Give what a delivery has before it, from where it stands."""
        if message.scheduled_at is not None:
            return (_FIRST, *self._course(message, delivery))
        behind = len(delivery.history) - 1
        return self._course(message, delivery)[behind:] if NEXT[delivery.status] else ()

    async def _moves(self, steps: Sequence[Step]) -> list[Move]:
        moves = [_move(step.message, step.subject, step.detail, step.due) for step in steps]
        for number in {move.message for move in moves if move.reason == TO_DEVICE}:
            message = await self._store.messages.get(number)
            if message is not None:
                moves = await self._judged(message, moves)
        return moves

    async def _judged(self, message: Message, moves: Sequence[Move]) -> list[Move]:
        """Let those of a message's moves fail that go to devices which are removed by now."""
        tokens = message.recipients
        gone = await self._store.devices.removed(message.account, tokens)
        unregistered, _ = _REASONS[Channel.PUSH]

        def judged(move: Move) -> Move:
            if move.reason != TO_DEVICE or move.message != message.id:
                return move
            if tokens[move.position] in gone:
                return replace(move, status=Status.FAILED, reason=unregistered)
            return replace(move, reason=None)

        return list(map(judged, moves))


def _move(message: int, position: int, detail: str, at: Instant) -> Move:
    status, reason = _read(detail)
    return Move(message, position, status, at, reason)


@lru_cache(64)
def _read(detail: str) -> tuple[Status, str | None]:
    status, _, reason = detail.partition(" ")
    return Status(status), reason or None
