"""`/messages`, the first generation: send one, read one, list them."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.first_generation import SMS, shape
from msgine_sandbox.api.outbox import Outbox
from msgine_sandbox.domain.sms import Sms
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.channel import Channel


class MessagesApi:
    """The first generation's calls."""

    def __init__(self, outbox: Outbox, sms: Sms) -> None:
        self._outbox = outbox
        self._sms = sms

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
        return await self._outbox.send(request, SMS, self._sms)

    async def page(self, request: Request) -> Reply:
        """List SMS messages, newest first. Source: documented; the order is our choice."""
        found = await self._outbox.page(request, Channel.SMS)
        pagination = {
            "page": found.page,
            "limit": found.limit,
            "total": found.total,
            "pages": found.pages,
        }
        return reply({"data": list(map(shape, found.messages)), "pagination": pagination})

    async def read(self, request: Request) -> Reply:
        """Give one SMS with its present status. Source: documented elsewhere."""
        return reply(shape(await self._outbox.read(request, {Channel.SMS})))
