"""The first answer to an idempotency key, for every later request that carries it."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.idempotency import Idempotency
from msgine_sandbox.edge.keys import key_of, place_of
from msgine_sandbox.edge.reply import Reply
from msgine_sandbox.edge.visit import fingerprint, visit_of
from msgine_sandbox.model import warning
from msgine_sandbox.model.errors import IdempotencyKeyReused
from msgine_sandbox.model.idempotency import Remembered


class Idempotent:
    """Replays an answer, or lets the request hold its key until the handler has settled it."""

    def __init__(self, app: ASGIApp, idempotency: Idempotency) -> None:
        self._app = app
        self._idempotency = idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        key = key_of(scope, visit) if scope["method"] == "POST" else None
        if key is None:
            await self._app(scope, receive, send)
            return
        asked = fingerprint(scope, visit)
        visit.key = key
        try:
            known = await self._idempotency.claim(visit.client.id, key, asked)
        except IdempotencyKeyReused as error:
            visit.warnings.append(warning.key_reused(key))
            raise IdempotencyKeyReused(field=place_of(visit), value=key) from error
        if isinstance(known, Remembered):
            visit.replayed = True
            if known.fingerprint != asked:
                visit.warnings.append(warning.key_reused(key))
            visit.signed[b"idempotent-replayed"] = b"true"
            await Reply(known.body, known.status)(scope, receive, send)
            return
        visit.claim = known
        try:
            await self._app(scope, receive, send)
        finally:
            self._idempotency.let_go(known)
