"""The report on a client: what the journal proves about it, and the file that a session writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgine_sandbox.testing.client import parse_time
from msgine_sandbox.testing.errors import SandboxError

if TYPE_CHECKING:
    from msgine_sandbox.testing.account import Account

SUFFIXES: Final = (".md", ".json")
"""Of the files that a session can write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A request that the client repeated after an error; times are in seconds."""

    request_id: str
    repeats: str
    """The request that had failed."""
    method: str
    path: str
    after: int | None
    """The status of the failed request; None if it got no response."""
    asked: int | None
    """How long `Retry-After` asked to wait, if it was there."""
    waited: float
    """The longer of the time on the account's clock and real time."""
    early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the journal proves about the client; counts unless it says otherwise."""

    requests: int
    """Those that the journal has, from `since` to `until`."""
    dropped: int
    """Older ones that it no longer has."""
    since: datetime | None
    until: datetime | None
    retries: tuple[Retry, ...]
    """The newest 100, the newest first."""
    retried: int
    retried_early: int
    sends: int
    sends_with_key: int
    sends_without_key: int
    keys_used: int
    keys_reused: int
    duplicates: int
    """Messages that were accepted twice, because a request was repeated."""
    polled: int
    """Messages that were read again and again, where a webhook would have told of the status."""
    webhooks_accepted: int
    webhooks_failed: int
    """Attempts that the receiver did not accept, without those that failed on purpose."""
    warnings: Mapping[str, int]
    """How often each code was given, those that the tests ignore included."""
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The JSON of the control API that this object was read from."""
    origin: str = field(repr=False, compare=False)

    @property
    def markdown(self) -> str:
        """The report as text."""
        from msgine_sandbox.model.report_text import markdown

        return markdown(self.raw, origin=self.origin)


def parse_report(raw: Mapping[str, Any], origin: str) -> Report:
    """Return the report that the control API of the sandbox at an origin writes as JSON."""
    covers, keys, webhooks = raw["covers"], raw["keys"], raw["webhooks"]
    return Report(
        requests=covers["requests"],
        dropped=covers["dropped"],
        since=None if covers["from"] is None else parse_time(covers["from"]),
        until=None if covers["to"] is None else parse_time(covers["to"]),
        retries=tuple(_parse_retry(each) for each in raw["retries"]["newest"]),
        retried=raw["retries"]["total"],
        retried_early=raw["retries"]["early"],
        sends=keys["sends"],
        sends_with_key=keys["withKey"],
        sends_without_key=keys["withoutKey"],
        keys_used=keys["used"],
        keys_reused=keys["reused"],
        duplicates=raw["duplicates"]["total"],
        polled=raw["polling"]["messages"],
        webhooks_accepted=webhooks["accepted"],
        webhooks_failed=webhooks["failed"],
        warnings={each["code"]: each["count"] for each in raw["warnings"]},
        raw=raw,
        origin=origin,
    )


def _parse_retry(raw: Mapping[str, Any]) -> Retry:
    return Retry(
        request_id=raw["requestId"],
        repeats=raw["repeats"],
        method=raw["method"],
        path=raw["path"],
        after=raw["after"],
        asked=raw["asked"],
        waited=raw["waited"],
        early=raw["early"],
    )


class ReportFile:
    """The report on all accounts of a test session: collected, merged, and written to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._report: Mapping[str, Any] | None = None
        self._added: set[str] = set()
        self._problems: list[str] = []

    def add(self, account: Account) -> None:
        """Add the report on an account, or note why it cannot be read; once until it is emptied."""
        if account.token not in self._added:
            self._added.add(account.token)
            self._merge(self._read(account))

    @contextmanager
    def emptying(self, account: Account) -> Iterator[None]:
        """Add the report on an account whose journal the block deletes, unless the block raises."""
        report = None if account.token in self._added else self._read(account)
        yield
        self._merge(report)
        self._added.discard(account.token)

    def dump(self) -> Mapping[str, Any]:
        """Return what was collected, as plain JSON that can be sent to another process."""
        return {"report": self._report, "problems": self._problems}

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Add what another process collected."""
        self._merge(dumped["report"])
        self._problems += dumped["problems"]

    def write(self) -> list[str]:
        """Write the file, unless there is nothing to report; return lines that say what was done.

        A file of that name is replaced.
        """
        from msgine_sandbox.model.report_text import markdown

        if self._report is None:
            return [*self._problems, "No test used the sandbox: there is nothing to report."]
        if self.path.suffix == ".json":
            text = json.dumps(self._report, indent=2, ensure_ascii=False) + "\n"
        else:
            text = markdown(self._report)
        try:
            self.path.write_text(text, encoding="utf-8")
        except OSError as error:
            return [*self._problems, f"The report could not be written: {error}"]
        return [*self._problems, f"The report on the client is in {self.path}"]

    def _read(self, account: Account) -> Mapping[str, Any] | None:
        try:
            return account.report.raw
        except SandboxError as error:
            self._problems.append(f"The report on {account!r} could not be read: {error}")
            return None

    def _merge(self, report: Mapping[str, Any] | None) -> None:
        from msgine_sandbox.model.report_text import merged

        if report is not None:
            self._report = report if self._report is None else merged([self._report, report])
