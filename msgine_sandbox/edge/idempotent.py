"""The first answer to an idempotency key, for every later request that carries it."""

from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.idempotency import HEADER, Idempotency
from msgine_sandbox.edge.reply import reply_bytes
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.idempotency import Remembered

REPLAYED = "Idempotent-Replayed"


class Idempotent:
    """Replays an answer, or lets the request hold its key until the handler has settled it."""

    def __init__(self, app: ASGIApp, idempotency: Idempotency) -> None:
        self._app = app
        self._idempotency = idempotency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        keys = Headers(scope=scope).getlist(HEADER) if scope["method"] == "POST" else []
        if not keys:
            await self._app(scope, receive, send)
            return
        if len(keys) > 1:
            raise InvalidRequest("Send one idempotency key", field=HEADER, expected="one header")
        visit = visit_of(scope)
        fingerprint = _fingerprint(scope, visit)
        async with self._idempotency.claim(visit.client.id, keys[0], fingerprint) as known:
            if isinstance(known, Remembered):
                visit.headers[REPLAYED] = "true"
                await reply_bytes(known.body, known.status)(scope, receive, send)
            else:
                visit.claim = known
                await self._app(scope, receive, send)


def _fingerprint(scope: Scope, visit: Visit) -> bytes:
    return sha256(f"{scope['method']} {scope['path']}\n".encode() + visit.body).digest()
