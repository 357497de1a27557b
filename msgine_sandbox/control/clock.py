"""`/_sandbox/clock`: the account's time."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen
from msgine_sandbox.control.shapes import clock_shape
from msgine_sandbox.domain.clocks import Clocks
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import InvalidRequest


class ClockControl:
    """Time travel."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/clock", GET=self.read),
            resource("/clock/advance", POST=self.advance),
            resource("/clock/freeze", POST=self.freeze),
            resource("/clock/resume", POST=self.resume),
        ]

    async def read(self, request: Request) -> Reply:
        """Tell the time."""
        return reply(clock_shape(*self._clocks.read(chosen(request))))

    async def advance(self, request: Request) -> Reply:
        """Move forward, and answer when all that fell due is done."""
        body = read_json(request)
        body.only({"seconds", "to"}, "An advance")
        by, to = body.number("seconds"), body.instant("to")
        if (by is None) is (to is None):
            raise InvalidRequest(
                "Say how far: either seconds or to", field="seconds", expected="seconds or to"
            )
        account = chosen(request)
        if to is not None:
            performed = await self._clocks.advance_to(account, to)
        else:
            performed = await self._clocks.advance(account, seconds(by or 0))
        return reply(clock_shape(*self._clocks.read(account)) | {"performed": performed})

    async def freeze(self, request: Request) -> Reply:
        """Let time stand still."""
        await self._clocks.freeze(chosen(request))
        return await self.read(request)

    async def resume(self, request: Request) -> Reply:
        """Let time run on from where it stands."""
        await self._clocks.resume(chosen(request))
        return await self.read(request)
