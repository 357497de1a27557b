"""The answer of `/_sandbox/report`; imported with the first call."""

from collections.abc import Sequence

from msgspec import field

from msgine_sandbox.control.views import View, owner_of
from msgine_sandbox.model.clock import SECOND, Instant, iso_micros
from msgine_sandbox.model.warning import ADVICE, ClientWarning, WarningCode
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.report import Duplicate, Report, RetriesAfter, Retry


class CoversView(View, frozen=True, kw_only=True):
    """What a report is about."""

    requests: int
    from_: str | None = field(name="from")
    """When the oldest request came, on the account's clock; null without any."""
    to: str | None
    dropped: int
    """Requests that are no longer in the journal, because newer ones came."""
    attempts: int
    """Attempts to send webhooks."""


class RetriesAfterView(View, frozen=True, kw_only=True):
    """Retries after one status, with the shortest and the longest wait in seconds."""

    status: int | None
    """Null where the failed request got no response."""
    retries: int
    asked: int
    """How many of them followed a `Retry-After`."""
    early: int
    """How many came before its time had passed."""
    shortest: float
    longest: float


class RetryView(View, frozen=True, kw_only=True):
    """A request that repeats a failed one."""

    account: str | None
    request_id: str
    repeats: str
    """The failed request."""
    method: str
    path: str
    after: int | None
    """The status of the failed request; null where it got no response."""
    asked: int | None
    """Seconds of its `Retry-After`."""
    waited: float
    """Seconds: the longer of the account's time and real time."""
    early: bool


class RetriesView(View, frozen=True, kw_only=True):
    """Requests that were repeated after an error; listed are the newest."""

    total: int
    early: int
    after: Sequence[RetriesAfterView]
    newest: Sequence[RetryView]


class KeysView(View, frozen=True, kw_only=True):
    """The idempotency keys of sends."""

    sends: int
    with_key: int
    without_key: int
    """Those that certainly had none: the body of a long one is not kept whole."""
    used: int
    """Different keys."""
    reused: int
    """Keys that more than one request had."""
    replayed: int
    """Requests that got the answer that was stored for their key."""
    conflicts: int
    """Requests whose key had come with another body or path."""


class DuplicateView(View, frozen=True, kw_only=True):
    """A message that was accepted twice, because its request was repeated."""

    account: str | None
    request_id: str
    message_id: str
    first: str
    """The message that the failed request had been accepted as."""


class DuplicatesView(View, frozen=True, kw_only=True):
    """Messages that were accepted twice; listed are the newest."""

    total: int
    newest: Sequence[DuplicateView]


class PollingView(View, frozen=True, kw_only=True):
    """Messages that were polled, although a webhook would have told of their status."""

    messages: int
    reads: int
    """Those that caused a warning: of each message from the fifth on."""


class WebhookResultView(View, frozen=True, kw_only=True):
    """How attempts ended at one receiver."""

    url: str
    """Without its query."""
    status: int | None
    error: str | None
    attempts: int


class WebhooksView(View, frozen=True, kw_only=True):
    """The attempts to send webhooks, by how they ended; the most frequent first."""

    attempts: int
    accepted: int
    failed: int
    """Those that the receiver did not accept."""
    on_purpose: int
    """Those that could not be accepted, because of a fault or a magic recipient."""
    results: Sequence[WebhookResultView]


class WarningCountView(View, frozen=True, kw_only=True):
    """How often a warning was given."""

    code: WarningCode
    count: int
    advice: str
    docs: str


class ReportView(View, frozen=True, kw_only=True):
    """What the journal proves about the client of an account, or about those of all."""

    account: str | None
    """Null where the report is about all, as `account_id` is."""
    account_id: str | None
    covers: CoversView
    retries: RetriesView
    keys: KeysView
    duplicates: DuplicatesView
    polling: PollingView
    webhooks: WebhooksView
    warnings: Sequence[WarningCountView]


def report_view(report: Report, account_id: int | None, accounts: Accounts) -> ReportView:
    """Return a report on the client of an account, or for None on all."""
    account, public_id = owner_of(account_id, accounts)
    keys = report.keys
    return ReportView(
        account=account,
        account_id=public_id,
        covers=CoversView(
            requests=report.requests,
            from_=_time(report.first),
            to=_time(report.last),
            dropped=report.dropped,
            attempts=report.attempts,
        ),
        retries=RetriesView(
            total=sum(each.count for each in report.retries.values()),
            early=sum(each.early for each in report.retries.values()),
            after=[
                _retries_after(status, report.retries[status])
                for status in sorted(report.retries, key=lambda status: status or 0)
            ],
            newest=[_retry(each, accounts) for each in sorted(report.newest_retries)[::-1]],
        ),
        keys=KeysView(
            sends=keys.sends,
            with_key=keys.with_key,
            without_key=keys.without_key,
            used=keys.used,
            reused=keys.reused,
            replayed=keys.replayed,
            conflicts=keys.conflicts,
        ),
        duplicates=DuplicatesView(
            total=report.duplicates,
            newest=[_duplicate(each, accounts) for each in sorted(report.newest_duplicates)[::-1]],
        ),
        polling=PollingView(messages=report.polled, reads=report.polls),
        webhooks=WebhooksView(
            attempts=report.attempts,
            accepted=report.accepted,
            failed=report.attempts - report.accepted - report.on_purpose,
            on_purpose=report.on_purpose,
            results=[
                WebhookResultView(url=url, status=status, error=error, attempts=count)
                for (url, status, error), count in report.results.most_common()
            ],
        ),
        warnings=[
            WarningCountView(
                code=code, count=count, advice=ADVICE[code], docs=ClientWarning(code, "").docs
            )
            for code, count in report.warnings.most_common()
        ],
    )


def _retries_after(status: int | None, retries: RetriesAfter) -> RetriesAfterView:
    return RetriesAfterView(
        status=status,
        retries=retries.count,
        asked=retries.asked,
        early=retries.early,
        shortest=retries.shortest / SECOND,
        longest=retries.longest / SECOND,
    )


def _retry(retry: Retry, accounts: Accounts) -> RetryView:
    return RetryView(
        account=owner_of(retry.account, accounts)[0],
        request_id=retry.request_id,
        repeats=retry.repeats.request_id,
        method=retry.method,
        path=retry.path,
        after=retry.repeats.status,
        asked=retry.repeats.asked,
        waited=retry.repeats.waited / SECOND,
        early=retry.repeats.is_early,
    )


def _duplicate(duplicate: Duplicate, accounts: Accounts) -> DuplicateView:
    return DuplicateView(
        account=owner_of(duplicate.account, accounts)[0],
        request_id=duplicate.request_id,
        message_id=duplicate.message,
        first=duplicate.first,
    )


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else iso_micros(instant)
