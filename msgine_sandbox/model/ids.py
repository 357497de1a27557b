"""Identifiers: numbers that grow with time, written with the prefix of their kind."""

import re
from random import Random, SystemRandom

from msgine_sandbox.model.clock import Instant, RealTime

_CHANCE_BITS = 20
_LARGEST = (1 << 63) - 1  # that a row can have
_WRITTEN = re.compile(r"[a-z]+_([0-9a-f]{16})")


class Ids:
    """Gives numbers that never come twice and always grow, so that a newer row sorts last."""

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self._random = Random(SystemRandom().getrandbits(64))  # noqa: S311  (nothing secret)
        self._latest = 0

    def next(self, count: int = 1) -> int:
        """Give the next number, or the first of so many in a row.

        It is made of milliseconds of real time and of chance, or is the one after the latest.
        """
        fresh = (self._real.now() // 1000 << _CHANCE_BITS) | self._random.getrandbits(_CHANCE_BITS)
        first = fresh if fresh > self._latest else self._latest + 1
        self._latest = first + count - 1
        return first

    def beyond(self, number: int) -> Instant:
        """Give only larger numbers from here on, and tell when that one was given at the latest."""
        self._latest = max(self._latest, number)
        return (number >> _CHANCE_BITS) * 1000


def written(prefix: str, number: int) -> str:
    """Write a number as an identifier, such as `msg_018f3a5b00c1d2e3`."""
    return f"{prefix}_{number:016x}"


def number_of(prefix: str, text: str) -> int | None:
    """Read the number back from an identifier; None when it is not one of that kind."""
    match = _WRITTEN.fullmatch(text)
    if match is None or not text.startswith(f"{prefix}_"):
        return None
    number = int(match[1], 16)
    return number if number <= _LARGEST else None
