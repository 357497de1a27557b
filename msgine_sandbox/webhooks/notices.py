"""Which endpoints hear of a change, and when they are told first."""

from collections.abc import Sequence

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.deliveries import Change
from msgine_sandbox.domain.magic import Telling, fate_of
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.phone import PhoneNumber
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import EVENT_OF, Event, Notice
from msgine_sandbox.storage.store import Store


class Notices:
    """Plans webhooks as statuses change."""

    def __init__(self, store: Store, accounts: Accounts, ids: Ids) -> None:
        self._store = store
        self._accounts = accounts
        self._ids = ids

    async def plan(
        self, change: Change, recipient: PhoneNumber, callback_url: str | None
    ) -> Sequence[Step]:
        """Store a notice for every URL that wants to hear of a change, and give their steps."""
        if change.status not in EVENT_OF:
            return ()
        told = [(EVENT_OF[change.status], change.at)]
        if fate_of(recipient).telling is Telling.BACKWARDS:
            told = await self._backwards(change)
        return [
            await self._notice(change, event, at, url)
            for event, at in told
            for url in self._listeners(change.account, event, callback_url)
        ]

    def _listeners(self, account: int, event: Event, callback_url: str | None) -> Sequence[str]:
        if callback_url is not None:  # it overrides the account's webhooks: documented elsewhere
            return [callback_url]
        endpoints = self._accounts.get(account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    async def _notice(self, change: Change, event: Event, at: Instant, url: str) -> Step:
        notice = Notice(
            id=self._ids.next(),
            account=change.account,
            message=change.message,
            position=change.position,
            event=event,
            url=url,
            at=at,
        )
        await self._store.webhooks.add(notice)
        return Step(
            self._ids.next(), change.account, Lane.WEBHOOK, change.at, change.message, notice.id
        )

    async def _backwards(self, change: Change) -> list[tuple[Event, Instant]]:
        """Tell of the end first, and of the sending only after it."""
        if change.status is Status.SENT:
            return []
        message = await self._store.messages.get(change.message)
        history = dict(message.deliveries[change.position].history) if message else {}
        told = [(EVENT_OF[change.status], change.at)]
        if Status.SENT in history:
            told.append((Event.SENT, history[Status.SENT]))
        return told
