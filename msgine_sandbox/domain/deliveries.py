"""Taking deliveries through their lifecycle, and letting endpoints know."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from msgine_sandbox.bus import Bus
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.events import StatusChanged
from msgine_sandbox.model.lifecycle import NEXT, Status
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.phone import PhoneNumber
from msgine_sandbox.model.step import Step
from msgine_sandbox.storage.store import Store
from msgine_sandbox.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A delivery's step to its next status."""

    account: int
    message: int
    position: int
    status: Status
    at: Instant
    reason: str | None = None


Notify = Callable[[Change, PhoneNumber, str | None], Awaitable[Sequence[Step]]]
"""Plans the webhooks of a change to a recipient, given the message's own callback URL."""

BY_HAND = "Failed by hand"


class Deliveries:
    """Moves deliveries on; called by the carrier, or by hand."""

    def __init__(
        self, store: Store, accounts: Accounts, timeline: Timeline, bus: Bus, notify: Notify
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._timeline = timeline
        self._bus = bus
        self._notify = notify

    async def move(self, change: Change) -> Sequence[Step]:
        """Take a step inside a unit, and give the webhooks that it caused.

        A step that the lifecycle no longer allows, because a hand was quicker, does nothing.
        """
        moved = await self._store.messages.move(
            change.message, change.position, change.status, change.at, change.reason
        )
        if moved is None:
            return ()
        steps = await self._notify(change, moved.recipient, moved.callback_url)
        if steps:
            await self._store.steps.add(steps)
            self._timeline.planned(steps)
        return steps

    async def drive(self, message: Message, status: Status, to: PhoneNumber | None) -> None:
        """Move one recipient, or all, by hand; all of them or none.

        Raises:
            InvalidRequest: the recipient is not among the message's, or the lifecycle forbids it.
        """
        chosen = [n for n, d in enumerate(message.deliveries) if to in {None, d.recipient}]
        if not chosen:
            raise InvalidRequest(
                "The message does not go to that number",
                field="to",
                value=to,
                expected=message.recipients,
            )
        for position in chosen:
            _check(message, position, status)
        now = self._accounts.now(message.account)
        async with self._store.unit:
            for position in chosen:
                change = Change(
                    account=message.account,
                    message=message.id,
                    position=position,
                    status=status,
                    at=now,
                    reason=BY_HAND if status is Status.FAILED else None,
                )
                await self.move(change)
        self._bus.announce(StatusChanged(message.account, message.id))


def _check(message: Message, position: int, status: Status) -> None:
    delivery = message.deliveries[position]
    if not delivery.may_become(status):
        raise InvalidRequest(
            f"{delivery.recipient} is {delivery.status} and cannot become {status}",
            field="status",
            value=status,
            expected=sorted(NEXT[delivery.status]),
        )
