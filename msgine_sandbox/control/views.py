"""What the control API returns: accounts, clocks, webhooks, faults, and small answers."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.model.account import Account, Limits, Tier
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.clock import SECOND, Clock, Instant, iso_micros
from msgine_sandbox.model.fault import Effect, Fault, Match, WebhookEffect
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.message import PREFIX
from msgine_sandbox.model.webhook import Attempt, AttemptHttp, Endpoint, EventType, WebhookMode
from msgine_sandbox.services.accounts import Accounts


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A JSON object that the control API returns; members that are UNSET are left out."""


class ListView(View, frozen=True, kw_only=True):
    """A part of a list, and how many there are in all."""

    data: Sequence[View]
    total: int


class StatusView(View, frozen=True, kw_only=True):
    """The answer of a call that has nothing else to say."""

    status: str = "ok"


class HealthView(StatusView, frozen=True, kw_only=True):
    """Whether the sandbox answers, and which version of it."""

    version: str


class DeletedView(View, frozen=True, kw_only=True):
    """How many were deleted."""

    deleted: int


class CoverageView(View, frozen=True, kw_only=True):
    """The documented behaviours that were met and those that were not."""

    met: Sequence[str]
    unmet: Sequence[str]
    percent: float


class MagicRecipientView(View, frozen=True, kw_only=True):
    """A magic recipient, as each channel writes it."""

    name: str
    number: str
    address: str
    token: str
    what: str


class LimitsView(View, frozen=True, kw_only=True):
    """Requests allowed in any minute and in any second; null is without limit."""

    per_minute: int | None
    per_second: int | None


class WindowView(View, frozen=True, kw_only=True):
    """What a rate-limit window has left."""

    limit: int
    remaining: int


class WindowsView(View, frozen=True, kw_only=True):
    """An account's rate-limit windows; null where there is no limit."""

    minute: WindowView | None
    second: WindowView | None


class ClockView(View, frozen=True, kw_only=True):
    """A clock with its time and the real time."""

    now: str
    real_now: str
    frozen: bool
    ahead_seconds: float
    performed: int | UnsetType = UNSET
    """How many steps an advance performed; only in its answer."""


class AccountView(View, frozen=True, kw_only=True):
    """An account, with its token masked."""

    id: str | UnsetType = UNSET
    """Only in the list of accounts, as `windows` and `clock` are."""
    token: str
    tier: Tier
    limits: LimitsView
    scopes: Sequence[Scope]
    sender_id: str
    currency: str
    price: Decimal
    developer_prices: Mapping[Channel, Decimal]
    windows: WindowsView | UnsetType = UNSET
    clock: ClockView | UnsetType = UNSET


class EndpointView(View, frozen=True, kw_only=True):
    """A webhook endpoint, with its secret."""

    url: str
    events: Sequence[EventType]
    secret: str | None


class EndpointsView(View, frozen=True, kw_only=True):
    """An account's webhook endpoints."""

    endpoints: Sequence[EndpointView]


class HttpView(View, frozen=True, kw_only=True, omit_defaults=True):
    """A request or a response."""

    headers: Mapping[str, str]
    body: str
    truncated: bool = False
    """Whether only the beginning of the body is kept; absent if it is not."""


class AttemptView(View, frozen=True, kw_only=True):
    """An attempt to send a webhook, with its request and response."""

    account: str | UnsetType | None = UNSET
    """Only in the event of an attempt, as `account_id` is."""
    account_id: str | UnsetType | None = UNSET
    id: str
    event: EventType
    message_id: str
    url: str
    attempt: int
    at: str
    status: int | None
    duration_ms: float
    error: str | None
    request: HttpView
    response: HttpView | None


class RequestEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault does to requests, as it was asked for."""

    status: int | None = None
    code: str | None = None
    retry_after: int | None = None
    delay: float | None = None
    drop: str | None = None
    malformed: bool | None = None
    commit: bool | None = None


class WebhookEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault does to webhooks, as it was asked for."""

    webhook: WebhookMode
    delay: float | None = None


class FaultView(View, frozen=True, kw_only=True):
    """A fault, with how often it has acted."""

    id: str
    match: Match
    effect: RequestEffectView | WebhookEffectView
    times: int | None
    left: int | None
    hits: int
    probability: float
    seed: int
    magic: bool


def owner_of(account_id: int | None, accounts: Accounts) -> tuple[str | None, str | None]:
    """Return the masked token and the id of the account that something belongs to, if any."""
    account = accounts.find(account_id)
    return (None, None) if account is None else (account.token_hint, account.public_id)


def account_view(account: Account) -> AccountView:
    """Return an account as its own calls show it."""
    limits = account.limits
    return AccountView(
        token=account.token_hint,
        tier=account.tier,
        limits=LimitsView(per_minute=limits.per_minute, per_second=limits.per_second),
        scopes=account.scopes,
        sender_id=account.sender_id,
        currency=account.price.currency,
        price=account.price.amount,
        developer_prices={channel: account.developer_price(channel).amount for channel in Channel},
    )


def windows_view(limits: Limits, remaining: tuple[int, int]) -> WindowsView:
    """Return what the windows have left, in the minute and in the second."""
    return WindowsView(
        minute=_window_view(limits.per_minute, remaining[0]),
        second=_window_view(limits.per_second, remaining[1]),
    )


def clock_view(clock: Clock, now: Instant, real: Instant) -> ClockView:
    """Return a clock at its time and at the real time."""
    return ClockView(
        now=iso_micros(now),
        real_now=iso_micros(real),
        frozen=clock.frozen_at is not None,
        ahead_seconds=(now - real) / SECOND,
    )


def endpoints_view(endpoints: Sequence[Endpoint]) -> EndpointsView:
    """Return an account's endpoints."""
    return EndpointsView(
        endpoints=[
            EndpointView(url=each.url, events=each.events, secret=each.secret) for each in endpoints
        ]
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    """Return an attempt."""
    return AttemptView(
        id=attempt.public_id,
        event=attempt.event,
        message_id=format_id(PREFIX, attempt.message),
        url=attempt.url,
        attempt=attempt.number,
        at=iso_micros(attempt.at),
        status=attempt.status,
        duration_ms=attempt.duration_ms,
        error=attempt.error,
        request=_http_view(attempt.request),
        response=None if attempt.response is None else _http_view(attempt.response),
    )


def fault_view(fault: Fault) -> FaultView:
    """Return a fault."""
    return FaultView(
        id=fault.public_id,
        match=fault.match,
        effect=effect_view(fault.effect),
        times=fault.times,
        left=fault.left,
        hits=fault.hits,
        probability=fault.probability,
        seed=fault.seed,
        magic=fault.magic,
    )


def effect_view(effect: Effect) -> RequestEffectView | WebhookEffectView:
    """Return an effect; what it does not do is left out."""
    if isinstance(effect, WebhookEffect):
        return WebhookEffectView(webhook=effect.mode, delay=effect.delay or None)
    drop = "after" if effect.commit else "before"
    return RequestEffectView(
        status=effect.status,
        code=effect.code,
        retry_after=effect.retry_after,
        delay=effect.delay or None,
        drop=drop if effect.drop else None,
        malformed=effect.malformed or None,
        commit=(effect.commit and not effect.drop) or None,
    )


def _window_view(limit: int | None, remaining: int) -> WindowView | None:
    return None if limit is None else WindowView(limit=limit, remaining=remaining)


def _http_view(http: AttemptHttp) -> HttpView:
    return HttpView(headers=http.headers, body=http.body)
