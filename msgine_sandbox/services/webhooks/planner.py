"""Which URLs receive an event of a status change, and when its first attempt is due."""

from collections.abc import Iterable, Mapping, Sequence

from msgine_sandbox.model.clock import Instant, seconds
from msgine_sandbox.model.delivery import NEXT, StatusChange
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.step import Lane, Step
from msgine_sandbox.model.webhook import EVENT_OF, EventState, EventType, WebhookEvent
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.storage.messages import Changing
from msgine_sandbox.storage.store import Store


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
        """Return the status changes that some endpoint or callback URL subscribes to."""
        endpoints = self._accounts.get(account).endpoints
        events = {event for endpoint in endpoints for event in endpoint.events}
        return [
            change
            for change in changes
            if messages[change.message].callback_url is not None
            or EVENT_OF.get(change.status) in events
        ]

    def most_urls(self, account: int) -> int:
        """Return how many URLs receive a change of an account at most."""
        return max(len(self._accounts.get(account).endpoints), 1)

    async def plan(
        self,
        account: int,
        changes: Iterable[StatusChange],
        messages: Mapping[int, Changing],
    ) -> Sequence[Step]:
        """Store an event for every URL that receives some of the changes, and return their steps.

        `messages` has those that the changes are about.
        """
        planned = [
            (change, await self._plan_change(messages[change.message], change))
            for change in changes
            if change.status in EVENT_OF
        ]
        # Where the delivery has ended, the events that a fault held back are due, too. One query
        # for all of them, because it has all that is planned by then inserted.
        ended = {(each.message, each.position) for each, _ in planned if not NEXT[each.status]}
        held = await self._store.webhooks.release(ended) if ended else {}
        steps: list[Step] = []
        for change, due in planned:
            if not NEXT[change.status]:
                # With the same due time and larger ids, their steps come after the others.
                released = held.get((change.message, change.position), ())
                due += [(event_id, change.at) for event_id in released]
            steps += [self._step(account, change, event_id, at) for event_id, at in due]
        return steps

    async def _plan_change(
        self, message: Changing, change: StatusChange
    ) -> list[tuple[int, Instant]]:
        """Store the events of a change; return those that are not held back, and when they are due.

        An event is named by its id.
        """
        urls = self._urls(message, EVENT_OF[change.status])
        planned = [await self._plan_event(message, change, url) for url in urls]
        return [each for each in planned if each is not None]

    def _urls(self, message: Changing, event: EventType) -> Sequence[str]:
        if message.callback_url is not None:
            # It replaces the account's endpoints. Source: documented elsewhere.
            return [message.callback_url]
        endpoints = self._accounts.get(message.account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    async def _plan_event(
        self, message: Changing, change: StatusChange, url: str
    ) -> tuple[int, Instant] | None:
        event_type = EVENT_OF[change.status]
        recipient = message.recipients[change.position]
        # Decided now and stored with the event, so that every attempt has the same effect, and a
        # fault with `times` counts events, not attempts.
        effect = await self._faults.take_for_webhook(message.account, event_type, recipient)
        is_held = effect.reorders(event_type)
        event = WebhookEvent(
            id=self._ids.next(),
            account=message.account,
            message=change.message,
            position=change.position,
            event=event_type,
            url=url,
            at=change.at,
            mode=effect.mode,
            state=EventState.HELD if is_held else EventState.DUE,
        )
        await self._store.webhooks.add(event)
        return None if is_held else (event.id, change.at + seconds(effect.delay))

    def _step(self, account: int, change: StatusChange, event_id: int, due: Instant) -> Step:
        return Step(self._ids.next(), account, Lane.WEBHOOK, due, change.message, event_id)
