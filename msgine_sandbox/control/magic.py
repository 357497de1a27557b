"""`/_sandbox/magic`: the recipients that decide what becomes of a message."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.shapes import list_shape
from msgine_sandbox.domain.magic import ALL
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource


class MagicControl:
    """Lists them, so that nobody has to keep a list of their own."""

    @property
    def routes(self) -> list[Route]:
        """The path, below `/_sandbox`."""
        return [resource("/magic", GET=self.list)]

    async def list(self, request: Request) -> Reply:  # noqa: ARG002
        """Give each by name, number, address and token, and what it brings about."""
        found = [
            {
                "name": each.name,
                "number": each.number,
                "address": each.address,
                "token": each.token,
                "what": each.what,
            }
            for each in ALL
        ]
        return reply(list_shape(found, len(found)))
