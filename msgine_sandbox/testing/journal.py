"""Journal of the account's API requests: each with its response, decisions and warnings."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgine_sandbox.model.warning_code import unknown_code
from msgine_sandbox.testing.client import AccountClient, RemoteList, format_time, parse_time

_MAX_JOURNAL: Final = 10_000
"""How many requests of an account the sandbox keeps."""


@dataclass(frozen=True, slots=True)
class ClientWarning:
    """Something that the client did and that will cause trouble in production."""

    code: str
    message: str
    docs: str
    """Where the sandbox explains it, such as `/docs/warnings#unknown-field`, below its `origin`."""
    request_id: str
    """The `id` of the journal entry."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request or a response: the body as text, and headers whose names are in lower case."""

    headers: Mapping[str, str]
    body: str
    truncated: bool = False
    """Whether the sandbox kept only the beginning of the body."""

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One request to the API; `status` and `response` are None if no response was sent."""

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
    """What the sandbox decided while it handled the request, each with `by` and `outcome`."""
    warnings: tuple[ClientWarning, ...]
    message_id: str | None
    """The message that the request sent or asked for, if any."""
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The JSON of the control API that this object was read from."""


class Requests(RemoteList[JournalEntry]):
    """The journal of the account's requests, newest first; every access asks the sandbox."""

    most = _MAX_JOURNAL

    def __init__(self, client: AccountClient, ignored: Iterable[str] = ()) -> None:
        self._client = client
        self._ignored = set(ignored)

    def ignore(self, *codes: str) -> None:
        """Accept warnings with these codes, earlier ones included.

        They are then absent from `warnings` and from the report of a failed test.

        Raises:
            ValueError: no warning has such a code.
        """
        problem = unknown_code(codes)
        if problem is not None:
            raise ValueError(problem)
        self._ignored.update(codes)

    @property
    def ignored(self) -> frozenset[str]:
        """The codes of warnings that are accepted."""
        return frozenset(self._ignored)

    def list(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | str | None = None,
        warning: str | None = None,
        since: datetime | None = None,
        limit: int = _MAX_JOURNAL,
    ) -> builtins.list[JournalEntry]:
        """Return the requests that match every given filter, newest first.

        `status` is a status or a class such as "4xx", `warning` the code of a warning.

        Raises:
            ValueError: `since` has no time zone.
        """
        filters = {
            "method": method,
            "path": path,
            "status": status,
            "warning": warning,
            "since": None if since is None else format_time(since),
        }
        return self._fetch(limit, filters)[0]

    @property
    def warnings(self) -> builtins.list[ClientWarning]:
        """All warnings about the client but those that are ignored, the oldest first."""
        entries = reversed(self._fetch(_MAX_JOURNAL, {})[0])
        warnings = (warning for entry in entries for warning in entry.warnings)
        return [warning for warning in warnings if warning.code not in self._ignored]

    def clear(self) -> int:
        """Delete all entries and return how many there were."""
        return self._client.delete("/requests")

    def _fetch_newest(self, limit: int) -> tuple[builtins.list[JournalEntry], int]:
        return self._fetch(limit, {})

    def _fetch(
        self, limit: int, filters: Mapping[str, object]
    ) -> tuple[builtins.list[JournalEntry], int]:
        listed, total = self._client.get_list("/requests", limit, filters)
        return [_parse_entry(raw) for raw in listed], total


def parse_exchange(raw: Mapping[str, Any]) -> Exchange:
    """Return a request or a response from the JSON of a journal entry or a webhook attempt."""
    return Exchange(raw["headers"], raw["body"], bool(raw.get("truncated")))


def _parse_entry(raw: Mapping[str, Any]) -> JournalEntry:
    response = raw["response"]
    return JournalEntry(
        id=raw["id"],
        at=parse_time(raw["at"]),
        method=raw["method"],
        path=raw["path"],
        query=raw["query"],
        status=raw["status"],
        duration_ms=raw["durationMs"],
        request=parse_exchange(raw["request"]),
        response=None if response is None else parse_exchange(response),
        decisions=tuple(raw["decisions"]),
        warnings=tuple(
            ClientWarning(each["code"], each["message"], each.get("docs", ""), raw["id"])
            for each in raw["warnings"]
        ),
        message_id=raw.get("messageId"),
        raw=raw,
    )
