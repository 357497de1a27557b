"""A path and what each method does on it."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.model.errors import MethodNotAllowed

Handler = Callable[[Request], Awaitable[ASGIApp]]


class Resource:
    """Calls the handler of the request's method, and says which there are when it has none."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers
        self._allowed = sorted(handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handlers.get(scope["method"])
        if handler is None:
            raise MethodNotAllowed(self._allowed)
        answer = await handler(Request(scope, receive, send))
        await answer(scope, receive, send)


def resource(path: str, **handlers: Handler) -> Route:
    """Give the route of a path; the keywords are methods."""
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    return Route(path, Resource(handlers))


class Resources:
    """Finds a path's resource: at once where the path is literal, else by its pattern."""

    def __init__(self, *routes: Route, default: ASGIApp) -> None:
        self._literal = {route.path: route.app for route in routes if not route.param_convertors}
        # A path with a slash more is another path.
        self._router = Router(routes, redirect_slashes=False, default=default)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope["root_path"])
        await self._literal.get(path, self._router)(scope, receive, send)
