"""`/_sandbox/requests`: the journal, with its credentials masked."""

import re
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import Fields, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import Json, effect_view, list_view
from msgine_sandbox.model.account import Admission, masked
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.journal import Decisions, JournalEntry, RecordedHttp
from msgine_sandbox.model.warning import ClientWarning, WarningCode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.journal import Journal, JournalFilter

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
_STATUS_CLASS: Final = re.compile(r"([1-5])xx", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_SECRET_HEADERS: Final = frozenset(
    {b"authorization", b"x-api-key", b"x-control-token", b"proxy-authorization", b"cookie"}
)


class JournalControl:
    """What clients requested, what they were answered, and what is wrong with it."""

    def __init__(self, journal: Journal, accounts: Accounts) -> None:
        self._journal = journal
        self._accounts = accounts

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/requests", GET=self.list, DELETE=self.clear),
            resource("/_sandbox/requests/{id}", GET=self.read),
        ]

    async def list(self, request: Request) -> Answer:
        """List the entries that match, newest first."""
        query = Fields(request.query_params)
        query.forbid_unknown(
            {"method", "path", "status", "warning", "since", "limit"}, "The journal"
        )
        wanted = _filter(context_of(request).account_id, query)
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        found, total = self._journal.search(wanted, limit)
        return json_answer(list_view([entry_view(each, self._accounts) for each in found], total))

    async def read(self, request: Request) -> Answer:
        """Return one entry, by the request id that its response carried."""
        account = context_of(request).account_id
        entry = self._journal.get(account, request.path_params["id"])
        if entry is None:
            raise NotFound("No such request is kept")
        return json_answer(entry_view(entry, self._accounts))

    async def clear(self, request: Request) -> Answer:
        """Delete all entries."""
        return json_answer({"deleted": self._journal.forget(context_of(request).account_id)})


def _filter(account: int | None, query: Fields) -> JournalFilter:
    method = query.text("method")
    return JournalFilter(
        account=account,
        method=method and method.upper(),
        path=query.text("path"),
        statuses=_statuses(query.text("status")),
        warning=query.choice("warning", WarningCode),
        since=query.instant("since"),
    )


def _statuses(text: str | None) -> range | None:
    if text is None:
        return None
    status_class = _STATUS_CLASS.fullmatch(text)
    if status_class:
        first = int(status_class[1]) * 100
        return range(first, first + 100)
    if _STATUS.fullmatch(text):
        return range(int(text), int(text) + 1)
    raise invalid_field("status", text, "a status such as 429, or a class such as 4xx")


def entry_view(entry: JournalEntry, accounts: Accounts) -> Json:
    """Return an entry in full."""
    return {
        "id": entry.request_id,
        "at": iso_micros(entry.at),
        **owner_view(entry.account, accounts),
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "status": entry.status,
        "durationMs": round(entry.duration_ms, 3),
        "messageId": entry.decisions.message,
        "request": _http_view(entry.request),
        "response": None if entry.response is None else _http_view(entry.response),
        "decisions": decision_views(entry),
        "warnings": warning_views(entry),
    }


def owner_view(account_id: int | None, accounts: Accounts) -> Json:
    """Return the members that say whose something is; null is nobody's."""
    account = accounts.find(account_id)
    if account is None:
        return {"account": None, "accountId": None}
    return {"account": account.token_hint, "accountId": account.public_id}


def warning_views(entry: JournalEntry) -> list[Json]:
    """Return the warnings of an entry."""
    return [_warning_view(each) for each in entry.warnings]


def decision_views(entry: JournalEntry) -> list[Json]:
    """Return what the pipeline decided, in its order, as far as the request came."""
    decisions = entry.decisions
    return [
        *_auth(entry, decisions),
        *_rate_limit(decisions.admission),
        *_fault(decisions),
        *_idempotency(decisions),
    ]


def _warning_view(warning: ClientWarning) -> Json:
    return {
        "code": warning.code,
        "message": warning.message,
        "advice": warning.advice,
        "docs": warning.docs,
    }


def _auth(entry: JournalEntry, decisions: Decisions) -> list[Json]:
    refused = decisions.admission is None
    if refused and entry.status != HTTPStatus.UNAUTHORIZED:
        return []  # it was refused before its credential was looked at
    outcome = "refused" if refused else "accepted"
    return [{"by": "auth", "outcome": outcome, "spelling": decisions.scheme}]


def _rate_limit(admission: Admission | None) -> list[Json]:
    if admission is None:
        return []
    view = {"by": "window", "limit": admission.limit, "remaining": admission.remaining}
    if admission.retry_after is None:
        return [{**view, "outcome": "admitted"}]
    return [{**view, "outcome": "refused", "retryAfter": admission.retry_after}]


def _fault(decisions: Decisions) -> list[Json]:
    if decisions.fault is None or decisions.effect is None:
        return []
    effect = effect_view(decisions.effect)
    return [{"by": "fault", "outcome": "met", "id": decisions.fault, "effect": effect}]


def _idempotency(decisions: Decisions) -> list[Json]:
    if decisions.key is None:
        return []
    outcome = "replayed" if decisions.replayed else "first"
    return [{"by": "idempotency", "outcome": outcome, "key": decisions.key}]


def _http_view(recorded: RecordedHttp) -> Json:
    view: Json = {
        "headers": {
            name.decode("latin-1"): _header_value(name, value) for name, value in recorded.headers
        },
        "body": recorded.body.decode(errors="replace"),
    }
    return view | {"truncated": True} if recorded.truncated else view


def _header_value(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1")
    if name not in _SECRET_HEADERS:
        return text
    scheme, _, token = text.strip().rpartition(" ")
    return f"{scheme} {masked(token)}".strip()
