"""Identifiers: numbers that grow with time, written with the prefix of their kind."""

import re
from random import Random, SystemRandom

from msgine_sandbox.model.clock import Instant, RealTime

_RANDOM_BITS = 20
_LARGEST = (1 << 63) - 1  # that a row can have
_FORMATTED = re.compile(r"[a-z]+_([0-9a-f]{16})")


class Ids:
    """Returns numbers that never repeat and always grow, so that a newer row sorts last."""

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self._random = Random(SystemRandom().getrandbits(64))  # noqa: S311  (nothing secret)
        self._latest = 0

    def next(self, count: int = 1) -> int:
        """Return the next number, or the first of `count` consecutive ones.

        It consists of milliseconds of real time and random bits, or is the one after the latest.
        """
        fresh = (self._real.now() // 1000 << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        first = fresh if fresh > self._latest else self._latest + 1
        self._latest = first + count - 1
        return first

    def continue_after(self, number: int) -> Instant:
        """Return only larger numbers from here on; return the time that this one was made of."""
        self._latest = max(self._latest, number)
        return (number >> _RANDOM_BITS) * 1000


def format_id(prefix: str, number: int) -> str:
    """Return an identifier such as `msg_018f3a5b00c1d2e3`."""
    return f"{prefix}_{number:016x}"


def parse_id(prefix: str, text: str) -> int | None:
    """Return the number of an identifier; None when it is not one with that prefix."""
    match = _FORMATTED.fullmatch(text)
    if match is None or not text.startswith(f"{prefix}_"):
        return None
    number = int(match[1], 16)
    return number if number <= _LARGEST else None
