"""An account: what a token opens, with its tier, its scopes, its clock and its endpoints."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Clock
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.money import MICROS, Money
from msgine_sandbox.model.webhook import Endpoint

PREFIX: Final = "acc"


class Tier(StrEnum):
    """How many requests an account may make. Source: documented elsewhere."""

    FREE = "free"
    STARTER = "starter"
    PROFESSIONAL = "professional"
    UNLIMITED = "unlimited"


class Scope(StrEnum):
    """What a credential may do. FULL_ACCESS and READ_MESSAGES are in the SDKs, the rest is ours."""

    FULL_ACCESS = "FULL_ACCESS"
    READ_MESSAGES = "READ_MESSAGES"
    SEND_SMS = "SEND_SMS"
    SEND_EMAIL = "SEND_EMAIL"
    SEND_PUSH = "SEND_PUSH"


SENDING = (Scope.SEND_SMS, Scope.SEND_EMAIL, Scope.SEND_PUSH)


class Limits(msgspec.Struct, frozen=True):
    """Requests allowed in any minute and in any second; both None is without limit."""

    per_minute: int | None
    per_second: int | None


TIERS: Mapping[Tier, Limits] = {
    Tier.FREE: Limits(60, 10),
    Tier.STARTER: Limits(100, 20),
    Tier.PROFESSIONAL: Limits(500, 50),
    Tier.UNLIMITED: Limits(None, None),
}

SENDING_BY: Mapping[Channel, Scope] = dict(zip(Channel, SENDING, strict=True))
"""The scope that each channel's sends need. Source: our choice."""

DEFAULT_SENDER = "MsGine"
DEVELOPER_CURRENCY = "UGX"
DEFAULT_PRICE = Money(50_000, "USD")  # 0.05 USD a recipient and segment: documented


class DeveloperPrices(msgspec.Struct, frozen=True):
    """What a recipient costs in the second generation, in millionths of a Ugandan shilling.

    30 UGX an SMS: documented elsewhere. The others: our choice.
    """

    sms: int = 30 * MICROS
    email: int = 5 * MICROS
    push: int = 0

    def of(self, channel: Channel) -> Money:
        """Give the price of a channel, for a recipient and a segment."""
        return Money(getattr(self, channel), DEVELOPER_CURRENCY)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a token's owner can set; a change makes a new one."""

    id: int
    """Numbers from 1; `public_id` is how the control API writes it."""
    token_hint: str
    """The token as it may be shown: its beginning and end."""
    magic: str
    """The magic beginning of its token, which says what it is when new; mostly none."""
    tier: Tier
    limits: Limits
    scopes: tuple[Scope, ...] = (Scope.FULL_ACCESS,)
    sender_id: str = DEFAULT_SENDER
    price: Money = DEFAULT_PRICE
    """Of an SMS in the first generation."""
    developer_prices: DeveloperPrices = DeveloperPrices()
    clock: Clock = msgspec.field(default_factory=Clock)
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses where no token is at hand."""
        return written(PREFIX, self.id)

    def may(self, scope: Scope) -> bool:
        """Tell whether the credential has the scope."""
        return Scope.FULL_ACCESS in self.scopes or scope in self.scopes


_FOR_TESTS = re.compile(r"test|sandbox|dev|demo|fake|dummy|example|local|ci\b", re.IGNORECASE)
_FOR_PRODUCTION = re.compile(r"(?<![a-z])(live|prod|production)(?![a-z])", re.IGNORECASE)
_ANY_SECRET = re.compile(r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/=_.-]{32,}")


@lru_cache(1024)
def looks_live(token: str) -> bool:
    """Tell whether a token looks like one of production: it says so, or is long and random."""
    if _FOR_PRODUCTION.search(token):
        return True
    return bool(_ANY_SECRET.fullmatch(token)) and not _FOR_TESTS.search(token)


def masked(token: str) -> str:
    """Give a token as logs and answers may show it: `test_…3f9a`."""
    if len(token) < 12:  # more of a short token would be most of it
        return f"{token[:2]}…"
    return f"{token[:5]}…{token[-4:]}"
