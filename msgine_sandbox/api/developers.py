"""`/developers`, the second generation: SMS, email and push; each sent, listed, read."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.outbox import Outbox
from msgine_sandbox.api.second_generation import EMAIL, PUSH, SMS, shape
from msgine_sandbox.domain.email import Email
from msgine_sandbox.domain.push import Push
from msgine_sandbox.domain.sms import Sms
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.channel import Channel


class DevelopersApi:
    """The second generation's messages."""

    def __init__(self, outbox: Outbox, sms: Sms, email: Email, push: Push) -> None:
        self._outbox = outbox
        self._sms = sms
        self._email = email
        self._push = push

    @property
    def routes(self) -> list[Route]:
        """The paths, below the base URL."""
        return [
            resource("/developers/sms", POST=self.send_sms),
            resource("/developers/sms/history", GET=self.sms_history),
            resource("/developers/email", POST=self.send_email),
            resource("/developers/email/history", GET=self.email_history),
            resource("/developers/push", POST=self.send_push),
            resource("/developers/push/history", GET=self.push_history),
            resource("/developers/{id}", GET=self.read),
        ]

    async def send_sms(self, request: Request) -> Reply:
        """Send an SMS. Source: documented elsewhere."""
        return await self._outbox.send(request, SMS, self._sms)

    async def send_email(self, request: Request) -> Reply:
        """Send an email. Source: seen in SDKs."""
        return await self._outbox.send(request, EMAIL, self._email)

    async def send_push(self, request: Request) -> Reply:
        """Send a push. Source: seen in SDKs."""
        return await self._outbox.send(request, PUSH, self._push)

    async def sms_history(self, request: Request) -> Reply:
        """List SMS messages, newest first. Source: documented elsewhere."""
        return await self._history(request, Channel.SMS, "messages")

    async def email_history(self, request: Request) -> Reply:
        """List emails, newest first. Source: seen in SDKs."""
        return await self._history(request, Channel.EMAIL, "messages")

    async def push_history(self, request: Request) -> Reply:
        """List pushes, newest first. Source: seen in SDKs."""
        return await self._history(request, Channel.PUSH, "notifications")

    async def read(self, request: Request) -> Reply:
        """Give a message of whichever channel. Source: seen in SDKs."""
        return reply(shape(await self._outbox.read(request, set(Channel))))

    async def _history(self, request: Request, channel: Channel, name: str) -> Reply:
        found = await self._outbox.page(request, channel)
        listed = list(map(shape, found.messages))
        counted = {"total": found.total, "page": found.page, "pages": found.pages}
        return reply({name: listed, **counted})
