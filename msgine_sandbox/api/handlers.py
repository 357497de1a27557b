"""What both APIs do in the same way: send a message, list messages, read one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from msgine_sandbox.api.schema import MessageCodec, warn_of_query, warn_of_unknown
from msgine_sandbox.asgi.answers import Answer, encoded, json_answer
from msgine_sandbox.asgi.body import json_object
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.credentials import TRACE_HEADER, traceparent
from msgine_sandbox.asgi.fields import Fields
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.bound import MEGABYTE, Bound
from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.errors import Forbidden, NotFound
from msgine_sandbox.model.fault import Fault
from msgine_sandbox.model.message import AnswerForm, Message, parse_message_id
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.services.client_warnings import PollingDetector
from msgine_sandbox.services.drafts import ChannelService, ScheduledTime
from msgine_sandbox.services.faults import Faults
from msgine_sandbox.services.messages import Messages
from msgine_sandbox.storage.messages import MessageRows, Version

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
MAX_PAGE: Final = 10**12
_READ_TOGETHER: Final = 20
"""Messages that are read at a time: with long texts, it takes some milliseconds."""
_SHOWN: Final = Bound(4_096, 2 * MEGABYTE)
"""Messages that each API remembers as it listed them."""
_OVERHEAD: Final = 300
"""Bytes that one of them takes besides its JSON."""


class _Shown(NamedTuple):
    """What a message shows, from one instant on until before another one."""

    timelines: str
    since: Instant
    until: Instant
    json: Raw


_NOTHING: Final = _Shown("", 0, 0, Raw())


class ShownMessages:
    """Messages as one API lists them; those that were listed last are remembered.

    Clients ask for the same lists again and again, and to read and encode a message takes most of
    the time of a list. Nobody has to say when a message has changed: what it shows follows from
    its row, of which only the timelines are ever replaced, and from the time.
    """

    def __init__(
        self, rows: MessageRows, view: Callable[[Message], Any], *, kept: Bound = _SHOWN
    ) -> None:
        self._rows = rows
        self._view = view
        self._bound = kept
        self._shown: dict[int, _Shown] = {}
        """By message, in the order in which they were encoded."""
        self._size = 0

    async def of(self, versions: Sequence[Version], seen_at: Instant) -> list[Raw]:
        """Return messages in JSON, in their order, with the statuses that they have at an instant.

        Nothing may be awaited between reading the versions and this.
        """
        found: dict[int, Raw] = {}
        for message, stored in versions:
            timelines, since, until, json = self._shown.get(message, _NOTHING)
            if timelines == stored and since <= seen_at < until:
                found[message] = json
        if len(found) == len(versions):
            return [*found.values()]
        missing = {message: stored for message, stored in versions if message not in found}
        for read in await self._rows.get_all(missing):
            found[read.id] = self._remember(read, missing[read.id])
        return [found[message] for message, _ in versions]

    def _remember(self, message: Message, timelines: str) -> Raw:
        json = Raw(encoded(self._view(message)))
        until = message.timelines.next_after(message.seen_at)
        self._forget(message.id)
        self._shown[message.id] = _Shown(
            timelines, message.seen_at, FOREVER if until is None else until, json
        )
        self._size += len(memoryview(json)) + _OVERHEAD
        while len(self._shown) > self._bound.entries or self._size > self._bound.size:
            self._forget(next(iter(self._shown)))
        return json

    def _forget(self, message: int) -> None:
        shown = self._shown.pop(message, None)
        if shown is not None:
            self._size -= len(memoryview(shown.json)) + _OVERHEAD


class MessagePage(msgspec.Struct, frozen=True):
    """A page of an account's messages, newest first."""

    messages: list[Raw]
    """As the API shows them, in JSON."""
    page: int
    limit: int
    total: int
    """Of all pages."""

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.total // self.limit)


