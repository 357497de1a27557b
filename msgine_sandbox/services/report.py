"""The report on a client: what the journal and the webhook attempts prove about it, and no more."""

from collections import Counter
from heapq import heappop, heappush
from typing import Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.idempotency import FIELD, HEADER, SENDS, SENDS_WITH_FIELD
from msgine_sandbox.model.journal import JournalEntry, Repeat
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.services.client_warnings import FAILS_ON_PURPOSE, RETRIED_STATUSES
from msgine_sandbox.services.journal import Journal
from msgine_sandbox.storage.webhooks import EndedAttempt, WebhookRows

LISTED: Final = 100
"""How many retries and duplicates are listed, the newest, and how many results of webhooks."""
_FIELD_SENDS: Final = tuple(SENDS_WITH_FIELD)
_SENDS: Final = tuple(SENDS)
_KEY_HEADER: Final = HEADER.lower().encode()


class RetriesAfter(msgspec.Struct):
    """The requests that were repeated after one status."""

    count: int = 0
    asked: int = 0
    """How many of them `Retry-After` asked to wait."""
    early: int = 0
    shortest: Instant = 0
    """The shortest wait, in microseconds, as `longest` is the longest."""
    longest: Instant = 0

    def add(self, repeats: Repeat) -> None:
        """Count a repeated request."""
        self.shortest = min(self.shortest, repeats.waited) if self.count else repeats.waited
        self.longest = max(self.longest, repeats.waited)
        self.count += 1
        self.asked += repeats.asked is not None
        self.early += repeats.is_early


class Keys(msgspec.Struct):
    """The idempotency keys of sends."""

    sends: int = 0
    with_key: int = 0
    without_key: int = 0
    """The rest have a body that is not kept whole, in which a key may be."""
    used: int = 0
    """Different keys."""
    reused: int = 0
    """Those of them that more than one request had."""
    replayed: int = 0
    """Requests that got the stored answer, and no fault instead of it."""
    conflicts: int = 0
    """Requests whose key had come with another body or path, whether they got that answer or not.
    """


class Retry(NamedTuple):
    """A request that repeats a failed one."""

    request_id: str
    account: int | None
    method: str
    path: str
    repeats: Repeat


class Duplicate(NamedTuple):
    """A request that was accepted although the one that it repeats had been accepted, too."""

    request_id: str
    account: int | None
    message: str
    first: str
    """The message that was accepted before."""


_Listed = TypeVar("_Listed", Retry, Duplicate)


class WebhookResult(NamedTuple):
    """How attempts ended, at one receiver: its URL without the query."""

    url: str
    status: int | None
    error: str | None


class Report(msgspec.Struct):
    """What is known about the client of an account, or about those of all."""

    requests: int = 0
    first: Instant | None = None
    """When the oldest request that is kept came, on its account's clock."""
    last: Instant | None = None
    dropped: int = 0
    """Requests that are no longer kept, because newer ones came."""
    retries: dict[int | None, RetriesAfter] = {}
    newest_retries: list[Retry] = []
    keys: Keys = msgspec.field(default_factory=Keys)
    duplicates: int = 0
    newest_duplicates: list[Duplicate] = []
    polled: int = 0
    """Messages that were polled."""
    polls: int = 0
    """Reads of them that got the warning: of each message those from the fifth on."""
    attempts: int = 0
    accepted: int = 0
    """Attempts that the receiver accepted."""
    on_purpose: int = 0
    """Attempts that failed because of a fault."""
    results: Counter[WebhookResult] = msgspec.field(default_factory=Counter)
    """Of the other attempts; those beyond `LISTED` results are in none of them."""
    warnings: Counter[WarningCode] = msgspec.field(default_factory=Counter)


async def report_on(account: int | None, journal: Journal, webhooks: WebhookRows) -> Report:
    """Return the report on the client of an account, or for None on all."""
    report = Report(dropped=journal.dropped(account))
    seen = _Seen(None)
    async for entry in journal.oldest_first(account):
        if entry.account != seen.account:
            seen = _Seen(entry.account)
        _add(entry, report, seen)
    slices = Slices()
    async for attempt in webhooks.results(account):
        _add_attempt(attempt, report)
        await slices.pause()
    return report


