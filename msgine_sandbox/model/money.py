"""Exact amounts of money: whole millionths inside, decimals outside, never binary floats."""

from decimal import Decimal
from functools import lru_cache

import msgspec

MICROS = 1_000_000


class Money(msgspec.Struct, frozen=True):
    """An amount in millionths of a currency's unit."""

    micros: int
    currency: str

    def times(self, count: int) -> "Money":
        """Return the amount multiplied by a whole number."""
        return Money(self.micros * count, self.currency)

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's unit, without trailing zeros: 0.15, 30."""
        return _decimal(self.micros)


@lru_cache(1024)
def _decimal(micros: int) -> Decimal:
    whole, rest = divmod(micros, MICROS)
    return Decimal(f"{whole}.{rest:06d}".rstrip("0").rstrip("."))
