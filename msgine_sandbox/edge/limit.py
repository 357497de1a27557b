"""How much the account may still ask for, on every answer."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.rate_limit import RateLimit, untouched
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.account import Limits
from msgine_sandbox.model.admission import Admission
from msgine_sandbox.model.clock import SECOND, Instant, RealTime
from msgine_sandbox.model.errors import ApiError, RateLimitExceeded


class Allowance:
    """Tells a stranger the default allowance, because every response says one (documented)."""

    def __init__(self, app: ASGIApp, limits: Limits, real: RealTime) -> None:
        self._app = app
        self._admission = untouched(limits)
        self._real = real

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ApiError:
            visit = visit_of(scope)
            if visit.admission is None:
                _announce(visit, self._admission, self._real.now())
            raise


class Limit:
    """Counts every authenticated request, and refuses those over the account's allowance."""

    def __init__(self, app: ASGIApp, rate_limit: RateLimit, real: RealTime) -> None:
        self._app = app
        self._rate_limit = rate_limit
        self._real = real

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        admission = self._rate_limit.admit(visit.client, visit.now)
        visit.admission = admission
        _announce(visit, admission, self._real.now())
        if admission.retry_after is not None:
            raise RateLimitExceeded(admission.retry_after)
        await self._app(scope, receive, send)


def _announce(visit: Visit, admission: Admission, real_now: Instant) -> None:
    """Put the documented headers on the answer; the reset is real time, in Unix seconds."""
    visit.signed[b"x-ratelimit-limit"] = b"%d" % admission.limit
    visit.signed[b"x-ratelimit-remaining"] = b"%d" % admission.remaining
    reset = -(-real_now // SECOND) + admission.reset_after
    visit.signed[b"x-ratelimit-reset"] = b"%d" % reset
