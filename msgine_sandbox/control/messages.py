"""`/_sandbox/messages`: the inbox, in full."""

import re

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.entries import decisions_shape, warnings_shape
from msgine_sandbox.control.scope import chosen
from msgine_sandbox.control.shapes import Json, list_shape, message_shape
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.deliveries import Deliveries
from msgine_sandbox.domain.inbox import Inbox, Wanted
from msgine_sandbox.domain.journal import Journal
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields, wrong
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import InvalidRequest, NotFound, WaitTimedOut
from msgine_sandbox.model.ids import number_of
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import PREFIX, Message
from msgine_sandbox.model.segments import split
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.store import Store

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
DEFAULT_WAIT = 10
MAX_WAIT = 60
SHOWN_AFTER_WAIT = 20
_WANTED = {"channel", "before", "to", "status", "q", "contains", "matches", "since"}
_SPACE_FOR_PLUS = re.compile(r" [0-9]")


class MessagesControl:
    """Search, wait, drive by hand, empty."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        inbox: Inbox,
        deliveries: Deliveries,
        journal: Journal,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._inbox = inbox
        self._deliveries = deliveries
        self._journal = journal

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/messages", GET=self.search, DELETE=self.clear),
            resource("/messages/wait", GET=self.wait),
            resource("/messages/{id}", GET=self.read),
            resource("/messages/{id}/status", POST=self.drive),
        ]

    async def search(self, request: Request) -> Reply:
        """List the messages that fit, newest first."""
        query = Fields(request.query_params)
        query.only(_WANTED | {"limit"}, "A search")
        wanted = _wanted(chosen(request), query)
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        found, total = await self._inbox.first(wanted, limit)
        return reply(list_shape([self._brief(message) for message in found], total))

    async def clear(self, request: Request) -> Reply:
        """Empty the inbox: messages, what was to become of them, and their webhooks."""
        return reply({"deleted": await self._inbox.empty(chosen(request))})

    async def wait(self, request: Request) -> Reply:
        """Answer when a message that fits exists, or with 408 and what did arrive."""
        query = Fields(request.query_params)
        query.only(_WANTED | {"timeout"}, "A wait")
        wanted = _wanted(chosen(request), query)
        timeout = _timeout(query)
        message = await self._inbox.wait(wanted, timeout)
        if message is None:
            raise await self._timed_out(wanted, timeout)
        return reply(self._brief(message))

    async def read(self, request: Request) -> Reply:
        """Give one message with its timeline."""
        message = await self._message(request)
        attempts, _ = await self._store.webhooks.attempts(message.account, message.id)
        account = self._accounts.get(message.account)
        entry = self._journal.get(message.account, message.request_id)
        decided = {}
        if entry is not None:
            decided = {"decisions": decisions_shape(entry), "warnings": warnings_shape(entry)}
        whole = message_shape(message, account, attempts, decided)
        if message.channel is Channel.SMS:
            whole["parts"] = split(message.text).parts
        return reply(whole)

    async def drive(self, request: Request) -> Reply:
        """Take a recipient, or all, to another status by hand."""
        message = await self._message(request)
        body = read_json(request)
        body.only({"status", "to"}, "A move by hand")
        status = body.required_choice("status", Status)
        await self._deliveries.drive(message, status, body.text("to"))
        return await self.read(request)

    async def _message(self, request: Request) -> Message:
        number = number_of(PREFIX, request.path_params["id"])
        message = (
            None if number is None else await self._store.messages.get(number, chosen(request))
        )
        if message is None:
            raise NotFound("Message not found")
        return message

    def _brief(self, message: Message) -> Json:
        return message_shape(message, self._accounts.get(message.account))

    async def _timed_out(self, wanted: Wanted, timeout: float) -> WaitTimedOut:
        account = wanted.filter.account
        arrived, total = await self._inbox.first(
            Wanted(filter=Filter(account=account)), SHOWN_AFTER_WAIT
        )
        hint = ""
        if account is not None and self._accounts.clock_of(account).frozen_at is not None:
            hint = "; the account's clock is frozen, so nothing happens until it is advanced"
        return WaitTimedOut(
            f"No such message within {timeout:g} s, among {total} in the inbox{hint}",
            arrived=[self._brief(message) for message in arrived],
        )


def _wanted(account: int | None, query: Fields) -> Wanted:
    return Wanted(
        filter=Filter(
            account=account,
            channel=query.choice("channel", Channel),
            before=_before(query.text("before")),
            to=_with_plus(query.text("to")),
            contains=query.text("contains"),
            anywhere=_with_plus(query.text("q")),
            since=query.instant("since"),
        ),
        matches=_pattern(query.text("matches")),
        status=query.choice("status", Status),
    )


def _before(text: str | None) -> int | None:
    number = None if text is None else number_of(PREFIX, text)
    if text is not None and number is None:
        raise wrong("before", text, "the id of a message")
    return number


def _with_plus(text: str | None) -> str | None:
    """Read `?to=+256…` as it is meant: a query writes a space as a plus, but no number has one."""
    return "+" + text[1:] if text is not None and _SPACE_FOR_PLUS.match(text) else text


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidRequest(
            f"matches is not a regular expression: {error}",
            field="matches",
            value=text,
            expected="a regular expression as Python's re takes it",
        ) from error


def _timeout(query: Fields) -> float:
    text = query.text("timeout") or str(DEFAULT_WAIT)
    try:
        timeout = float(text)
    except ValueError:
        timeout = -1
    if 0 <= timeout <= MAX_WAIT:
        return timeout
    expected = f"seconds, from 0 to {MAX_WAIT}"
    raise InvalidRequest(
        f"timeout must be {expected}", field="timeout", value=text, expected=expected
    )
