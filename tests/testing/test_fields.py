"""The server's views and the Python client's value classes have the same members.

The client has classes of its own, because it imports only the standard library. Each table below
says which attribute has which member where the names differ, and which members are only in `raw`,
or are not offered at all. A member or an attribute that is added on one side only fails.
"""

from collections.abc import Collection, Mapping
from dataclasses import fields
from inspect import getmembers, signature
from typing import Any, NamedTuple, get_type_hints

import msgspec
import pytest
from msgspec.structs import fields as struct_fields

from msgine_sandbox import testing
from msgine_sandbox.control import (
    accounts,
    attempt_views,
    message_html,
    message_views,
    request_facts,
    scenario_views,
    views,
)
from msgine_sandbox.control import journal as control_journal
from msgine_sandbox.control import report as control_report
from msgine_sandbox.control.accounts import AccountBody, LimitsBody
from msgine_sandbox.control.clock import AdvanceBody, DueView, FullClockView
from msgine_sandbox.control.estimate import EstimateView, RefusalView
from msgine_sandbox.control.event_views import (
    ChangedEvent,
    DeletedEvent,
    EmptiedEvent,
    StatusEvent,
    WarningEvent,
)
from msgine_sandbox.control.faults import (
    DeliveryFaultBody,
    RequestFaultBody,
    WebhookFaultBody,
)
from msgine_sandbox.control.nearest import DifferenceView, NearestView
from msgine_sandbox.control.sandbox import (
    ChannelDefinition,
    DefinitionsView,
    ReasonsDefinition,
    WarningDefinition,
    WayDefinition,
)
from msgine_sandbox.control.views import View
from msgine_sandbox.control.webhooks import EndpointBody
from msgine_sandbox.openapi import index
from msgine_sandbox.testing import faults, journal, messages, report, webhooks
from msgine_sandbox.testing.clock import Clock
from msgine_sandbox.testing.coverage import Coverage


class Pair(NamedTuple):
    """A view and the client's class for it."""

    view: type[View]
    client: type
    renamed: Mapping[str, str] = {}
    """The attribute of each member whose name is not the same in snake case."""
    unread: Collection[str] = ()
    """Members that the client leaves to `raw`, or does not offer."""
    derived: Collection[str] = ()
    """Attributes that stand for no member."""


PAIRS = [
    Pair(
        message_views.MessageView,
        testing.Message,
        renamed={"from": "sender", "message": "text", "subject": "title"},
        unread={
            "account",
            "accountId",
            "bcc",
            "callbackUrl",
            "cc",
            "content",
            "developerCost",
            "developerCurrency",
            "imageUrl",
            "ownDevices",
            "parts",
            "topic",
            "unicodeBecauseOf",
        },
    ),
    Pair(message_views.RecipientView, messages.Recipient),
    Pair(
        control_journal.EntryView,
        journal.JournalEntry,
        unread={"account", "accountId", "to", "recipientCount", "key", "fault", "error"},
    ),
    Pair(
        request_facts.WarningView,
        journal.ClientWarning,
        unread={"advice"},
        derived={"request_id"},
    ),
    Pair(views.HttpView, journal.Exchange),
    Pair(
        attempt_views.AttemptView,
        webhooks.Attempt,
        unread={"account", "accountId", "signedBy"},
    ),
    Pair(views.EndpointView, webhooks.Endpoint, unread={"account", "accountId"}),
    Pair(
        accounts.AccountView,
        testing.AccountSettings,
        unread={"id", "token", "windows", "clock", "limits"},
        derived={"per_minute", "per_second"},  # of `limits`, which is compared below
    ),
    Pair(
        accounts.LimitsView,
        testing.AccountSettings,
        derived={
            "name",
            "tier",
            "scopes",
            "sender_id",
            "price",
            "currency",
            "developer_prices",
            "answers",
        },
    ),
    Pair(
        views.FaultView,
        faults.Fault,
        unread={"account", "accountId", "times", "probability", "seed", "magic"},
    ),
    Pair(
        accounts.ClockView,
        Clock,
        renamed={"frozen": "is_frozen"},
        unread={"realNow", "aheadSeconds"},
        derived={"next"},
    ),
    Pair(
        FullClockView,
        Clock,
        renamed={"frozen": "is_frozen"},
        unread={"realNow", "aheadSeconds", "performed"},  # `advance` returns `performed`
    ),
    Pair(DueView, testing.Due, unread={"accountId"}),
    Pair(views.CoverageView, Coverage),
    Pair(control_report.RetryView, report.Retry, unread={"account"}),
]
NOT_IN_THE_CLIENT: set[type[View]] = {
    # Containers and answers that the client's methods unpack, or have no use for.
    views.ListView,
    views.EndpointsView,
    views.DeletedView,
    views.CountView,
    views.StatusView,
    views.HealthView,
    views.MagicRecipientView,
    accounts.WindowView,
    accounts.WindowsView,
    # The client lists everything in full.
    attempt_views.AttemptSummary,
    control_journal.EntrySummary,
    request_facts.ErrorView,
    message_views.MessageSummary,
    message_views.RecipientSummary,
    # Of a wait that times out, which the client says in words.
    NearestView,
    DifferenceView,
    # For forms: a test sends, and looks at what was sent.
    EstimateView,
    RefusalView,
    # Left to users as the JSON that they are.
    views.RequestEffectView,
    views.WebhookEffectView,
    views.DeliveryEffectView,
    scenario_views.ScenarioView,
    scenario_views.ScenarioAccountView,
    scenario_views.ScenarioLimitsView,
    scenario_views.ScenarioFaultView,
    scenario_views.ScenarioMessageView,
    scenario_views.ScenarioRecipientView,
    scenario_views.ScenarioStatusView,
    request_facts.AuthDecision,
    request_facts.WindowDecision,
    request_facts.FaultDecision,
    request_facts.IdempotencyDecision,
    request_facts.DeliveryDecisionView,
    message_views.DeliveryStepView,
    message_views.TimelineRequest,
    message_views.TimelineStatus,
    message_views.TimelineWebhook,
    # A report, which the client reads into counts of its own, and leaves in full to `raw`.
    control_report.ReportView,
    control_report.CoversView,
    control_report.RetriesView,
    control_report.RetriesAfterView,
    control_report.KeysView,
    control_report.DuplicatesView,
    control_report.DuplicateView,
    control_report.PollingView,
    control_report.WebhooksView,
    control_report.WebhookResultView,
    control_report.WarningCountView,
    # For those who have no client yet.
    index.IndexView,
    index.DocumentsView,
    index.CallView,
    # The client has the HTML of a message, and shows it nowhere.
    message_html.TicketView,
    # The client has no use for the names that the page reads.
    DefinitionsView,
    ChannelDefinition,
    ReasonsDefinition,
    WarningDefinition,
    WayDefinition,
    # The client does not follow events.
    ChangedEvent,
    DeletedEvent,
    EmptiedEvent,
    StatusEvent,
    WarningEvent,
}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.view.__name__)
def test_the_client_has_an_attribute_for_every_member(pair: Pair) -> None:
    members = names(pair.view) - set(pair.unread)
    attributes = {pair.renamed.get(each, snake(pair.view, each)) for each in members}
    assert attributes == attributes_of(pair.client) - set(pair.derived)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.view.__name__)
