"""The outermost layer: opens the visit, and signs every answer with its headers."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.edge.visit import Visit
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.ids import Ids, written

REQUEST_ID = "X-Request-Id"


class Answers:
    """Gives each request an identifier, and each answer the headers that its visit gathered."""

    def __init__(self, app: ASGIApp, ids: Ids, real: RealTime) -> None:
        self._app = app
        self._ids = ids
        self._real = real

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = written("req", self._ids.next())
        visit = Visit(request_id=request_id, now=self._real.now(), headers={REQUEST_ID: request_id})
        scope["msgine_sandbox.visit"] = visit

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                signed = [(n.lower().encode(), v.encode()) for n, v in visit.headers.items()]
                message["headers"] = [*message["headers"], *signed]
            await send(message)

        await self._app(scope, receive, answer)
