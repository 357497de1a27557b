"""What the control API returns: lists, small answers, webhooks and faults."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.fault import DeliveryEffect, Effect, Fault, Match, WebhookEffect
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.model.webhook import Endpoint, EventType, WebhookMode
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

    account: str | UnsetType | None = UNSET
    """Only where endpoints of all accounts are returned, as `account_id` is."""
    account_id: str | UnsetType | None = UNSET
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


class Drop(StrEnum):
    """When a connection is closed: before the request is performed, or after that."""

    BEFORE = "before"
    AFTER = "after"


class RequestEffectView(View, frozen=True, kw_only=True, omit_defaults=True):
    """What a fault does to requests, as it was asked for."""

    status: int | None = None
    code: str | None = None
    envelope: bool = True
    retry_after: int | None = None
    delay: float | None = None
    drop: Drop | None = None
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

    account: str | None
    """Null where it applies to all accounts, as `account_id` is."""
    account_id: str | None
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
    return EndpointsView(endpoints=list(map(endpoint_view, endpoints)))


def endpoint_view(endpoint: Endpoint, owner: Account | None = None) -> EndpointView:
    """Return an endpoint, with the account that has it where that is to be told."""
    return EndpointView(
        account=UNSET if owner is None else owner.token_hint,
        account_id=UNSET if owner is None else owner.public_id,
        url=endpoint.url,
        events=endpoint.events,
        secret=endpoint.secret,
        previous_secret=endpoint.previous_secret,
    )


def fault_view(fault: Fault, accounts: Accounts) -> FaultView:
    """Return a fault."""
    account, account_id = owner_of(fault.account, accounts)
    return FaultView(
        account=account,
        account_id=account_id,
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
    drop = Drop.AFTER if effect.commit else Drop.BEFORE
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