def test_a_table_names_no_member_that_has_gone(pair: Pair) -> None:
    assert names(pair.view) >= set(pair.unread) | set(pair.renamed)
    assert attributes_of(pair.client) >= set(pair.derived) | set(pair.renamed.values())


def test_every_view_is_in_a_table() -> None:
    assert set(subclasses(View)) == {pair.view for pair in PAIRS} | NOT_IN_THE_CLIENT


def test_the_client_can_change_every_setting_of_an_account() -> None:
    settings = names(AccountBody) - {"limits"} | names(LimitsBody)
    renamed = {
        snake(LimitsBody if each in names(LimitsBody) else AccountBody, each) for each in settings
    }
    assert renamed == set(signature(testing.Account.change).parameters) - {"self"}


def test_the_client_can_say_how_far_to_advance() -> None:
    units = {"days", "hours", "minutes"}  # the client turns them into seconds
    assert names(AdvanceBody) | units == set(signature(Clock.advance).parameters) - {"self"}


def test_the_client_can_send_every_field_of_an_endpoint() -> None:
    members = {snake(EndpointBody, each) for each in names(EndpointBody)}
    assert members == attributes_of(webhooks.Endpoint)


@pytest.mark.parametrize(
    ("body", "client"),
    [
        (RequestFaultBody, faults.RequestFilter),
        (DeliveryFaultBody, faults.DeliveryFilter),
        (WebhookFaultBody, faults.WebhookFilter),
    ],
)
def test_the_client_can_say_what_a_fault_applies_to(
    body: type[msgspec.Struct], client: type
) -> None:
    match = next(each.type for each in struct_fields(body) if each.name == "match")
    known = names(match.__args__[0]) | names(body) - {"effect", "match", "commit"}
    assert known == set(get_type_hints(client))


def names(kind: type[msgspec.Struct]) -> set[str]:
    """The members of a Struct as JSON writes them."""
    return set(kind.__struct_encode_fields__)


def snake(kind: type[msgspec.Struct], member: str) -> str:
    """The name of a member in Python, which `from` cannot be."""
    return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))[member]


def attributes_of(client: type) -> set[str]:
    """The public values of one of the client's classes: its fields and properties."""
    declared = (
        {each.name for each in fields(client)} if hasattr(client, "__match_args__") else set()
    )
    found = {name for name, each in getmembers(client) if isinstance(each, property)}
    found |= declared | ({"id"} if client is faults.Fault else set())  # set by its constructor
    return {name for name in found if not name.startswith("_")} - {"raw"}


def subclasses(kind: type[Any]) -> list[type[Any]]:
    """All classes of the package that are built on one."""
    return [each for sub in kind.__subclasses__() for each in [sub, *subclasses(sub)]]
