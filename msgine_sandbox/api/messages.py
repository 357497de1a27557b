"""`/messages`: send one, read one, list them."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.first_generation import draft, shape
from msgine_sandbox.domain.messages import Messages
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.edge.visit import visit_of
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

    def __init__(self, messages: Messages, rows: MessageRows) -> None:
        self._messages = messages
        self._rows = rows

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
        sms = draft(read_json(request))
        message = self._messages.compose(visit.client, sms, visit.request_id)
        answer = reply(shape(message), 201)
        await self._messages.accept(message, visit.settled(answer.status, answer.body))
        return answer

    async def page(self, request: Request) -> Reply:
        """List messages, newest first. Source: documented; the order is our choice."""
        account = visit_of(request.scope).client
        _require(account, Scope.READ_MESSAGES)
        query = Fields(request.query_params)
        page = query.whole("page", default=1, most=MAX_PAGE)
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        messages, total = await self._rows.page(account.id, SMS, page, limit)
        pagination = {"page": page, "limit": limit, "total": total, "pages": -(-total // limit)}
        return reply({"data": list(map(shape, messages)), "pagination": pagination})

    async def read(self, request: Request) -> Reply:
        """Give one message with its present status. Source: documented elsewhere."""
        account = visit_of(request.scope).client
        _require(account, Scope.READ_MESSAGES)
        number = number_of(PREFIX, request.path_params["id"])
        message = None if number is None else await self._rows.get(number, account.id)
        if message is None:
            raise NotFound("Message not found")
        return reply(shape(message))


def _require(account: Account, scope: Scope) -> None:
    if not account.may(scope):
        raise Forbidden(requiredScope=scope)
