"""`POST /_sandbox/reset`: begin anew."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen
from msgine_sandbox.domain.reset import Reset
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource


class ResetControl:
    """Makes the account, or all, as new."""

    def __init__(self, reset: Reset) -> None:
        self._reset = reset

    @property
    def routes(self) -> list[Route]:
        """The path, below `/_sandbox`."""
        return [resource("/reset", POST=self.reset)]

    async def reset(self, request: Request) -> Reply:
        """Forget messages, keys, windows, clock and webhooks."""
        await self._reset.reset(chosen(request))
        return reply({"status": "ok"})
