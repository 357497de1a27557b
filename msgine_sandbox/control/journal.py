"""`/_sandbox/requests`: the journal, with its credentials masked."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.lists import Detail, ListPage
from msgine_sandbox.control.request_facts import (
    DecisionView,
    ErrorView,
    WarningView,
    decision_views,
    error_view,
    first_recipients,
    warning_views,
)
from msgine_sandbox.control.views import (
    DeletedView,
    HttpView,
    View,
    owner_of,
)
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.ids import format_id, parse_id
from msgine_sandbox.model.journal import PREFIX, JournalEntry, RecordedHttp
from msgine_sandbox.model.masking import masked_header, masked_query
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.journal import Journal, JournalFilter, RequestOutcome

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
_PARAMETERS: Final = frozenset(
    {"method", "path", "status", "outcome", "warning", "since", "before", "limit", "view"}
)
_STATUS_CLASS: Final = r"(?i)([1-5])xx"
_STATUS: Final = r"[1-5][0-9]{2}"


class JournalControl:
    """What clients requested, what they were answered, and what is wrong with it."""

    def __init__(self, journal: Journal, accounts: Accounts) -> None:
        self._journal = journal
        self._accounts = accounts

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/requests", has_query=True, GET=self.list, DELETE=self.clear),
            resource("/_sandbox/requests/{id}", GET=self.read),
        ]

    async def list(self, request: Request) -> Answer:
        """List the entries that match, newest first."""
        query = ControlQuery(request.query_params, _PARAMETERS, "The journal")
        wanted = _filter(context_of(request).account_id, query)
        page = ListPage(query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT))
        view = entry_summary if query.choice("view", Detail) else entry_view
        matching = 0
        async for entry in self._journal.search(wanted):
            matching += 1
            if not page.is_full:
                page.add(view(entry, self._accounts))
            elif (total := self._journal.count(wanted)) is not None:
                return page.answer(total)
        return page.answer(matching)

    async def read(self, request: Request) -> Answer:
        """Return one entry, by the request id that its response carried."""
        account = context_of(request).account_id
        entry = self._journal.get(account, request.path_params["id"])
        if entry is None:
            raise NotFound("No such request is kept")
        return json_answer(entry_view(entry, self._accounts))

    async def clear(self, request: Request) -> Answer:
        """Delete all entries."""
        deleted = self._journal.forget(context_of(request).account_id)
        return json_answer(DeletedView(deleted=deleted))


def _filter(account: int | None, query: ControlQuery) -> JournalFilter:
    method = query.words("method")
    before = query.row_id("before", partial(parse_id, PREFIX), "a request")
    return JournalFilter(
        account=account,
        method=method and method.upper(),
        path=query.words("path"),
        statuses=_statuses(query.text("status")),
        outcome=query.choice("outcome", RequestOutcome),
        warning=query.choice("warning", WarningCode),
        since=query.instant("since"),
        before=None if before is None else format_id(PREFIX, before),
    )


def _statuses(text: str | None) -> range | None:
    if text is None:
        return None
    status_class = re.fullmatch(_STATUS_CLASS, text)
    if status_class:
        first = int(status_class[1]) * 100
        return range(first, first + 100)
    if re.fullmatch(_STATUS, text):
        return range(int(text), int(text) + 1)
    raise invalid_field("status", text, "a status such as 429, or a class such as 4xx")


class EntrySummary(View, frozen=True, kw_only=True):
    """One request of a client, as a list shows it."""

    id: str
    at: str
    account: str | None
    """Null where the request belongs to no account, as `account_id` is."""
    account_id: str | None
    method: str
    path: str
    query: str
    status: int | None
    """Null where no response was sent, as `response` is."""
    duration_ms: float
    message_id: str | None
    to: Sequence[str]
    """The first recipients of a send, at most three."""
    recipient_count: int
    """How many it has; 0 where its body is not JSON or not kept in full."""
    key: str | None
    """The idempotency key."""
    fault: str | None
    """The fault that acted on it."""
    error: ErrorView | None
    warnings: Sequence[WarningView]


class EntryView(EntrySummary, frozen=True, kw_only=True):
    """One request of a client, its response, and what was decided on the way."""

    request: HttpView
    response: HttpView | None
    decisions: Sequence[DecisionView]


def entry_summary(entry: JournalEntry, accounts: Accounts) -> EntrySummary:
    """Return an entry without its headers, bodies and decisions."""
    return EntrySummary(**_summary(entry, accounts))


def entry_view(entry: JournalEntry, accounts: Accounts) -> EntryView:
    """Return an entry in full."""
    return EntryView(
        **_summary(entry, accounts),
        request=_http_view(entry.request),
        response=None if entry.response is None else _http_view(entry.response),
        decisions=decision_views(entry),
    )


def _summary(entry: JournalEntry, accounts: Accounts) -> dict[str, Any]:
    account, account_id = owner_of(entry.account, accounts)
    recipients, recipient_count = first_recipients(entry)
    return {
        "id": entry.request_id,
        "at": iso_micros(entry.at),
        "account": account,
        "account_id": account_id,
        "method": entry.method,
        "path": entry.path,
        "query": masked_query(entry.query),
        "status": entry.status,
        "duration_ms": round(entry.duration_ms, 3),
        "message_id": entry.message,
        "to": recipients,
        "recipient_count": recipient_count,
        "key": entry.key,
        "fault": entry.fault,
        "error": error_view(entry),
        "warnings": warning_views(entry),
    }


def _http_view(recorded: RecordedHttp) -> HttpView:
    return HttpView(
        headers=dict(_header(name, value) for name, value in recorded.headers),
        body=recorded.body.decode(errors="replace"),
        truncated=recorded.truncated,
    )


def _header(name: bytes, value: bytes) -> tuple[str, str]:
    text = name.decode("latin-1")
    return text, masked_header(text, value.decode("latin-1"))
