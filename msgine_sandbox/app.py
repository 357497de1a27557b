"""The ASGI application of a sandbox: `create_app`."""

from starlette.types import ASGIApp

from msgine_sandbox.asgi.application import Application
from msgine_sandbox.asgi.pipeline import ApiPipeline, ControlPipeline
from msgine_sandbox.asgi.routing import Routes
from msgine_sandbox.asgi.security import ControlAuth, HostCheck
from msgine_sandbox.model.account import TIERS
from msgine_sandbox.routes import api_routes, control_routes, page_routes
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Return the sandbox as an ASGI application, for tests in this process.

    It can be called by Starlette's `TestClient`, with and without `with`, by `httpx.ASGITransport`
    and by any server; from one event loop at a time, which may be another one for each call.

    Raises:
        SettingsError: a file with certificate authorities cannot be used.
        DatabaseUnusable: the database file cannot be used.
    """
    return app_of(Sandbox(settings or Settings(), in_process=True, in_container=False))


def app_of(sandbox: Sandbox) -> ASGIApp:
    """Return the ASGI application of a sandbox."""
    s = sandbox
    api, control = api_routes(s), control_routes(s)
    return Application(
        _api(s, api),
        ControlPipeline(
            ControlAuth(
                s.accounts,
                s.settings.control_token,
                s.tickets,
                account_pages=s.settings.account_pages,
            ),
            control,
        ),
        page_routes(s, api, control),
        root=s.settings.root,
        hosts=HostCheck((*s.settings.allowed_host, s.settings.host), bare_names=s.in_process),
        journal=s.journal,
        retries=s.retries,
        bus=s.bus,
        ids=s.ids,
        real=s.real,
        lifecycle=s.lifecycle,
        store=s.store,
    )


def _api(s: Sandbox, routes: Routes) -> ApiPipeline:
    return ApiPipeline(
        s.accounts,
        s.retries,
        s.rate_limit,
        s.faults,
        s.idempotency,
        s.connections,
        routes,
        s.real,
        s.form,
        default_limits=TIERS[s.settings.tier],
        strict_auth=s.settings.strict_auth,
    )
