"""Calls about the sandbox as a whole: definitions, reset, coverage, report, magic."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import (
    CoverageView,
    ListView,
    MagicRecipientView,
    StatusView,
    View,
)
from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.delivery import NEXT, Status
from msgine_sandbox.model.magic import ALL
from msgine_sandbox.model.warning import ADVICE, WarningCode
from msgine_sandbox.model.ways import WAYS
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.deliveries import FAILED_BY_HAND
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.services.reset import Reset
from msgine_sandbox.storage.webhooks import WebhookRows


class ChannelDefinition(View, frozen=True, kw_only=True):
    """A channel, and its name for people."""

    name: Channel
    title: str


class ReasonsDefinition(View, frozen=True, kw_only=True):
    """Reasons of failed deliveries."""

    by_hand: str
    usual: Mapping[Channel, Sequence[str]]
    """By channel: first that after sending, then that without, then others for faults to name."""


class WarningDefinition(View, frozen=True, kw_only=True):
    """A warning, and what to do about it."""

    code: WarningCode
    advice: str


class WayDefinition(View, frozen=True, kw_only=True, omit_defaults=True):
    """How a client meets a behaviour that coverage counts."""

    name: str
    method: str
    path: str
    """Below the base URL."""
    fields: Mapping[str, str]
    """Of the body, the query or the path: those that matter; any others are as usual."""
    hint: str | None = None
    """What there is to do besides."""
    key: str | None = None
    """The Idempotency-Key."""


class DefinitionsView(View, frozen=True, kw_only=True):
    """The names that requests and responses use."""

    channels: Sequence[ChannelDefinition]
    tiers: Sequence[Tier]
    scopes: Sequence[Scope]
    events: Sequence[EventType]
    statuses: Mapping[Status, Sequence[Status]]
    """The next statuses of each, in the order of the lifecycle: the first leads to delivery."""
    reasons: ReasonsDefinition
    warnings: Sequence[WarningDefinition]
    ways: Sequence[WayDefinition]


_DEFINITIONS: Final = DefinitionsView(
    channels=[ChannelDefinition(name=name, title=traits.title) for name, traits in TRAITS.items()],
    tiers=list(Tier),
    scopes=list(Scope),
    events=list(EventType),
    statuses={status: [each for each in Status if each in NEXT[status]] for status in Status},
    reasons=ReasonsDefinition(
        by_hand=FAILED_BY_HAND,
        usual={channel: traits.reasons for channel, traits in TRAITS.items()},
    ),
    warnings=[WarningDefinition(code=code, advice=advice) for code, advice in ADVICE.items()],
    ways=[
        WayDefinition(
            name=name,
            method=way.method,
            path=way.path,
            fields=way.fields,
            hint=way.hint,
            key=way.key,
        )
        for name, way in WAYS.items()
    ],
)


class ReportFormat(StrEnum):
    """How the report on a client is written."""

    JSON = "json"
    MARKDOWN = "markdown"


class SandboxControl:
    """Resets accounts, reports on coverage and clients, lists definitions and magic recipients."""

    def __init__(
        self,
        reset: Reset,
        coverage: Coverage,
        journal: Journal,
        webhooks: WebhookRows,
        accounts: Accounts,
    ) -> None:
        self._reset = reset
        self._coverage = coverage
        self._journal = journal
        self._webhooks = webhooks
        self._accounts = accounts

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/definitions", GET=self.definitions),
            resource("/_sandbox/reset", POST=self.reset),
            resource("/_sandbox/coverage", GET=self.coverage),
            resource("/_sandbox/report", has_query=True, GET=self.report),
            resource("/_sandbox/magic", GET=self.magic),
        ]

    async def definitions(self, request: Request) -> Answer:  # noqa: ARG002
        """Return the names that requests and responses use; they are the same for all accounts."""
        return json_answer(_DEFINITIONS)

    async def reset(self, request: Request) -> Answer:
        """Make the account new: its data is deleted, its settings and clock are as at first."""
        await self._reset.reset(context_of(request).account_id)
        return json_answer(StatusView())

    async def coverage(self, request: Request) -> Answer:
        """Return the documented behaviours that were met and those that were not, in order."""
        account = context_of(request).account_id
        known, applicable = self._coverage.met(account), self._coverage.applicable(account)
        met = [name for name in applicable if name in known]
        unmet = [name for name in applicable if name not in known]
        percent = round(100 * len(met) / len(applicable), 1)
        return json_answer(CoverageView(met=met, unmet=unmet, percent=percent))

    async def report(self, request: Request) -> Response:
        """Return what the journal proves about the client: retries, keys, polling, webhooks."""
        # Here, because few sandboxes are asked for it.
        from msgine_sandbox.control.report import report_view
        from msgine_sandbox.model.report_text import markdown
        from msgine_sandbox.services.report import report_on

        query = ControlQuery(request.query_params, {"format"}, "The report")
        form = query.choice("format", ReportFormat)
        account = context_of(request).account_id
        report = await report_on(account, self._journal, self._webhooks)
        view = report_view(report, account, self._accounts)
        if form is not ReportFormat.MARKDOWN:
            return json_answer(view)
        origin = str(request.base_url).rstrip("/")
        text = markdown(to_builtins(view), origin=origin)
        return Response(text, media_type="text/markdown")

    async def magic(self, request: Request) -> Answer:  # noqa: ARG002
        """List the magic recipients, each with its number, address and device token."""
        found = [
            MagicRecipientView(
                name=each.name,
                number=each.number,
                address=each.address,
                token=each.token,
                what=each.what,
            )
            for each in ALL
        ]
        return json_answer(ListView(data=found, total=len(found)))
