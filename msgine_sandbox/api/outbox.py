"""What both generations do alike, and each in its own shape: send, list, read."""

from collections.abc import Collection
from typing import NamedTuple

from starlette.requests import Request

from msgine_sandbox.api.form import Composer, Draft, Form
from msgine_sandbox.domain.messages import Messages
from msgine_sandbox.domain.polls import Polls
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import SENDING_BY, Account, Scope
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import Forbidden, NotFound
from msgine_sandbox.model.ids import number_of
from msgine_sandbox.model.message import PREFIX, Message
from msgine_sandbox.storage.messages import MessageRows

MAX_LIMIT = 100
DEFAULT_LIMIT = 20
MAX_PAGE = 10**12


class Page(NamedTuple):
    """A page of an account's messages, and where it stands among the others."""

    messages: list[Message]
    page: int
    limit: int
    total: int

    @property
    def pages(self) -> int:
        """How many there are."""
        return -(-self.total // self.limit)


class Outbox:
    """The account's messages, as its client works with them."""

    def __init__(self, messages: Messages, rows: MessageRows, polls: Polls) -> None:
        self._messages = messages
        self._rows = rows
        self._polls = polls

    async def send(self, request: Request, form: Form[Draft], channel: Composer[Draft]) -> Reply:
        """Send what a body asks for: 201 with the message. Source: documented."""
        visit = visit_of(request.scope)
        require(visit.client, SENDING_BY[channel.channel])
        body = read_json(request)
        notice_unknown(visit, body, form.fields, "body")
        origin = self._messages.origin(visit.client, visit.request_id)
        message = await channel.compose(form.draft(body), origin)
        visit.warnings += channel.remarks(message)
        answer = reply(form.shape(message), 201)
        await self._messages.accept(message, visit.settled(answer.status, answer.body))
        visit.accepted = message.public_id
        return answer

    async def page(self, request: Request, channel: Channel) -> Page:
        """Read which page is asked for, and give it. Source: documented; newest first is ours."""
        visit = visit_of(request.scope)
        require(visit.client, Scope.READ_MESSAGES)
        query = Fields(request.query_params)
        notice_unknown(visit, query, {"page", "limit"}, "query")
        page = query.whole("page", default=1, most=MAX_PAGE)
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        messages, total = await self._rows.page(visit.client.id, channel, page, limit)
        return Page(messages, page, limit, total)

    async def read(self, request: Request, channels: Collection[Channel]) -> Message:
        """Give one of the account's messages as it stands. Source: documented elsewhere."""
        visit = visit_of(request.scope)
        account = visit.client
        require(account, Scope.READ_MESSAGES)
        number = number_of(PREFIX, request.path_params["id"])
        message = None if number is None else await self._rows.get(number, account.id)
        if message is None or message.channel not in channels:
            raise NotFound("Message not found")
        visit.warnings += self._polls.judged(account, message)
        return message


def require(account: Account, scope: Scope) -> None:
    """See to it that the credential has a scope.

    Raises:
        Forbidden: it has not (documented).
    """
    if not account.may(scope):
        raise Forbidden(requiredScope=scope)


def notice_unknown(visit: Visit, fields: Fields, known: Collection[str], place: str) -> None:
    """Warn of fields that the call does not have."""
    unknown = fields.beyond(known)
    if unknown:
        visit.warnings.append(warning.unknown_field(unknown, place))
