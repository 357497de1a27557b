"""`/_sandbox/requests`: the journal."""

import re
from typing import Final

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.entries import entry_shape
from msgine_sandbox.control.scope import chosen
from msgine_sandbox.control.shapes import list_shape
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.journal import Asking, Journal
from msgine_sandbox.edge.fields import Fields, wrong
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.warning import Code

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_STATUS = re.compile(r"[1-5][0-9]{2}")


class RequestsControl:
    """What clients asked, what they were answered, and what is wrong with it."""

    def __init__(self, journal: Journal, accounts: Accounts) -> None:
        self._journal = journal
        self._accounts = accounts

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/requests", GET=self.list, DELETE=self.clear),
            resource("/requests/{id}", GET=self.read),
        ]

    async def list(self, request: Request) -> Reply:
        """List the entries that fit, newest first."""
        query = Fields(request.query_params)
        query.only({"method", "path", "status", "warning", "since", "limit"}, "The journal")
        asking = _asking(chosen(request), query)
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        found, total = self._journal.first(asking, limit)
        return reply(list_shape([entry_shape(each, self._accounts) for each in found], total))

    async def read(self, request: Request) -> Reply:
        """Give one entry, by the request id that its answer carried."""
        entry = self._journal.get(chosen(request), request.path_params["id"])
        if entry is None:
            raise NotFound("No such request is kept")
        return reply(entry_shape(entry, self._accounts))

    async def clear(self, request: Request) -> Reply:
        """Forget all entries."""
        return reply({"deleted": self._journal.forget(chosen(request))})


def _asking(account: int | None, query: Fields) -> Asking:
    method = query.text("method")
    return Asking(
        account=account,
        method=method and method.upper(),
        path=query.text("path"),
        statuses=_statuses(query.text("status")),
        warning=query.choice("warning", Code),
        since=query.instant("since"),
    )


def _statuses(text: str | None) -> range | None:
    if text is None:
        return None
    whole = _CLASS.fullmatch(text)
    if whole:
        return range(int(whole[1]) * 100, int(whole[1]) * 100 + 100)
    if _STATUS.fullmatch(text):
        return range(int(text), int(text) + 1)
    raise wrong("status", text, "a status such as 429, or a class such as 4xx")