class MessageHandlers:
    """Sends, lists and reads messages; the APIs add their paths, fields and views."""

    def __init__(
        self,
        messages: Messages,
        channels: Mapping[Channel, ChannelService[Any]],
        faults: Faults,
        rows: MessageRows,
        polling: PollingDetector,
        form: AnswerForm,
    ) -> None:
        self._messages = messages
        self._channels = channels
        self._faults = faults
        self._rows = rows
        self._polling = polling
        self._form = form

    async def send(
        self, channel: Channel, codec: MessageCodec[Any], context: RequestContext
    ) -> Answer:
        """Accept the message that a body describes, and return it. Source: documented."""
        account = account_with(TRAITS[channel].scope, context)
        body = json_object(context)
        codec.warn(context, body)
        service = self._channels[channel]
        draft = await service.prepared(codec.read(body))
        if draft.scheduled_for is not None:
            warn_of_time(draft.scheduled_for, context)
        send_context = self._messages.send_context(account, context.entry.request_id)
        message = await service.compose(draft, send_context)
        if TRACE_HEADER in context.headers:
            message = replace(message, traceparent=traceparent(context))
        counted: Collection[Fault] = ()
        if self._faults.deciding:
            message, counted = await self._messages.decided(message)
        context.entry.warnings += service.warnings_about(message)
        # Before the message is stored, because its idempotency key is stored with the answer in
        # the same transaction.
        view = codec.view(message, self._form)
        answer = json_answer(view, codec.accepted)
        await self._messages.accept(message, context.to_store(answer), counted)
        # Only now, because the commit could have failed.
        context.entry.message = view.id
        if message.timelines.form.rules:
            context.entry.deliveries = message.timelines.decisions(message.recipients)
        return answer

    def shown(self, view: Callable[[Message], Any]) -> ShownMessages:
        """Return what makes messages the JSON that an API shows of them in lists."""
        return ShownMessages(self._rows, view)

    async def page(
        self, channel: Channel, shown: ShownMessages, context: RequestContext
    ) -> MessagePage:
        """Return the page that is asked for. Source: documented; newest first is our choice."""
        account = account_with(Scope.READ_MESSAGES, context)
        parameters = context.query
        warn_of_unknown(context, parameters, ("page", "limit"), "query")
        query = Fields(parameters)
        page = query.query_int("page", default=1, most=MAX_PAGE)
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        start, total = await self._rows.page(account.id, channel, page, limit)
        messages: list[Raw] = []
        left, below = min(limit, total - (page - 1) * limit), FOREVER
        slices = Slices(seconds=0)  # each part can take a whole one
        while left > 0:
            part, seen_at = await self._rows.next_of_page(
                account.id, channel, start, min(left, _READ_TOGETHER), below=below
            )
            if not part:
                break  # the rest was deleted meanwhile
            messages += await shown.of(part, seen_at)
            left, below = left - len(part), part[-1][0]
            if left:
                await slices.pause()
        return MessagePage(messages, page, limit, total)

    async def read(self, channels: Collection[Channel], context: RequestContext) -> Message:
        """Return one of the account's messages. Source: documented elsewhere."""
        account = account_with(Scope.READ_MESSAGES, context)
        warn_of_query(context)
        row_id = parse_message_id(context.path_params["id"])
        message = None if row_id is None else await self._rows.get(row_id, account.id)
        if message is None or message.channel not in channels:
            raise NotFound("Message not found")
        context.entry.warnings += self._polling.warnings_for(account, message)
        return message


def account_with(scope: Scope, context: RequestContext) -> Account:
    """Return the account of a request; raise Forbidden (documented) if it lacks a scope."""
    account = context.authenticated_account
    if not account.has_scope(scope):
        raise Forbidden(requiredScope=scope)
    return account


def warn_of_time(scheduled_for: ScheduledTime, context: RequestContext) -> None:
    """Warn of a time without an offset.

    Called before the time is refused for being in the past: a missing offset may be why it is.
    """
    if not scheduled_for.has_offset:
        context.entry.warnings.append(warning.time_without_offset(scheduled_for.text))