class _Seen:
    """What is remembered of the earlier requests of one account."""

    def __init__(self, account: int | None) -> None:
        self.account = account
        self.accepted: dict[str, str] = {}
        """The message of each request that may be repeated, or of one that it repeats itself."""
        self.keys: Counter[str] = Counter()
        self.polled: set[str] = set()


def _add(entry: JournalEntry, report: Report, seen: _Seen) -> None:
    report.requests += 1
    report.first = entry.at if report.first is None else min(report.first, entry.at)
    report.last = entry.at if report.last is None else max(report.last, entry.at)
    codes = [warning.code for warning in entry.warnings]
    report.warnings.update(codes)
    repeats = entry.repeats
    if repeats is not None:
        report.retries.setdefault(repeats.status, RetriesAfter()).add(repeats)
        retry = Retry(entry.request_id, entry.account, entry.method, entry.path, repeats)
        _keep_newest(report.newest_retries, retry)
    _add_acceptance(entry, report, seen)
    if WarningCode.POLLS in codes:
        report.polls += 1
        report.polled += entry.path not in seen.polled
        seen.polled.add(entry.path)
    if entry.method == "POST" and entry.path.endswith(_SENDS):
        report.keys.conflicts += WarningCode.KEY_REUSED in codes
        _add_send(entry, report.keys, seen.keys)


def _keep_newest(newest: list[_Listed], listed: _Listed) -> None:
    """Add to a heap, whose first is the oldest: entries come account by account."""
    heappush(newest, listed)
    if len(newest) > LISTED:
        heappop(newest)


def _add_acceptance(entry: JournalEntry, report: Report, seen: _Seen) -> None:
    """Note which message a request was accepted as; it is a duplicate if it repeats another one."""
    repeats = entry.repeats
    first = None if repeats is None else seen.accepted.get(repeats.request_id, repeats.message)
    if first is not None and entry.message is not None:
        report.duplicates += 1
        duplicate = Duplicate(entry.request_id, entry.account, entry.message, first)
        _keep_newest(report.newest_duplicates, duplicate)
    accepted = first or entry.message
    if accepted is not None and entry.status in RETRIED_STATUSES:
        seen.accepted[entry.request_id] = accepted


def _add_send(entry: JournalEntry, keys: Keys, seen: Counter[str]) -> None:
    keys.sends += 1
    keys.replayed += _has_stored_answer(entry)
    key, is_known = _key(entry)
    if key is not None:
        keys.with_key += 1
        seen[key] += 1
        keys.used += seen[key] == 1
        keys.reused += seen[key] == 2
    elif is_known:
        keys.without_key += 1


def _has_stored_answer(entry: JournalEntry) -> bool:
    """Return whether the client got the answer stored for its key, whole."""
    if not entry.replayed or entry.status is None or entry.status // 100 != 2:
        return False
    effect = entry.effect
    return effect is None or effect.spares_replays or not effect.malformed


def _key(entry: JournalEntry) -> tuple[str | None, bool]:
    """Return the key of a send, and whether all that could have one is kept."""
    if entry.key is not None:
        return entry.key, True
    headers = dict(entry.request.headers)
    if _KEY_HEADER in headers:
        return headers[_KEY_HEADER].decode("latin-1"), True
    if not entry.path.endswith(_FIELD_SENDS):
        return None, True
    try:
        body = msgspec.json.decode(entry.request.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, not entry.request.truncated
    key = body.get(FIELD)
    return (None if key is None else str(key)), True


def _add_attempt(attempt: EndedAttempt, report: Report) -> None:
    report.attempts += 1
    succeeded = attempt.error is None and attempt.status is not None and attempt.status // 100 == 2
    report.accepted += succeeded
    if not succeeded and attempt.mode in FAILS_ON_PURPOSE:
        report.on_purpose += 1
        return
    url = urlsplit(attempt.url)._replace(query="", fragment="").geturl()
    result = WebhookResult(url, attempt.status, attempt.error)
    if result in report.results or len(report.results) < LISTED:
        report.results[result] += 1
