"""`/_sandbox/requests`: the journal, with its credentials masked."""

import re
from typing import Final

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import Fields, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.journal_views import entry_view
from msgine_sandbox.control.views import DeletedView, ListView
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.journal import Journal, JournalFilter

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
_STATUS_CLASS: Final = re.compile(r"([1-5])xx", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")


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
        views = [entry_view(each, self._accounts) for each in found]
        return json_answer(ListView(data=views, total=total))

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
