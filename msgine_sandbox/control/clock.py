"""`/_sandbox/clock`: the account's time."""

from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import instant_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.accounts import ClockView, clock_view
from msgine_sandbox.control.bodies import Body, Number, read_body_as
from msgine_sandbox.model.clock import seconds
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.services.time_travel import TimeTravel


class AdvanceBody(Body, frozen=True, kw_only=True):
    """How far to advance a clock: one of the two."""

    seconds: Number | None = None
    to: str | None = None
    """A time in ISO 8601."""


class ClockControl:
    """Reads, advances, freezes and resumes clocks; without an account, those of all."""

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
        """Return the clock."""
        return json_answer(self._view(context_of(request).account_id))

    async def advance(self, request: Request) -> Answer:
        """Advance the clock, and return it once everything that fell due has been done."""
        body, account = read_body_as(request, AdvanceBody), context_of(request).account_id
        performed = await self._advance(body, account)
        return json_answer(replace(self._view(account), performed=performed))

    async def freeze(self, request: Request) -> Answer:
        """Stop the clock at its time."""
        await self._time_travel.freeze(context_of(request).account_id)
        return await self.read(request)

    async def resume(self, request: Request) -> Answer:
        """Let the clock run on from its time."""
        await self._time_travel.resume(context_of(request).account_id)
        return await self.read(request)

    async def _advance(self, body: AdvanceBody, account: int | None) -> int:
        if body.seconds is not None and body.to is None:
            return await self._time_travel.advance(account, seconds(body.seconds))
        if body.to is not None and body.seconds is None:
            return await self._time_travel.advance_to(account, instant_of("to", body.to), body.to)
        expected = "either seconds or to"
        raise InvalidRequest(
            f"Say how far to advance the clock: {expected}", field="seconds", expected=expected
        )

    def _view(self, account: int | None) -> ClockView:
        return clock_view(*self._time_travel.read(account))
