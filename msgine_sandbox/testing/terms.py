"""What an account may do and what it pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgine_sandbox.testing.client import without_none


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """An account's terms; limits are in requests, None without one."""

    tier: str
    per_minute: int | None
    per_second: int | None
    scopes: tuple[str, ...]
    sender_id: str
    price: Decimal
    """Of an SMS in the first generation, for one recipient and one segment."""
    currency: str
    developer_prices: Mapping[str, Decimal]
    """Of each channel in the second generation, in UGX."""


def settings_of(raw: Mapping[str, Any]) -> AccountSettings:
    """Read an account as the sandbox gives it."""
    return AccountSettings(
        tier=raw["tier"],
        per_minute=raw["limits"]["perMinute"],
        per_second=raw["limits"]["perSecond"],
        scopes=tuple(raw["scopes"]),
        sender_id=raw["senderId"],
        price=Decimal(str(raw["price"])),
        currency=raw["currency"],
        developer_prices={
            channel: Decimal(str(amount)) for channel, amount in raw["developerPrices"].items()
        },
    )


def change_of(
    tier: str | None,
    per_minute: int | None,
    per_second: int | None,
    scopes: Iterable[str] | None,
    sender_id: str | None,
    price: Decimal | float | None,
    currency: str | None,
) -> dict[str, Any]:
    """Write a change of an account; what is None stays as it is."""
    limits = without_none({"perMinute": per_minute, "perSecond": per_second})
    return without_none(
        {
            "tier": tier,
            "limits": limits or None,
            "scopes": None if scopes is None else list(scopes),
            "senderId": sender_id,
            "price": None if price is None else float(price),
            "currency": currency,
        }
    )
