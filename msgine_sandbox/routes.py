"""Every path with its handlers: those of both APIs, of the control API and of the page.

What few starts need is imported by its first request.
"""

from collections.abc import Callable, Sequence
from functools import partial

from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.api.messages import MessagesApi
from msgine_sandbox.asgi.routing import LazyResources, Resource, Routes
from msgine_sandbox.control.accounts import AccountsControl
from msgine_sandbox.control.clock import ClockControl
from msgine_sandbox.control.health import HEALTH
from msgine_sandbox.control.message_html import HtmlControl
from msgine_sandbox.control.messages import MessagesControl
from msgine_sandbox.sandbox import Sandbox


def api_routes(s: Sandbox) -> Routes:
    """Return the paths of both APIs, below their base path."""
    handlers = MessageHandlers(
        s.messages, s.channels, s.faults, s.store.messages, s.polling, s.form
    )
    return Routes(
        *MessagesApi(handlers, s.form).resources,
        LazyResources(partial(_developers, s, handlers), "/developers"),
        LazyResources(partial(_devices, s), "/developers/push/device"),
        LazyResources(partial(_analytics, s), "/developers/analytics"),
    )


def control_routes(s: Sandbox) -> Routes:
    """Return the paths of the control API, but for those that need no credential."""

    def lazy(load: Callable[[Sandbox], Sequence[Resource]], *names: str) -> LazyResources:
        return LazyResources(partial(load, s), *(f"/_sandbox/{name}" for name in names))

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
        lazy(_estimate, "messages/estimate"),
        *ClockControl(s.accounts, s.time_travel, s.upcoming, s.form).resources,
        lazy(_faults, "faults"),
        lazy(_journal, "requests"),
        lazy(_events, "events"),
        lazy(_webhooks, "webhooks"),
        lazy(_scenario, "scenario"),
        lazy(_metrics, "metrics"),
        lazy(_sandbox, "definitions", "reset", "coverage", "report", "magic"),
    )


def page_routes(s: Sandbox, api: Routes, control: Routes) -> Routes:
    """Return the paths that need no credential: health, the page, the docs."""
    return Routes(
        HEALTH,
        LazyResources(partial(_page, s), "/"),
        LazyResources(
            partial(_docs, s, api, control), "/docs", "/_sandbox", "/openapi.json", "/llms.txt"
        ),
    )


def _developers(s: Sandbox, handlers: MessageHandlers) -> Sequence[Resource]:
    from msgine_sandbox.api.developers import DevelopersApi

    return DevelopersApi(handlers, s.form).resources


def _devices(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.api.devices import DevicesApi

    return DevicesApi(s.devices, s.form).resources


def _analytics(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.api.analytics import AnalyticsApi

    return AnalyticsApi(s.analytics).resources


def _estimate(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.estimate import EstimateControl

    return EstimateControl(s.accounts, s.channels, s.real, s.form).resources


def _faults(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.faults import FaultsControl

    return FaultsControl(s.faults, s.store.faults, s.accounts).resources


def _journal(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.journal import JournalControl

    return JournalControl(s.journal, s.accounts).resources


def _events(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.event_views import EventEncoder
    from msgine_sandbox.control.events import EventsControl

    encoder = EventEncoder(s.store, s.accounts, s.journal, s.feed.encodings, s.form)
    return EventsControl(s.feed, encoder, s.connections, s.lifecycle).resources


def _webhooks(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.webhooks import WebhooksControl

    return WebhooksControl(s.accounts, s.carrier, s.store, s.sender, s.form).resources


def _scenario(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.scenario import ScenarioControl

    return ScenarioControl(s.store, s.accounts, s.channels, s.reset, s.ids, s.real).resources


def _metrics(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.metrics import MetricsControl
    from msgine_sandbox.services.metrics import Metrics

    metrics = Metrics(s.journal, s.messages, s.sender, s.accounts, s.store.steps)
    return MetricsControl(metrics).resources


def _sandbox(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.control.sandbox import SandboxControl

    return SandboxControl(s.reset, s.coverage, s.journal, s.store.webhooks, s.accounts).resources


def _page(s: Sandbox) -> Sequence[Resource]:
    from msgine_sandbox.ui.page import Page

    return Page(s.settings.root).resources


def _docs(s: Sandbox, api: Routes, control: Routes) -> Sequence[Resource]:
    from msgine_sandbox.openapi.pages import DocumentPages
    from msgine_sandbox.ui.docs import Docs, docs_folder

    root = s.settings.root
    docs = Docs(docs_folder(), root)
    pages = DocumentPages(api, control, s.form.answers, docs, root)
    return [*pages.resources, *docs.resources]
