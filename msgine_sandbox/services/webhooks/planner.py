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
        steps: list[Step] = []
        ended: dict[tuple[int, int], StatusChange] = {}
        for change in changes:
            message = messages[change.message]
            if change.status in EVENT_OF:
                for url in self._urls(message, EVENT_OF[change.status]):
                    steps += await self._plan_event(message, change, url)
                if not NEXT[change.status]:
                    ended[change.message, change.position] = change
        if ended:
            # The events of these deliveries that a fault held back are due, too. With the same due
            # time and larger ids, their steps come after those above. One query for all of them,
            # because each has all that is planned by then inserted.
            for event_id, delivery in await self._store.webhooks.release(ended):
                change = ended[delivery]
                steps.append(self._step(account, change, event_id, change.at))
        return steps

    def _urls(self, message: Changing, event: EventType) -> Sequence[str]:
        if message.callback_url is not None:
            # It replaces the account's endpoints. Source: documented elsewhere.
            return [message.callback_url]
        endpoints = self._accounts.get(message.account).endpoints
        return [endpoint.url for endpoint in endpoints if event in endpoint.events]

    async def _plan_event(self, message: Changing, change: StatusChange, url: str) -> list[Step]:
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
        if is_held:
            return []
        due = change.at + seconds(effect.delay)
        return [self._step(message.account, change, event.id, due)]

    def _step(self, account: int, change: StatusChange, event_id: int, due: Instant) -> Step:
        return Step(self._ids.next(), account, Lane.WEBHOOK, due, change.message, event_id)
