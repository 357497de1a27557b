"""The whole route map, and the order in which a request meets its middleware, on one screen."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.api.messages import MessagesApi
from msgine_sandbox.control import health
from msgine_sandbox.control.account import AccountControl
from msgine_sandbox.control.clock import ClockControl
from msgine_sandbox.control.messages import MessagesControl
from msgine_sandbox.control.reset import ResetControl
from msgine_sandbox.control.webhooks import WebhooksControl
from msgine_sandbox.edge.answers import Answers
from msgine_sandbox.edge.authenticate import Authenticate
from msgine_sandbox.edge.body import Bodies
from msgine_sandbox.edge.errors import EXCEPTION_HANDLERS
from msgine_sandbox.edge.guard import Guard
from msgine_sandbox.edge.hosts import Hosts
from msgine_sandbox.edge.idempotent import Idempotent
from msgine_sandbox.edge.limit import Limit
from msgine_sandbox.edge.origins import Origins
from msgine_sandbox.model.account import TIERS
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

BASE_PATH = "/api/v1"


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Give the sandbox as an ASGI application, for any server or for `httpx.ASGITransport`.

    Raises:
        DatabaseUnusable: the database file cannot be used.
    """
    return app_of(Sandbox(settings or Settings()))


def app_of(sandbox: Sandbox) -> ASGIApp:
    """Give the application over a sandbox that is built already."""
    s = sandbox
    limits = TIERS[s.settings.tier]
    api = Mount(
        BASE_PATH,
        _router(*MessagesApi(s.messages, s.store.messages).routes),
        middleware=[
            Middleware(Authenticate, s.accounts, s.real, limits, strict=s.settings.strict_auth),
            Middleware(Limit, s.rate_limit, s.real),
            Middleware(Idempotent, s.idempotency),
        ],
    )
    control = Mount(
        "/_sandbox",
        _router(
            *AccountControl(s.accounts).routes,
            *MessagesControl(s.store, s.accounts, s.inbox, s.deliveries).routes,
            *ClockControl(s.clocks).routes,
            *WebhooksControl(s.accounts, s.store.webhooks, s.sender).routes,
            *ResetControl(s.reset).routes,
        ),
        middleware=[
            Middleware(Origins),
            Middleware(Guard, s.accounts, s.settings.control_token),
        ],
    )
    routed = Starlette(
        routes=[health.ROUTE, control, api],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=_lifespan(sandbox),
    )
    routed.router.redirect_slashes = False
    allowed = (*s.settings.allowed_host, s.settings.host)
    # Outside of Starlette, so that the answers of its own last resort are signed as well.
    return Started(Answers(Hosts(Bodies(routed), allowed), s.ids, s.real), sandbox)


def _router(*routes: BaseRoute) -> Router:
    return Router(routes, redirect_slashes=False)  # a path with a slash more is another path


def _lifespan(sandbox: Sandbox) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        yield
        await sandbox.close()

    return live


class Started:
    """Starts the sandbox with the first thing asked, for callers that speak no lifespan."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._sandbox.start()
        await self._app(scope, receive, send)
