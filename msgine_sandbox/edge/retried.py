"""What is wrong with a request that comes again after it failed."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.retries import Retries, judged
from msgine_sandbox.edge.keys import has_key
from msgine_sandbox.edge.visit import fingerprint, visit_of


class Retried:
    """Notices repeated failures before the rate limit does, which is what many of them meet."""

    def __init__(self, app: ASGIApp, retries: Retries) -> None:
        self._app = app
        self._retries = retries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        if self._retries.expected_of(visit.client.id):
            failure = self._retries.repeated(visit.client.id, fingerprint(scope, visit))
            if failure is not None:
                visit.repeats = failure
                visit.warnings += judged(
                    failure,
                    posts=scope["method"] == "POST",
                    has_key=has_key(scope, visit),
                    now=visit.now,
                    real_now=visit.began,
                )
        await self._app(scope, receive, send)
