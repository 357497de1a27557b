"""Which endpoints hear of a change, and when they are told first."""

from collections.abc import Sequence

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.faults import Faults, reorders
from msgine_sandbox.model.clock import Instant, seconds
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import NEXT
from msgine_sandbox.model.message import Move
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import EVENT_OF, Event, Notice, NoticeState, Telling
from msgine_sandbox.storage.store import Store


class Notices:
    """Plans webhooks as statuses change."""

    def __init__(self, store: Store, accounts: Accounts, faults: Faults, ids: Ids) -> None:
        self._store = store
        self._accounts = accounts
        self._faults = faults
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
        event = EVENT_OF[move.status]
        recipient = message.deliveries[move.position].recipient
        steps = []
        for url in self._listeners(account, event, message.callback_url):
            effect = await self._faults.twist(account, event, recipient)
            held = reorders(effect, event)
            state = NoticeState.HELD if held else NoticeState.DUE
            notice = await self._notice(account, move, event, url, effect.telling, state)
            if not held:
                steps.append(self._step(account, move, notice, move.at + seconds(effect.delay)))
        if not NEXT[move.status]:
            # The delivery has ended: what was held back until then follows.
            held_back = await self._store.webhooks.release(move.message, move.position)
            steps += [self._step(account, move, notice, move.at) for notice in held_back]
        return steps

    def _listeners(self, account: int, event: Event, callback_url: str | None) -> Sequence[str]:
        if callback_url is not None:  # it overrides the account's webhooks: documented elsewhere
            return [callback_url]
        endpoints = self._accounts.get(account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    async def _notice(
        self,
        account: int,
        move: Move,
        event: Event,
        url: str,
        telling: Telling,
        state: NoticeState,
    ) -> int:
        notice = Notice(
            id=self._ids.next(),
            account=account,
            message=move.message,
            position=move.position,
            event=event,
            url=url,
            at=move.at,
            telling=telling,
            state=state,
        )
        await self._store.webhooks.add(notice)
        return notice.id

    def _step(self, account: int, move: Move, notice: int, due: Instant) -> Step:
        return Step(self._ids.next(), account, Lane.WEBHOOK, due, move.message, notice)
