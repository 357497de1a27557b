"""Which endpoints hear of a change, and when they are told first."""

from collections.abc import Sequence

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.magic import Telling, fate_of
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Delivery
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import EVENT_OF, Event, Notice
from msgine_sandbox.storage.messages import Move
from msgine_sandbox.storage.store import Store


class Notices:
    """Plans webhooks as statuses change."""

    def __init__(self, store: Store, accounts: Accounts, ids: Ids) -> None:
        self._store = store
        self._accounts = accounts
        self._ids = ids

    async def heard(self, account: int, moves: Sequence[Move]) -> Sequence[Move]:
        """Give the moves that an endpoint of the account, or a callback URL, wants to hear of."""
        endpoints = self._accounts.get(account).endpoints
        wanted = {event for endpoint in endpoints for event in endpoint.events}
        called = await self._store.messages.callback_urls({move.message for move in moves})
        return (
            [
                move
                for move in moves
                if move.message in called or EVENT_OF.get(move.status) in wanted
            ]
            if called or wanted
            else []
        )

    async def plan(self, account: int, move: Move) -> Sequence[Step]:
        """Store a notice for every URL that wants to hear of a move, and give their steps."""
        message = await self._store.messages.get(move.message)
        if message is None or move.status not in EVENT_OF:
            return ()
        return [
            await self._notice(account, move, event, at, url)
            for event, at in _told(message.deliveries[move.position], move)
            for url in self._listeners(account, event, message.callback_url)
        ]

    def _listeners(self, account: int, event: Event, callback_url: str | None) -> Sequence[str]:
        if callback_url is not None:  # it overrides the account's webhooks: documented elsewhere
            return [callback_url]
        endpoints = self._accounts.get(account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    async def _notice(self, account: int, move: Move, event: Event, at: Instant, url: str) -> Step:
        notice = Notice(
            id=self._ids.next(),
            account=account,
            message=move.message,
            position=move.position,
            event=event,
            url=url,
            at=at,
        )
        await self._store.webhooks.add(notice)
        return Step(self._ids.next(), account, Lane.WEBHOOK, move.at, move.message, notice.id)


def _told(delivery: Delivery, move: Move) -> list[tuple[Event, Instant]]:
    told = [(EVENT_OF[move.status], move.at)]
    if fate_of(delivery.recipient).telling is not Telling.BACKWARDS:
        return told
    if move.status is Status.SENT:
        return []  # told of only after the end
    sent = [(Event.SENT, at) for status, at in delivery.history if status is Status.SENT]
    return told + sent
