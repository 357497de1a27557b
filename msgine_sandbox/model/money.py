"""Exact amounts: whole millionths in, decimals out, never a binary fraction in between."""

from dataclasses import dataclass
from decimal import Decimal

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of a currency's unit."""

    micros: int
    currency: str

    def times(self, count: int) -> "Money":
        """Give the amount so many times over."""
        return Money(self.micros * count, self.currency)

    @property
    def amount(self) -> Decimal:
        """The amount in the currency's unit, without trailing zeros: 0.15, 30."""
        whole, rest = divmod(self.micros, MICROS)
        return Decimal(f"{whole}.{rest:06d}".rstrip("0").rstrip("."))
