"""The first answer to an idempotency key, for every later request that carries it."""

from hashlib import sha256

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.idempotency import HEADER, Idempotency
from msgine_sandbox.edge.reply import Reply
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.idempotency import Remembered

_NAME = HEADER.lower().encode()


class Idempotent:
    """Replays an answer, or lets the request hold its key until the handler has settled it."""

    def __init__(self, app: ASGIApp, idempotency: Idempotency) -> None:
        self._app = app
        self._idempotency = idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        key = visit.header(_NAME)
        if key is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if sum(name == _NAME for name, _ in scope["headers"]) > 1:
            raise InvalidRequest("Send one idempotency key", field=HEADER, expected="one header")
        fingerprint = _fingerprint(scope, visit)
        known = await self._idempotency.claim(visit.client.id, key, fingerprint)
        if isinstance(known, Remembered):
            visit.replayed = True
            visit.signed[b"idempotent-replayed"] = b"true"
            await Reply(known.body, known.status)(scope, receive, send)
            return
        visit.claim = known
        try:
            await self._app(scope, receive, send)
        finally:
            self._idempotency.let_go(known)


def _fingerprint(scope: Scope, visit: Visit) -> bytes:
    return sha256(f"{scope['method']} {scope['path']}\n".encode() + visit.body).digest()
