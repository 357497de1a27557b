"""`/messages`: send one, read one, list them."""

from collections.abc import Collection

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.first_generation import DRAFT, PAGE, draft, shape
from msgine_sandbox.domain.messages import Messages
from msgine_sandbox.domain.polls import Polls
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import Account, Scope
from msgine_sandbox.model.errors import Forbidden, NotFound
from msgine_sandbox.model.ids import number_of
from msgine_sandbox.model.message import PREFIX, SMS
from msgine_sandbox.storage.messages import MessageRows

MAX_LIMIT = 100
DEFAULT_LIMIT = 20
MAX_PAGE = 10**12


class MessagesApi:
    """The first generation's calls."""

    def __init__(self, messages: Messages, rows: MessageRows, polls: Polls) -> None:
        self._messages = messages
        self._rows = rows
        self._polls = polls

    @property
    def routes(self) -> list[Route]:
        """The paths, below the base URL."""
        return [
            resource("/messages/sms", POST=self.send),
            resource("/messages", GET=self.page),
            resource("/messages/{id}", GET=self.read),
        ]

    async def send(self, request: Request) -> Reply:
        """Send an SMS: 201 with the message, pending. Source: documented."""
        visit = visit_of(request.scope)
        _require(visit.client, Scope.SEND_SMS)
        body = read_json(request)
        _notice_unknown(visit, body, DRAFT, "body")
        message = self._messages.compose(visit.client, draft(body), visit.request_id)
        visit.warnings += self._messages.remarks(message)
        answer = reply(shape(message), 201)
        await self._messages.accept(message, visit.settled(answer.status, answer.body))
        visit.accepted = message.public_id
        return answer

    async def page(self, request: Request) -> Reply:
        """List messages, newest first. Source: documented; the order is our choice."""
        visit = visit_of(request.scope)
        account = visit.client
        _require(account, Scope.READ_MESSAGES)
        query = Fields(request.query_params)
        _notice_unknown(visit, query, PAGE, "query")
        page = query.whole("page", default=1, most=MAX_PAGE)
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        messages, total = await self._rows.page(account.id, SMS, page, limit)
        pagination = {"page": page, "limit": limit, "total": total, "pages": -(-total // limit)}
        return reply({"data": list(map(shape, messages)), "pagination": pagination})

    async def read(self, request: Request) -> Reply:
        """Give one message with its present status. Source: documented elsewhere."""
        visit = visit_of(request.scope)
        account = visit.client
        _require(account, Scope.READ_MESSAGES)
        number = number_of(PREFIX, request.path_params["id"])
        message = None if number is None else await self._rows.get(number, account.id)
        if message is None:
            raise NotFound("Message not found")
        visit.warnings += self._polls.judged(account, message)
        return reply(shape(message))


def _require(account: Account, scope: Scope) -> None:
    if not account.may(scope):
        raise Forbidden(requiredScope=scope)


def _notice_unknown(visit: Visit, fields: Fields, known: Collection[str], place: str) -> None:
    unknown = fields.beyond(known)
    if unknown:
        visit.warnings.append(warning.unknown_field(unknown, place))
