"""The first turn of a request: whether it is for the API, which nearly all of them are."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Under:
    """Hands what is under a path to an application with its middleware, all else to another.

    It does what Starlette's `Mount` does, for one literal path and in a fraction of its time. The
    first of the middleware is met first.
    """

    def __init__(
        self, path: str, app: ASGIApp, middleware: Sequence[Middleware], otherwise: ASGIApp
    ) -> None:
        self._path = path
        for each in reversed(middleware):
            app = each.cls(app, *each.args, **each.kwargs)
        self._app = app
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root = scope.get("root_path", "") + self._path
            if scope["path"].startswith(f"{root}/"):
                scope["root_path"] = root
                await self._app(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)
