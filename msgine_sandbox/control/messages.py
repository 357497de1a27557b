"""`/_sandbox/messages`: the inbox, with every detail of a message."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

from msgspec import UNSET
from msgspec.structs import replace
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.connections import on_disconnect
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.bodies import Body, read_body_as
from msgine_sandbox.control.contents import MessagePart, TextAnswer, part_of, with_contents
from msgine_sandbox.control.lists import Detail, ListPage
from msgine_sandbox.control.message_views import (
    full_message_view,
    message_summary,
    message_view,
)
from msgine_sandbox.control.views import CountView, DeletedView, View
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import NotFound, WaitTimedOut
from msgine_sandbox.model.message import AnswerForm, Message, parse_message_id
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.webhook import Attempt
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.deliveries import Deliveries
from msgine_sandbox.services.inbox import Found, Inbox, MessageQuery
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.lifecycle import Lifecycle
from msgine_sandbox.services.patterns import Patterns
from msgine_sandbox.services.time_travel import TimeTravel
from msgine_sandbox.services.waits import Wait, Waits
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.webhooks import AttemptFilter

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
DEFAULT_WAIT = 10
MAX_WAIT = 60
SHOWN_AFTER_WAIT = 20
CONSIDERED = 100
"""Messages that a wait looks at where it is about more than the newest one that matches."""
_SEARCHABLE = {"id", "channel", "before", "to", "status", "q", "contains", "matches", "since"}
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_PLUS_OF_NUMBER = r"(?<![^ ]) (?=[0-9])"


class StatusBody(Body, frozen=True, kw_only=True):
    """A status to set by hand."""

    status: Status
    to: str | None = None
    """The recipient whose delivery changes; without it all do."""


class MessagesControl:
    """Searches the inbox, waits for messages, sets statuses by hand, deletes messages."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        inbox: Inbox,
        waits: Waits,
        patterns: Patterns,
        deliveries: Deliveries,
        journal: Journal,
        lifecycle: Lifecycle,
        time_travel: TimeTravel,
        form: AnswerForm,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._inbox = inbox
        self._waits = waits
        self._patterns = patterns
        self._deliveries = deliveries
        self._journal = journal
        self._lifecycle = lifecycle
        self._time_travel = time_travel
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/messages", has_query=True, GET=self.search, DELETE=self.clear),
            resource("/_sandbox/messages/count", has_query=True, GET=self.count),
            resource("/_sandbox/messages/wait", has_query=True, GET=self.wait),
            resource("/_sandbox/messages/{id}", GET=self.read, DELETE=self.delete),
            resource("/_sandbox/messages/{id}/status", POST=self.set_status),
        ]

    async def search(self, request: Request) -> Answer:
        """List the messages that match, newest first."""
        query = ControlQuery(request.query_params, _SEARCHABLE | {"limit", "view"}, "A search")
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        view = self._summary if query.choice("view", Detail) else message_view
        wanted = await self._query(request, query)
        page, found = await self._page(wanted, limit, view)
        return page.answer(found.total, is_minimum=found.is_minimum)

    def _summary(self, message: Message, account: Account, form: AnswerForm) -> View:
        warnings = self._journal.warnings_of(message.account, message.request_id)
        return message_summary(message, account, form, len(warnings))

    async def clear(self, request: Request) -> Answer:
        """Delete the messages, their planned steps and their webhooks."""
        deleted = await self._inbox.empty(context_of(request).account_id)
        return json_answer(DeletedView(deleted=deleted))

    async def count(self, request: Request) -> Answer:
        """Count the messages that match, as far as a search does."""
        query = ControlQuery(request.query_params, _SEARCHABLE, "A count")
        found = await self._inbox.search(await self._query(request, query), 1)
        return json_answer(CountView(count=found.total, count_is_minimum=found.is_minimum or UNSET))

    async def wait(self, request: Request) -> Answer:
        """Return a message that matches as soon as there is one, or 408 and what did arrive."""
        query = ControlQuery(
            request.query_params, _SEARCHABLE | {"timeout", "jump", "field"}, "A wait"
        )
        timeout, part = _timeout(query), query.choice("field", MessagePart)
        jumps, wanted = query.flag("jump"), await self._query(request, query)
        jumps = jumps and wanted.filter.status is not None
        # Where the clock is moved, the wait is for a message that fits all but the status.
        filter_ = replace(wanted.filter, status=None) if jumps else wanted.filter
        sought = MessageQuery(filter=filter_, pattern=wanted.pattern)
        message, reason = await self._awaited(request, sought, part, timeout), None
        if message is not None and jumps:
            candidates = [each async for each in self._newest(sought, part)]
            message = await self._time_travel.advance_to_status(candidates, wanted.filter)
            status = wanted.filter.status
            reason = f"none that fits otherwise reaches the status {status} within ten years"
        if message is None:
            raise await self._timed_out(request, wanted, part, timeout, reason)
        if part is not None:
            return TextAnswer(await part_of(message, part, self._form) or "")
        account = self._accounts.get(message.account)
        return json_answer(await with_contents(message_view(message, account, self._form), message))

    async def read(self, request: Request) -> Answer:
        """Return one message with its timeline."""
        message = await message_of(request, self._store)
        attempts = await self._attempts(message)
        account = self._accounts.get(message.account)
        entry = self._journal.get(message.account, message.request_id)
        view = full_message_view(message, account, self._form, attempts, entry)
        return json_answer(await with_contents(view, message))

    async def delete(self, request: Request) -> Answer:
        """Delete one message, its planned steps and its webhooks."""
        deleted = await self._inbox.delete(await message_of(request, self._store))
        return json_answer(DeletedView(deleted=deleted))

    async def set_status(self, request: Request) -> Answer:
        """Set the status of one recipient's delivery, or of all; return the message after that."""
        message = await message_of(request, self._store)
        body = read_body_as(request, StatusBody)
        await self._deliveries.set_status(message.id, body.status, body.to)
        return await self.read(request)

    async def _query(self, request: Request, query: ControlQuery) -> MessageQuery:
        matches = query.words("matches")
        return MessageQuery(
            filter=_filter(request, query),
            pattern=None if matches is None else await self._patterns.compiled(matches),
        )

    async def _awaited(
        self, request: Request, wanted: MessageQuery, part: MessagePart | None, timeout: float
    ) -> Message | None:
        """Return a message that matches and has the part, or None after the timeout."""
        with self._waits.waiting(wanted) as wait:
            message = await self._existing(wait, part)
            if message is not None:
                return message
            with on_disconnect(context_of(request).receive, lambda: wait.put(ClientDisconnect())):
                # The event loop goes on while this waits, so what falls due can be performed.
                await self._lifecycle.start()
                loop = asyncio.get_running_loop()
                ends_at = loop.time() + timeout
                while (message := await wait.next(max(ends_at - loop.time(), 0))) is not None:
                    if await self._has(message, part):
                        return message
        return None

    async def _existing(self, wait: Wait, part: MessagePart | None) -> Message | None:
        message = await wait.existing()
        if message is None or await self._has(message, part):
            return message
        async for each in self._newest(wait.query, part):
            return each
        return None

    async def _newest(
        self, wanted: MessageQuery, part: MessagePart | None
    ) -> AsyncIterator[Message]:
        """Return the newest messages that match and have the part."""
        async for message in self._inbox.read(await self._inbox.first(wanted, CONSIDERED)):
            if await self._has(message, part):
                yield message

    async def _has(self, message: Message, part: MessagePart | None) -> bool:
        if part is None or part.is_in_every_message:
            return True
        return await part_of(message, part, self._form) is not None

    async def _page(
        self, wanted: MessageQuery, limit: int, view: Callable[[Message, Account, AnswerForm], View]
    ) -> tuple[ListPage, Found]:
        """Return the newest messages that match, and what was found of them."""
        found = await self._inbox.search(wanted, limit)
        page = ListPage(limit)
        async for message in self._inbox.read(found.messages):
            page.add(view(message, self._accounts.get(message.account), self._form))
            if page.is_full:
                break
        return page, found

    async def _attempts(self, message: Message) -> list[Attempt]:
        slices, attempts = Slices(), []
        wanted = AttemptFilter(account=message.account, message=message.id)
        async for attempt in self._store.webhooks.search(wanted):
            attempts.append(attempt)
            await slices.pause()
        return attempts

    async def _timed_out(
        self,
        request: Request,
        wanted: MessageQuery,
        part: MessagePart | None,
        timeout: float,
        reason: str | None,
    ) -> WaitTimedOut:
        from msgine_sandbox.control.nearest import Nearest  # here, because tests rarely fail

        account = wanted.filter.account
        found = await self._inbox.search(
            MessageQuery(filter=Filter(account=account)), SHOWN_AFTER_WAIT
        )
        page, messages = ListPage(SHOWN_AFTER_WAIT), []
        async for message in self._inbox.read(found.messages):
            page.add(message_view(message, self._accounts.get(message.account), self._form))
            messages.append(message)
            if page.is_full:
                break
        nearest = Nearest(self._inbox, self._form, wanted, dict(request.query_params), part)
        details = {"arrived": page.array(), "nearest": await nearest.of(messages)}
        if reason is not None:
            return WaitTimedOut(
                f"No such message, among {found.total} in the inbox: {reason}",
                **details,
                reason=reason,
            )
        hint = ""
        if account is not None and self._accounts.clock_of(account).frozen_at is not None:
            hint = "; the account's clock is frozen, so nothing happens until it is advanced"
        return WaitTimedOut(
            f"No such message within {timeout:g} s, among {found.total} in the inbox{hint}",
            **details,
        )


