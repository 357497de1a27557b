"""Taking deliveries through their lifecycle, and letting endpoints know."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.analytics import Analytics
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.events import StatusesChanged
from msgine_sandbox.model.lifecycle import NEXT, Status
from msgine_sandbox.model.message import Message, Move, Recipient
from msgine_sandbox.model.step import Step
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline

Notify = Callable[[int, Move], Awaitable[Sequence[Step]]]
"""Plans the webhooks of an account's delivery that moved."""
Heard = Callable[[int, Sequence[Move]], Awaitable[Sequence[Move]]]
"""Gives those moves of an account's deliveries that somebody wants to hear of."""

BY_HAND = "Failed by hand"


class Moved(msgspec.Struct, frozen=True):
    """How many moves were gone through, and which of them the lifecycle still allowed."""

    done: int
    taken: Sequence[Move]


class Deliveries:
    """Moves deliveries on; called by the carrier, or by hand."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        timeline: Timeline,
        bus: Bus,
        analytics: Analytics,
        heard: Heard,
        notify: Notify,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._bus = bus
        self._analytics = analytics
        self._heard = heard
        self._notify = notify

    async def move(self, account: int, moves: Sequence[Move]) -> Moved:
        """Take moves in order inside a unit.

        It stops before a move that is later than a webhook which those before it caused. A move
        that the lifecycle no longer allows, because a hand was quicker, does nothing.
        """
        heard = await self._heard(account, moves)
        if not heard:
            taken = await self._store.messages.move(moves)
            await self._analytics.moved(account, taken)
            return Moved(len(moves), taken)
        together = [move for move in moves if move.at <= heard[0].at]
        taken = [move for move in together if await self._store.messages.move([move])]
        await self._analytics.moved(account, taken)
        await self._tell(account, filter(set(heard).__contains__, taken))
        return Moved(len(together), taken)

    async def tell(self, account: int, moves: Sequence[Move]) -> None:
        """Plan the webhooks of moves that were taken, inside a unit."""
        await self._tell(account, await self._heard(account, moves))

    async def drive(self, message: Message, status: Status, to: Recipient | None) -> None:
        """Move one recipient, or all, by hand; all of them or none.

        Raises:
            InvalidRequest: the recipient is not among the message's, or the lifecycle forbids it.
        """
        chosen = [n for n, d in enumerate(message.deliveries) if to in {None, d.recipient}]
        if not chosen:
            raise InvalidRequest(
                "The message does not go to that recipient",
                field="to",
                value=to,
                expected=message.recipients,
            )
        for position in chosen:
            _check(message, position, status)
        now = self._accounts.now(message.account)
        reason = BY_HAND if status is Status.FAILED else None
        moves = [Move(message.id, position, status, now, reason) for position in chosen]
        async with self._store.unit:
            # All at one time, so that none of them has to wait for a webhook of another.
            moved = await self.move(message.account, moves)
        self._bus.announce(StatusesChanged(message.account, moved.taken))

    async def _tell(self, account: int, moves: Iterable[Move]) -> None:
        for move in moves:
            steps = await self._notify(account, move)
            await self._store.steps.add(steps)
            self._timeline.planned(steps)


def _check(message: Message, position: int, status: Status) -> None:
    delivery = message.deliveries[position]
    if not delivery.may_become(status):
        raise InvalidRequest(
            f"{delivery.recipient} is {delivery.status} and cannot become {status}",
            field="status",
            value=status,
            expected=sorted(NEXT[delivery.status]),
        )
