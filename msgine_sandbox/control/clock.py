"""`/_sandbox/clock`: the account's time."""

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import read_json
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import clock_view
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.services.time_travel import TimeTravel


class ClockControl:
    """Time travel."""

    def __init__(self, time_travel: TimeTravel) -> None:
        self._time_travel = time_travel

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/clock", GET=self.read),
            resource("/_sandbox/clock/advance", POST=self.advance),
            resource("/_sandbox/clock/freeze", POST=self.freeze),
            resource("/_sandbox/clock/resume", POST=self.resume),
        ]

    async def read(self, request: Request) -> Answer:
        """Tell the time."""
        return json_answer(clock_view(*self._time_travel.read(context_of(request).account_id)))

    async def advance(self, request: Request) -> Answer:
        """Move forward, and answer when all that fell due is done."""
        body = read_json(request)
        body.forbid_unknown({"seconds", "to"}, "An advance")
        by, to = body.number("seconds"), body.instant("to")
        if (by is None) is (to is None):
            raise InvalidRequest(
                "Say how far: either seconds or to", field="seconds", expected="seconds or to"
            )
        account = context_of(request).account_id
        if to is not None:
            performed = await self._time_travel.advance_to(account, to)
        else:
            performed = await self._time_travel.advance(account, seconds(by or 0))
        return json_answer(clock_view(*self._time_travel.read(account)) | {"performed": performed})

    async def freeze(self, request: Request) -> Answer:
        """Let time stand still."""
        await self._time_travel.freeze(context_of(request).account_id)
        return await self.read(request)

    async def resume(self, request: Request) -> Answer:
        """Let time run on from where it stands."""
        await self._time_travel.resume(context_of(request).account_id)
        return await self.read(request)
