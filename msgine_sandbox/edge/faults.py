"""What goes wrong on purpose, between the rate limit and the idempotency keys."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.faults import Faults
from msgine_sandbox.edge.body import recipients_of
from msgine_sandbox.edge.connections import Connections, gone_within
from msgine_sandbox.edge.errors import render
from msgine_sandbox.edge.held import Held, broken, held
from msgine_sandbox.edge.reply import reply
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.fault import Asked, RequestEffect
from msgine_sandbox.model.injected import injected


class InjectFaults:
    """Lets a request meet the fault that is meant for it.

    With `commit` the request is done first, and what suffers is only its answer.
    """

    def __init__(self, app: ASGIApp, faults: Faults, connections: Connections) -> None:
        self._app = app
        self._faults = faults
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        if not self._faults.may_strike(visit.client.id, visit.body):
            await self._app(scope, receive, send)
            return
        asked = Asked(
            method=scope["method"],
            path=scope["path"].removeprefix(scope["root_path"]),
            recipients=recipients_of(visit),
        )
        fault = await self._faults.strike(visit.client.id, asked)
        if fault is None or not isinstance(fault.effect, RequestEffect):
            await self._app(scope, receive, send)
            return
        visit.struck = fault
        effect = fault.effect
        answer = await held(self._app, scope, receive) if effect.commit else self._app
        if effect.spares_replays and visit.replayed:
            await answer(scope, receive, send)
            return
        if effect.delay and await gone_within(receive, effect.delay):
            return
        if effect.drop:
            await self._connections.cut(scope, receive)
            return
        about = next(filter(fault.match.reaches, asked.recipients), None)
        await _marred(answer, effect, visit, about, asked)(scope, receive, send)


def _marred(
    answer: ASGIApp, effect: RequestEffect, visit: Visit, about: str | None, asked: Asked
) -> ASGIApp:
    if effect.status is not None:
        refusal = render(injected(effect, about), visit)
        return broken(refusal) if effect.malformed else refusal
    if not effect.malformed:
        return answer
    if isinstance(answer, Held):
        return answer.broken()
    # Nothing was done, so there is nothing true to begin with.
    return broken(reply({"id": "msg_", "status": "pending"}, _success(asked.method)))


def _success(method: str) -> int:
    return 201 if method == "POST" else 200
