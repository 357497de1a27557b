"""`/_sandbox/clock`: the account's time."""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import instant_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.accounts import ClockView, clock_view
from msgine_sandbox.control.bodies import Body, Number, read_body_as
from msgine_sandbox.control.views import View
from msgine_sandbox.model.clock import SECOND, Instant, iso_micros, seconds
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.time_travel import TimeTravel, Until
from msgine_sandbox.services.upcoming import Due, Upcoming, What


class DueView(View, frozen=True, kw_only=True):
    """What is due next on a clock."""

    at: str
    in_seconds: float
    """From the account's time on; 0 for what is overdue."""
    what: What
    message_id: str
    status: Status | UnsetType = UNSET
    """That begins; not of a webhook."""
    event: EventType | UnsetType = UNSET
    """Of a webhook, as `attempt` is."""
    attempt: int | UnsetType = UNSET
    account_id: str


class FullClockView(ClockView, frozen=True, kw_only=True):
    """A clock as its own calls return it."""

    next: DueView | None
    performed: int | UnsetType = UNSET
    """How many statuses began and webhooks were sent by an advance; only in its answer."""


class AdvanceBody(Body, frozen=True, kw_only=True):
    """How far to advance a clock: one of the three."""

    seconds: Number | None = None
    to: str | None = None
    """A time in ISO 8601."""
    until: Until | None = None


class ClockControl:
    """Reads, advances, freezes and resumes clocks; without an account, those of all."""

    def __init__(
        self, accounts: Accounts, time_travel: TimeTravel, upcoming: Upcoming, form: AnswerForm
    ) -> None:
        self._accounts = accounts
        self._time_travel = time_travel
        self._upcoming = upcoming
        self._form = form

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
        """Return the clock, and what is due next."""
        return json_answer(await self._view(context_of(request).account_id))

    async def advance(self, request: Request) -> Answer:
        """Advance the clock, and return it once everything that fell due has been done."""
        body, account = read_body_as(request, AdvanceBody), context_of(request).account_id
        performed = await self._advance(body, account)
        return json_answer(replace(await self._view(account), performed=performed))

    async def freeze(self, request: Request) -> Answer:
        """Stop the clock at its time."""
        await self._time_travel.freeze(context_of(request).account_id)
        return await self.read(request)

    async def resume(self, request: Request) -> Answer:
        """Let the clock run on from its time."""
        await self._time_travel.resume(context_of(request).account_id)
        return await self.read(request)

    async def _advance(self, body: AdvanceBody, account: int | None) -> int:
        if [body.seconds, body.to, body.until].count(None) == 2:
            if body.seconds is not None:
                return await self._time_travel.advance(account, seconds(body.seconds))
            if body.to is not None:
                instant = instant_of("to", body.to)
                return await self._time_travel.advance_to(account, instant, body.to)
            if body.until is not None:
                return await self._time_travel.advance_until(account, body.until)
        expected = "one of seconds, to and until"
        raise InvalidRequest(
            f"Say how far to advance the clock: {expected}", field="body", expected=expected
        )

    async def _view(self, account: int | None) -> FullClockView:
        due = await self._upcoming.next(account)
        clock, now, real = self._time_travel.read(account)
        view = clock_view(clock, now, real)
        return FullClockView(
            now=view.now,
            real_now=view.real_now,
            frozen=view.frozen,
            ahead_seconds=view.ahead_seconds,
            next=None if due is None else self._due_view(due, real),
        )

    def _due_view(self, due: Due, real: Instant) -> DueView:
        left = max(due.at - self._accounts.at(due.account, real), 0)
        return DueView(
            at=iso_micros(due.at),
            in_seconds=left / SECOND,
            what=due.what,
            message_id=self._form.message_id(due.message),
            status=UNSET if due.status is None else due.status,
            event=UNSET if due.event is None else due.event,
            attempt=UNSET if due.attempt is None else due.attempt,
            account_id=self._accounts.get(due.account).public_id,
        )
