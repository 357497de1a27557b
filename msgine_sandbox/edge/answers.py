"""The outermost layer: opens the visit, turns what is raised into answers, signs every answer."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.edge.errors import render
from msgine_sandbox.edge.visit import begin
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import ApiError, InternalError
from msgine_sandbox.model.ids import Ids, written


class Answers:
    """Gives each request an identifier and an answer, and each answer its visit's headers."""

    def __init__(self, app: ASGIApp, ids: Ids, real: RealTime) -> None:
        self._app = app
        self._ids = ids
        self._real = real

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = begin(scope, written("req", self._ids.next()), self._real.now())
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                identified = (b"x-request-id", visit.request_id.encode())
                message["headers"] += [identified, *visit.signed.items()]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ApiError as error:
            await render(error, visit)(scope, receive, answer)
        except Exception:
            if not started:
                bug = InternalError("The sandbox has a defect; its log says more")
                await render(bug, visit)(scope, receive, answer)
            raise  # so that the server logs it
