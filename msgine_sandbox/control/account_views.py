"""What the control API returns of an account: its settings, its rate-limit windows, its clock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import UNSET, UnsetType

from msgine_sandbox.control.views import View
from msgine_sandbox.model.account import Account, Limits, Tier
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.clock import SECOND, Clock, Instant, iso_micros


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


def _window_view(limit: int | None, remaining: int) -> WindowView | None:
    return None if limit is None else WindowView(limit=limit, remaining=remaining)
