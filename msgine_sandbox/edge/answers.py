"""The outermost layer: opens the visit, turns what is raised into answers, signs every answer."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msgine_sandbox.edge.errors import render
from msgine_sandbox.edge.visit import Visit, begin
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import ApiError, InternalError, ServiceUnavailable
from msgine_sandbox.model.ids import Ids, written


class Answers:
    """Gives each request an identifier and an answer, and each answer its visit's headers."""

    def __init__(
        self, app: ASGIApp, ids: Ids, real: RealTime, stopping: Callable[[], bool]
    ) -> None:
        self._app = app
        self._ids = ids
        self._real = real
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = begin(scope, written("req", self._ids.next()), self._real.now())
        answer = _Answer(visit, send)
        try:
            await self._app(scope, receive, answer.send)
        except ApiError as error:
            await answer.refuse(error, scope, receive)
        except asyncio.CancelledError:
            if not self._stopping():
                raise
            await answer.refuse(ServiceUnavailable("The sandbox stops"), scope, receive)
        except Exception:
            if not visit.cut:
                bug = InternalError("The sandbox has a defect; its log says more")
                await answer.refuse(bug, scope, receive)
            raise  # so that the server logs it


class _Answer:
    """What goes out for one request."""

    def __init__(self, visit: Visit, send: Send) -> None:
        self._visit = visit
        self._send = send
        self._begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            identified = (b"x-request-id", self._visit.request_id.encode())
            message["headers"] += [identified, *self._visit.signed.items()]
            if self._visit.warnings:
                codes = ", ".join(dict.fromkeys(each.code for each in self._visit.warnings))
                message["headers"].append((b"x-sandbox-warning", codes.encode()))
        await self._send(message)

    async def refuse(self, error: ApiError, scope: Scope, receive: Receive) -> None:
        if not self._begun:
            await render(error, self._visit)(scope, receive, self.send)
