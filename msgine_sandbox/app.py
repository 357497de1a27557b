"""The whole route map, and the order in which a request meets its middleware, on one screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware import Middleware
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from msgine_sandbox.api.analytics import AnalyticsApi
from msgine_sandbox.api.developers import DevelopersApi
from msgine_sandbox.api.devices import DevicesApi
from msgine_sandbox.api.messages import MessagesApi
from msgine_sandbox.api.outbox import Outbox
from msgine_sandbox.control import health
from msgine_sandbox.control.account import AccountControl
from msgine_sandbox.control.clock import ClockControl
from msgine_sandbox.control.coverage import CoverageControl
from msgine_sandbox.control.events import EventsControl
from msgine_sandbox.control.faults import FaultsControl
from msgine_sandbox.control.magic import MagicControl
from msgine_sandbox.control.messages import MessagesControl
from msgine_sandbox.control.requests import RequestsControl
from msgine_sandbox.control.reset import ResetControl
from msgine_sandbox.control.webhooks import WebhooksControl
from msgine_sandbox.edge.answers import Answers
from msgine_sandbox.edge.authenticate import Authenticate
from msgine_sandbox.edge.body import Bodies, JsonOnly
from msgine_sandbox.edge.faults import InjectFaults
from msgine_sandbox.edge.guard import Guard
from msgine_sandbox.edge.hosts import Hosts
from msgine_sandbox.edge.idempotent import Idempotent
from msgine_sandbox.edge.journal import Journalled
from msgine_sandbox.edge.limit import Allowance, Limit
from msgine_sandbox.edge.origins import Origins
from msgine_sandbox.edge.resource import Resources
from msgine_sandbox.edge.retried import Retried
from msgine_sandbox.edge.under import Under
from msgine_sandbox.model.account import TIERS
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.ui.page import Page

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
    outbox = Outbox(s.messages, s.store.messages, s.polls)
    control = Mount(
        "/_sandbox",
        Resources(
            *AccountControl(s.accounts, s.clocks, s.rate_limit).routes,
            *MessagesControl(s.store, s.accounts, s.inbox, s.deliveries, s.journal).routes,
            *ClockControl(s.clocks).routes,
            *FaultsControl(s.faults, s.store.faults).routes,
            *RequestsControl(s.journal, s.accounts).routes,
            *CoverageControl(s.coverage).routes,
            *MagicControl().routes,
            *EventsControl(s.feed, s.accounts, s.store.messages, s.connections).routes,
            *WebhooksControl(s.accounts, s.store.webhooks, s.sender).routes,
            *ResetControl(s.reset).routes,
            default=_nowhere,
        ),
        middleware=[
            Middleware(Origins),
            Middleware(Bodies),
            Middleware(JsonOnly),
            Middleware(Guard, s.accounts, s.settings.control_token),
        ],
    )
    besides = Router(
        [health.ROUTE, control, *Page().routes],
        redirect_slashes=False,
        default=_nowhere,
        lifespan=_lifespan(sandbox),
    )
    everything = Under(
        BASE_PATH,
        Resources(
            *MessagesApi(outbox, s.sms).routes,
            *DevelopersApi(outbox, s.sms, s.email, s.push).routes,
            *DevicesApi(s.devices).routes,
            *AnalyticsApi(s.analytics).routes,
            default=_nowhere,
        ),
        middleware=[
            Middleware(Allowance, TIERS[s.settings.tier], s.real),
            Middleware(Bodies),
            Middleware(Authenticate, s.accounts, strict=s.settings.strict_auth),
            Middleware(Retried, s.retries),
            Middleware(Limit, s.rate_limit, s.real),
            Middleware(InjectFaults, s.faults, s.connections),
            Middleware(Idempotent, s.idempotency),
        ],
        otherwise=besides,
    )
    allowed = (*s.settings.allowed_host, s.settings.host)
    answers = Answers(Hosts(everything, allowed), s.ids, s.real, lambda: s.stopping)
    return Started(Journalled(answers, s.journal, s.retries, BASE_PATH), sandbox)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    if scope["type"] == "http":
        raise NotFound(f"There is no {scope['path']} here; the API is under {BASE_PATH}")


def _lifespan(sandbox: Sandbox) -> Lifespan[Router]:
    @asynccontextmanager
    async def live(_: Router) -> AsyncIterator[None]:
        yield
        await sandbox.close()

    return live


class Started:
    """Starts the sandbox with the first thing asked, for callers that speak no lifespan."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._sandbox.started:
            await self._sandbox.start()
        await self._app(scope, receive, send)
