"""An account, which a token opens: its tier, scopes, prices, clock and webhook endpoints."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import Clock
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.webhook import Endpoint

PREFIX: Final = "acc"


class Limits(msgspec.Struct, frozen=True):
    """Requests allowed in any minute and in any second; both None is without limit."""

    per_minute: int | None
    per_second: int | None


TIERS: Final[Mapping[Tier, Limits]] = {
    Tier.FREE: Limits(60, 10),
    Tier.STARTER: Limits(100, 20),
    Tier.PROFESSIONAL: Limits(500, 50),
    Tier.UNLIMITED: Limits(None, None),
}


class Admission(msgspec.Struct, frozen=True, array_like=True):
    """The decision of the rate limit about a request."""

    limit: int
    remaining: int
    reset_after: int
    """Microseconds until the oldest request of the minute stops counting."""
    retry_after: int | None = None
    """Seconds to wait, if the request is over the limit."""
    reason: str | None = None
    """Why waiting does not help, if it does not."""


DEFAULT_SENDER: Final = "MsGine"
DEVELOPER_CURRENCY: Final = "UGX"
# Every request needs it, and Python 3.11 is slow to find the members of an enum.
_ANY_SCOPE: Final = Scope.FULL_ACCESS
DEFAULT_PRICE: Final = Money(50_000, "USD")  # 0.05 USD a recipient and segment: documented


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is now; a change makes a new value."""

    id: int
    """From 1; `public_id` is how the control API writes it."""
    token_hint: str
    """The token as it may be shown: its beginning and end."""
    magic: str
    """The magic prefix of its token, which decides what a new account is; empty for most."""
    tier: Tier
    limits: Limits
    scopes: tuple[Scope, ...] = (Scope.FULL_ACCESS,)
    sender_id: str = DEFAULT_SENDER
    price: Money = DEFAULT_PRICE
    """Of an SMS in the Messages API."""
    developer_prices: Mapping[Channel, int] = {}
    """In the Developers API, in millionths of a Ugandan shilling; absent is the default."""
    clock: Clock = msgspec.field(default_factory=Clock)
    endpoints: tuple[Endpoint, ...] = ()
    name: str | None = None
    """What people call it."""

    @property
    def public_id(self) -> str:
        """The identifier that the control API uses where no token is at hand."""
        return format_id(PREFIX, self.id)

    def has_scope(self, scope: Scope) -> bool:
        """Return whether the credential may do what needs a scope."""
        return _ANY_SCOPE in self.scopes or scope in self.scopes

    def developer_price(self, channel: Channel) -> Money:
        """Return what a recipient and segment costs in the Developers API."""
        micros = self.developer_prices.get(channel, TRAITS[channel].developer_price)
        return Money(micros, DEVELOPER_CURRENCY)


_FOR_TESTS = r"(?i)test|sandbox|dev|demo|fake|dummy|example|local|ci\b"
_STAGE = (
    r"(?i)(?<![a-z])(?:test|testing|sandbox|staging|dev|demo|fake|dummy|example|local|ci"
    r"|(?P<live>live|prod|production))(?![a-z])"
)
READ_OF_TOKEN: Final = 1024
"""Characters of a token that `looks_live` is to be called with, so that it keeps nothing long."""
_RANDOM = r"(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/=_.-]{32,}"


@lru_cache(1024)
def looks_live(token: str) -> bool:
    """Return whether a token looks like a production key: it says so, or is long and random.

    Of several words the first counts: `sk_live_test1` is live, `test_live_updates` is not.
    """
    stage = re.search(_STAGE, token)
    if stage is not None:
        return stage["live"] is not None
    return bool(re.fullmatch(_RANDOM, token)) and not re.search(_FOR_TESTS, token)
