"""Which URLs receive an event of a status change, and when its first attempt is due."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final

from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.delivery import NEXT, StatusChange
from msgine_sandbox.model.fault import WebhookEffect
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import EVENT_OF, EventState, EventType, WebhookEvent
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.storage.messages import Changing
from msgine_sandbox.storage.store import Store

# Every webhook needs both, and Python 3.11 is slow to find the members of an enum.
_DUE: Final = EventState.DUE
_WEBHOOK: Final = Lane.WEBHOOK


class WebhookPlanner:
    """Plans webhooks as statuses change; everything here runs inside a write transaction."""

    def __init__(self, store: Store, accounts: Accounts, faults: Faults, ids: Ids) -> None:
        self._store = store
        self._accounts = accounts
        self._faults = faults
        self._ids = ids

    def subscribed(
        self,
        account: int,
        changes: Sequence[StatusChange],
        messages: Mapping[int, Changing],
    ) -> Sequence[StatusChange]:
        """Return the status changes that some endpoint or callback URL subscribes to.

        Where `sent` is subscribed to, so is the end of each delivery: a fault may have held the
        event back until then.
        """
        endpoints = self._accounts.get(account).endpoints
        events = {event for endpoint in endpoints for event in endpoint.events}
        has_sent = EventType.SENT in events
        return [
            change
            for change in changes
            if messages[change.message].callback_url is not None
            or EVENT_OF.get(change.status) in events
            or (has_sent and not NEXT[change.status])
        ]

    def most_urls(self, account: int) -> int:
        """Return how many URLs receive a change of an account at most."""
        return max(len(self._accounts.get(account).endpoints), 1)

    async def plan(
        self,
        account: int,
        changes: Sequence[StatusChange],
        messages: Mapping[int, Changing],
    ) -> Sequence[Step]:
        """Store an event for every URL that receives some of the changes, and return their steps.

        `messages` has those that the changes are about.
        """
        planned = [
            (index, change, url)
            for index, change in enumerate(changes)
            if change.status in EVENT_OF
            for url in self._urls(messages[change.message], EVENT_OF[change.status])
        ]
        # Decided now and stored with the events, so that every attempt has the same effect, and a
        # fault with `times` counts events, not attempts.
        effects = await self._faults.take_for_webhooks(
            account,
            [
                (EVENT_OF[change.status], messages[change.message].recipients[change.position])
                for _, change, _ in planned
            ],
        )
        events, due = [], []
        first = self._ids.next(len(planned))
        ids = range(first, first + len(planned))
        for event_id, (index, change, url), effect in zip(ids, planned, effects, strict=True):
            event = self._event(event_id, account, change, url, effect)
            events.append(event)
            if event.state is _DUE:
                due.append((index, event.message, event.id, event.at + seconds(effect.delay)))
        await self._store.webhooks.add(events)
        # Where the delivery has ended, whether anybody is told of that or not, the events that a
        # fault held back are due, too. One query for all of them, because a query first inserts all
        # that is deferred.
        ended = {
            (change.message, change.position): (index, change.at)
            for index, change in enumerate(changes)
            if not NEXT[change.status]
        }
        held = await self._store.webhooks.release(ended) if ended else {}
        for (message, position), released in held.items():
            index, at = ended[message, position]
            due += [(index, message, event_id, at) for event_id in released]
        # With the same due time and larger ids, they come after the others of their change.
        due.sort(key=itemgetter(0))
        first = self._ids.next(len(due))
        return [
            Step(step_id, account, _WEBHOOK, at, message, event_id)
            for step_id, (_, message, event_id, at) in enumerate(due, first)
        ]

    def _urls(self, message: Changing, event: EventType) -> Sequence[str]:
        if message.callback_url is not None:
            # It replaces the account's endpoints. Source: documented elsewhere.
            return [message.callback_url]
        endpoints = self._accounts.get(message.account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    def _event(
        self, event_id: int, account: int, change: StatusChange, url: str, effect: WebhookEffect
    ) -> WebhookEvent:
        event = EVENT_OF[change.status]
        return WebhookEvent(
            id=event_id,
            account=account,
            message=change.message,
            position=change.position,
            event=event,
            url=url,
            at=change.at,
            mode=effect.mode,
            state=EventState.HELD if effect.reorders(event) else _DUE,
        )
