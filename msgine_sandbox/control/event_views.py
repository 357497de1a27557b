"""The events of the feed as clients get them: each is made once, for all that are subscribed."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from msgine_sandbox.control.attempt_views import AttemptViews
from msgine_sandbox.control.journal import entry_view
from msgine_sandbox.control.message_views import message_view
from msgine_sandbox.control.request_facts import WarningView, warning_views
from msgine_sandbox.control.views import View, owner_of
from msgine_sandbox.model.clock import Instant, iso_micros
from msgine_sandbox.model.delivery import Delivery, Status, StatusChange, summary
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.bus import ControlCalled, InboxEmptied, MessagesDeleted
from msgine_sandbox.services.feed import (
    AcceptedRef,
    AttemptRef,
    Encodings,
    FeedEvent,
    RequestRef,
    WarningRef,
)
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.storage.store import Store

_CHUNK: Final = 64 * 1024
"""Bytes after which events are sent on, instead of being collected."""
_encode = msgspec.json.Encoder(decimal_format="number").encode


class EmptiedEvent(View, frozen=True, kw_only=True):
    """An inbox was emptied."""

    account: str | None
    account_id: str | None
    up_to: str | None
    """The newest message that was deleted; null if there was none."""


class DeletedEvent(View, frozen=True, kw_only=True):
    """Some messages were deleted."""

    account: str | None
    account_id: str | None
    message_ids: Sequence[str]


class StatusEvent(View, frozen=True, kw_only=True):
    """The status of one recipient changed."""

    account: str | None
    account_id: str | None
    message_id: str
    to: str | None
    """Null where the message has been deleted meanwhile, as `message_status` is."""
    status: Status
    reason: str | None
    at: str
    message_status: Status | None
    """That of the message at that time."""


class ChangedEvent(View, frozen=True, kw_only=True):
    """A control call changed something."""

    account: str | None
    """Null where it was about all accounts, as `account_id` is."""
    account_id: str | None
    what: str
    """The first word of its path, such as `faults`."""


class WarningEvent(View, frozen=True, kw_only=True):
    """An earlier request got another warning."""

    account: str | None
    account_id: str | None
    request_id: str
    warnings: Sequence[WarningView]


class EventEncoder:
    """Reads what events refer to, and encodes it as it was when they happened.

    Of what has been deleted meanwhile there is no event, except of a status.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        journal: Journal,
        encodings: Encodings,
        form: AnswerForm,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._journal = journal
        self._encodings = encodings
        self._form = form

    async def chunks(self, events: Sequence[FeedEvent]) -> AsyncIterator[bytes]:
        """Return events in the form of server-sent events, several at a time where they are small.

        Others have their turn in between, because a hundred large messages take long.
        """
        slices, pending, size = Slices(), [], 0
        messages: dict[int, _Statuses] = {}
        for event in events:
            encoded = self._encodings.get(event.id)
            if encoded is None:
                encoded = await self._encoded(event, messages)
                self._encodings.put(event.id, encoded)
            pending.append(encoded)
            size += len(encoded)
            if size >= _CHUNK:
                yield b"".join(pending)
                pending, size = [], 0
            await slices.pause()
        if size:
            yield b"".join(pending)

    async def _encoded(self, event: FeedEvent, messages: dict[int, "_Statuses"]) -> bytes:
        name, view = await self._read(event, messages)
        if view is None:
            return b""
        return b"id: %016x\nevent: %s\ndata: %s\n\n" % (event.id, name, _encode(view))

    async def _read(
        self, event: FeedEvent, messages: dict[int, "_Statuses"]
    ) -> tuple[bytes, View | None]:
        what = event.what
        if isinstance(what, AcceptedRef):
            return b"message", await self._message(what)
        if isinstance(what, StatusChange):
            return b"status", await self._status_event(event, what, messages)
        if isinstance(what, AttemptRef):
            return b"webhook", await self._attempt(what)
        account, account_id = owner_of(event.account, self._accounts)
        if isinstance(what, InboxEmptied):
            up_to = self._form.message_id(what.until) if what.until else None
            return b"emptied", EmptiedEvent(account=account, account_id=account_id, up_to=up_to)
        if isinstance(what, MessagesDeleted):
            ids = list(map(self._form.message_id, what.messages))
            return b"deleted", DeletedEvent(account=account, account_id=account_id, message_ids=ids)
        if isinstance(what, ControlCalled):
            view = ChangedEvent(account=account, account_id=account_id, what=what.what)
            return b"changed", view
        if isinstance(what, WarningRef):
            return b"warning", self._warning_event(event, what)
        entry = self._entry(event, what)
        return b"request", None if entry is None else entry_view(entry, self._accounts)

    async def _message(self, accepted: AcceptedRef) -> View | None:
        message = await self._store.messages.get(accepted.message)
        if message is None:
            return None
        account = self._accounts.get(message.account)
        return message_view(message.as_accepted(), account, self._form)

    async def _attempt(self, sent: AttemptRef) -> View | None:
        attempt = await self._store.webhooks.attempt(sent.attempt, None)
        if attempt is None:
            return None
        return await AttemptViews(self._store, self._accounts, self._form).full(attempt)

    def _warning_event(self, event: FeedEvent, warned: WarningRef) -> View | None:
        entry = self._entry(event, warned)
        if entry is None:
            return None
        account, account_id = owner_of(event.account, self._accounts)
        return WarningEvent(
            account=account,
            account_id=account_id,
            request_id=entry.request_id,
            warnings=warning_views(entry),
        )

    def _entry(self, event: FeedEvent, request: RequestRef) -> JournalEntry | None:
        """Return a request with the warnings that it had when the event happened."""
        entry = self._journal.entry_of(event.account, request.request_id)
        return entry and replace(entry, warnings=entry.warnings[: request.warnings])

    async def _status_event(
        self, event: FeedEvent, change: StatusChange, messages: dict[int, "_Statuses"]
    ) -> StatusEvent:
        if change.message not in messages:
            deliveries = await self._store.messages.deliveries(change.message)
            messages[change.message] = _Statuses(deliveries)
        statuses = messages[change.message]
        account, account_id = owner_of(event.account, self._accounts)
        return StatusEvent(
            account=account,
            account_id=account_id,
            message_id=self._form.message_id(change.message),
            to=statuses.recipient(change),
            status=change.status,
            reason=change.reason,
            at=iso_micros(change.at),
            message_status=statuses.after(change),
        )


class _Statuses:
    """The statuses of a message over time; without deliveries, the message has been deleted."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = deliveries
        # One pass over all deliveries for each time, not for each of the changes of that time.
        self._at: dict[Instant, Counter[Status]] = {}

    def recipient(self, change: StatusChange) -> str | None:
        """Return whose delivery changed."""
        return self._deliveries[change.position].recipient if self._deliveries else None

    def after(self, change: StatusChange) -> Status | None:
        """Return the status of the message after a change and all others of the same time."""
        if not self._deliveries:
            return None
        counts = self._at.get(change.at)
        if counts is None:
            counts = Counter(each.status_at(change.at) for each in self._deliveries)
            self._at[change.at] = counts
        # On a frozen clock its own delivery can have changed again at the same time.
        own = self._deliveries[change.position].status_at(change.at)
        others = [status for status, count in counts.items() if status is not own or count > 1]
        return summary([*others, change.status])
