"""The ASGI application of a sandbox: `create_app`, and all resources of both APIs and the page."""

import asyncio
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from msgine_sandbox.api.analytics import AnalyticsApi
from msgine_sandbox.api.developers import DevelopersApi
from msgine_sandbox.api.devices import DevicesApi
from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.api.messages import MessagesApi
from msgine_sandbox.asgi.application import Application
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.pipeline import ApiPipeline, ControlPipeline
from msgine_sandbox.asgi.routing import BASE_PATH as BASE_PATH
from msgine_sandbox.asgi.routing import Resource, Routes, resource
from msgine_sandbox.asgi.security import ControlAuth, HostCheck
from msgine_sandbox.control.accounts import AccountsControl
from msgine_sandbox.control.clock import ClockControl
from msgine_sandbox.control.estimate import EstimateControl
from msgine_sandbox.control.event_views import EventEncoder
from msgine_sandbox.control.events import EventsControl
from msgine_sandbox.control.faults import FaultsControl
from msgine_sandbox.control.journal import JournalControl
from msgine_sandbox.control.message_html import HtmlControl
from msgine_sandbox.control.messages import MessagesControl
from msgine_sandbox.control.sandbox import HEALTH, SandboxControl
from msgine_sandbox.control.scenario import ScenarioControl
from msgine_sandbox.control.webhooks import WebhooksControl
from msgine_sandbox.model.account import TIERS
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.ui.docs import Docs, docs_folder
from msgine_sandbox.ui.page import Page, PageFile, check_site

if TYPE_CHECKING:
    from msgine_sandbox.control.metrics import MetricsControl
    from msgine_sandbox.openapi.documents import Documents


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
    api, control, docs = _api_routes(s), _control_routes(s), Docs(docs_folder(), s.settings.root)
    documents = _LazyDocuments(api, control, s.form, docs, s.settings.root)
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
        Routes(HEALTH, *Page(s.settings.root).resources, *documents.resources, *docs.resources),
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


class _LazyDocuments:
    """Serves the documents about the calls, by the paths of `Documents.read`.

    Each is made when it is first asked for, and kept.
    """

    def __init__(
        self, api: Routes, control: Routes, form: AnswerForm, docs: Docs, root: str
    ) -> None:
        self._root = root
        self._api = api
        self._control = control
        self._form = form
        self._docs = docs
        self._documents: Documents | None = None
        self._files: dict[str, PageFile] = {}
        self._reading = Lock()

    @property
    def resources(self) -> list[Resource]:
        """The paths, from the root on."""
        return [resource(path, GET=self.get) for path in _DOCUMENT_PATHS]

    async def get(self, request: Request) -> Response:
        """Return a document; a link on another site may lead to it."""
        context = context_of(request)
        check_site(context, may_be_linked=True)
        file = self._files.get(context.path)
        if file is None:
            # In a thread, because the import and the page take 100 ms together.
            file = await asyncio.to_thread(self._read, context.path)
        return file.response(context)

    def _read(self, path: str) -> PageFile:
        # Here, because few sandboxes are asked for one.
        from msgine_sandbox.openapi.documents import Documents

        with self._reading:
            if self._documents is None:
                control = [Routes(HEALTH, *self.resources), self._control]
                self._documents = Documents(
                    self._api, control, self._form.answers, self._docs, self._root
                )
            if path not in self._files:
                self._files[path] = self._documents.read(path)
            return self._files[path]


_DOCUMENT_PATHS: Final = (
    "/_sandbox",
    "/_sandbox/openapi.json",
    "/openapi.json",
    "/llms.txt",
    "/docs/api",
    "/docs/api.md",
)


class _LazyMetrics:
    """Answers scrapes; imported and built with the first one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._control: MetricsControl | None = None

    async def get(self, request: Request) -> Response:
        """Return metrics of the whole sandbox, in the text format of Prometheus."""
        if self._control is None:
            from msgine_sandbox.control.metrics import MetricsControl
            from msgine_sandbox.services.metrics import Metrics

            s = self._sandbox
            metrics = Metrics(s.journal, s.messages, s.sender, s.accounts, s.store.steps)
            self._control = MetricsControl(metrics)
        return await self._control.get(request)


def _api_routes(s: Sandbox) -> Routes:
    handlers = MessageHandlers(
        s.messages, s.channels, s.faults, s.store.messages, s.polling, s.form
    )
    return Routes(
        *MessagesApi(handlers, s.form).resources,
        *DevelopersApi(handlers, s.form).resources,
        *DevicesApi(s.devices, s.form).resources,
        *AnalyticsApi(s.analytics).resources,
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


def _control_routes(s: Sandbox) -> Routes:
    encoder = EventEncoder(s.store, s.accounts, s.journal, s.feed.encodings, s.form)
    return Routes(
        *AccountsControl(s.accounts, s.time_travel, s.rate_limit, s.form).resources,
        *MessagesControl(
            s.store,
            s.accounts,
            s.inbox,
            s.waits,
            s.patterns,
            s.deliveries,
            s.journal,
            s.lifecycle,
            s.time_travel,
            s.form,
        ).resources,
        *HtmlControl(s.store, s.tickets, s.form).resources,
        *EstimateControl(s.accounts, s.channels, s.real, s.form).resources,
        *ClockControl(s.accounts, s.time_travel, s.upcoming, s.form).resources,
        *FaultsControl(s.faults, s.store.faults, s.accounts).resources,
        *JournalControl(s.journal, s.accounts).resources,
        *EventsControl(s.feed, encoder, s.connections, s.lifecycle).resources,
        *WebhooksControl(s.accounts, s.carrier, s.store, s.sender, s.form).resources,
        *ScenarioControl(s.store, s.accounts, s.channels, s.reset, s.ids, s.real).resources,
        resource("/_sandbox/metrics", GET=_LazyMetrics(s).get),
        *SandboxControl(s.reset, s.coverage, s.journal, s.store.webhooks, s.accounts).resources,
    )