async def message_of(request: Request, store: Store) -> Message:
    """Return the message that a path names, if it belongs to the account of the call.

    Raises:
        NotFound: there is none.
    """
    message_id = parse_message_id(request.path_params["id"])
    message = None
    if message_id is not None:
        message = await store.messages.get(message_id, context_of(request).account_id)
    if message is None:
        raise NotFound("Message not found")
    return message


def _filter(request: Request, query: ControlQuery) -> Filter:
    pluses, sent = request.query_params, request.scope["query_string"]
    if b"+" in sent:
        pluses = QueryParams(sent.replace(b"+", b"%2B"))
    return Filter(
        account=context_of(request).account_id,
        channel=query.choice("channel", Channel),
        id=query.row_id("id", parse_message_id, "a message"),
        before=query.row_id("before", parse_message_id, "a message"),
        to=_readings(query.words("to"), pluses.get("to")),
        status=query.choice("status", Status),
        contains=_readings(query.words("contains"), pluses.get("contains")),
        anywhere=_readings(query.words("q"), pluses.get("q")),
        since=query.instant("since"),
    )


def _readings(spaces: str | None, pluses: str | None) -> tuple[str, ...]:
    """Return what a text in a query can mean, given with its pluses as spaces and as themselves.

    A plus that is not encoded is a space where a form or a library has encoded the query, and
    itself in `?to=+256…` and `?to=jane+news@example.com`: in all places, or where the number of a
    phone begins. The two texts have the same length, and differ only at such pluses.
    """
    if spaces is None or pluses is None:
        return ()
    mixed = re.sub(_PLUS_OF_NUMBER, lambda found: pluses[found.start()], spaces)
    return tuple(dict.fromkeys([spaces, pluses, mixed]))


def _timeout(query: ControlQuery) -> float:
    text = query.text("timeout")
    if text is None:
        return DEFAULT_WAIT
    # Not all that `float` reads, such as `1_0`, `nan` and digits that are not ASCII.
    if _DECIMAL.fullmatch(text) and float(text) <= MAX_WAIT:
        return float(text)
    raise invalid_field("timeout", text, f"seconds, from 0 to {MAX_WAIT}")
