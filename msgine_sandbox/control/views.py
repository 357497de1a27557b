"""What the control API returns: lists, small answers, webhooks and faults."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.fault import DeliveryEffect, Effect, Fault, Match, WebhookEffect
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.model.masking import masked_header
from msgine_sandbox.model.message import AnswerForm
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


class CountView(View, frozen=True, kw_only=True):
    """How many match."""

    count: int
    count_is_minimum: bool | UnsetType = UNSET
    """Whether there may be more: they were not counted to the end."""


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


class EndpointView(View, frozen=True, kw_only=True, omit_defaults=True):
    """A webhook endpoint, with its secrets."""

    url: str
    events: Sequence[EventType]
    secret: str | None
    previous_secret: str | None = None


class EndpointsView(View, frozen=True, kw_only=True):
    """An account's webhook endpoints."""

    endpoints: Sequence[EndpointView]


class HttpView(View, frozen=True, kw_only=True, omit_defaults=True):
    """A request or a response."""

    headers: Mapping[str, str]
    body: str
    truncated: bool = False
    """Whether only the beginning of the body is kept; absent if it is not."""


class AttemptSummary(View, frozen=True, kw_only=True):
    """An attempt to send a webhook, as a list shows it."""

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


class AttemptView(AttemptSummary, frozen=True, kw_only=True):
    """An attempt to send a webhook, with its request and response."""

    request: HttpView
    response: HttpView | None


class RequestEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault does to requests, as it was asked for."""

    status: int | None = None
    code: str | None = None
    envelope: bool = True
    retry_after: int | None = None
    delay: float | None = None
    drop: str | None = None
    malformed: bool | None = None
    commit: bool | None = None


class WebhookEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault does to webhooks, as it was asked for."""

    webhook: WebhookMode
    delay: float | None = None


class DeliveryEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """How a fault lets deliveries end, as it was asked for."""

    delivery: Outcome
    reason: str | None = None
    after: float | None = None


EffectView = RequestEffectView | WebhookEffectView | DeliveryEffectView


class FaultView(View, frozen=True, kw_only=True):
    """A fault, with how often it has acted."""

    id: str
    match: Match
    effect: EffectView
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


def endpoints_view(endpoints: Sequence[Endpoint]) -> EndpointsView:
    """Return an account's endpoints."""
    return EndpointsView(
        endpoints=[
            EndpointView(
                url=each.url,
                events=each.events,
                secret=each.secret,
                previous_secret=each.previous_secret,
            )
            for each in endpoints
        ]
    )


def attempt_summary(attempt: Attempt, form: AnswerForm) -> AttemptSummary:
    """Return an attempt without its request and response."""
    return AttemptSummary(**_attempt_summary(attempt, form))


def attempt_view(attempt: Attempt, form: AnswerForm) -> AttemptView:
    """Return an attempt."""
    return AttemptView(
        **_attempt_summary(attempt, form),
        request=_http_view(attempt.request),
        response=None if attempt.response is None else _http_view(attempt.response),
    )


def _attempt_summary(attempt: Attempt, form: AnswerForm) -> dict[str, Any]:
    return {
        "id": attempt.public_id,
        "event": attempt.event,
        "message_id": form.message_id(attempt.message),
        "url": attempt.url,
        "attempt": attempt.number,
        "at": iso_micros(attempt.at),
        "status": attempt.status,
        "duration_ms": attempt.duration_ms,
        "error": attempt.error,
    }


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


def effect_view(effect: Effect) -> EffectView:
    """Return an effect; what it does not do is left out."""
    if isinstance(effect, DeliveryEffect):
        return DeliveryEffectView(delivery=effect.outcome, reason=effect.reason, after=effect.after)
    if isinstance(effect, WebhookEffect):
        return WebhookEffectView(webhook=effect.mode, delay=effect.delay or None)
    drop = "after" if effect.commit else "before"
    return RequestEffectView(
        status=effect.status,
        code=effect.code,
        envelope=effect.envelope,
        retry_after=effect.retry_after,
        delay=effect.delay or None,
        drop=drop if effect.drop else None,
        malformed=effect.malformed or None,
        commit=(effect.commit and not effect.drop) or None,
    )


def _http_view(http: AttemptHttp) -> HttpView:
    headers = {name: masked_header(name, value) for name, value in http.headers.items()}
    return HttpView(headers=headers, body=http.body)
