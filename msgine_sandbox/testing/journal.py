"""What the account's client asked, what it was answered, and what it was warned of."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgine_sandbox.testing.client import AccountClient, RemoteList, format_time, parse_time

_MOST: Final = 10_000
"""How many requests the sandbox keeps of an account."""


@dataclass(frozen=True, slots=True)
class ClientWarning:
    """Something that the client did and that will hurt in production."""

    code: str
    message: str
    docs: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One half of a request: headers by their names in small letters, and the body as text."""

    headers: Mapping[str, str]
    body: str
    truncated: bool = False
    """Whether the body was longer than what is kept of it."""

    def json(self) -> Any:
        """Read the body.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One request to the API; `status` and `response` are None where no answer came out."""

    id: str
    at: datetime
    method: str
    path: str
    query: str
    status: int | None
    duration_ms: float
    request: Exchange
    response: Exchange | None
    decisions: tuple[Mapping[str, Any], ...]
    """What was decided on the way, each with `by` and `outcome`."""
    warnings: tuple[ClientWarning, ...]
    message_id: str | None
    """The message that the request was about, if it was about one."""
    raw: Mapping[str, Any] = field(repr=False, compare=False)


class Requests(RemoteList[JournalEntry]):
    """The journal of the account's requests, newest first; each look asks the sandbox."""

    most = _MOST

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def list(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        warning: str | None = None,
        since: datetime | None = None,
        limit: int = _MOST,
    ) -> builtins.list[JournalEntry]:
        """Give the requests that fit, newest first.

        `status` may be a class, as "4xx"; `warning` is the code of one.
        """
        moment = None if since is None else format_time(since)
        wanted = {"method": method, "path": path, "status": status, "warning": warning}
        return self._fetch(limit=limit, since=moment, **wanted)[0]

    @property
    def warnings(self) -> builtins.list[ClientWarning]:
        """All that the client was warned of, the oldest first; empty when it did well."""
        return [
            warning
            for entry in reversed(self._fetch_newest(_MOST)[0])
            for warning in entry.warnings
        ]

    def clear(self) -> int:
        """Forget them; tell how many there were."""
        return self._client.delete("/requests")

    def _fetch_newest(self, limit: int) -> tuple[builtins.list[JournalEntry], int]:
        return self._fetch(limit=limit)

    def _fetch(self, **query: object) -> tuple[builtins.list[JournalEntry], int]:
        listed = self._client.get("/requests", query)
        return [entry_of(each) for each in listed["data"]], listed["total"]


def entry_of(raw: Mapping[str, Any]) -> JournalEntry:
    """Read an entry of the journal."""
    response = raw["response"]
    return JournalEntry(
        id=raw["id"],
        at=parse_time(raw["at"]),
        method=raw["method"],
        path=raw["path"],
        query=raw["query"],
        status=raw["status"],
        duration_ms=raw["durationMs"],
        request=exchange_of(raw["request"]),
        response=None if response is None else exchange_of(response),
        decisions=tuple(raw["decisions"]),
        warnings=tuple(
            ClientWarning(each["code"], each["message"], each.get("docs", ""), raw["id"])
            for each in raw["warnings"]
        ),
        message_id=raw.get("messageId"),
        raw=raw,
    )


def exchange_of(raw: Mapping[str, Any]) -> Exchange:
    """Read one half of a request."""
    return Exchange(raw["headers"], raw["body"], bool(raw.get("truncated")))
