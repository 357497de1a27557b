"""Identifiers: row ids that grow with time, written with the prefix of their kind.

An id is the row id in SQLite, so that a message is found without another index and the order of ids
is the order of acceptance.
"""

import re
from random import Random, SystemRandom

from msgine_sandbox.model.clock import Instant, RealTime

_RANDOM_BITS = 20
LARGEST = (1 << 63) - 1  # row id of SQLite
_FORMATTED = re.compile(r"[a-z]+_([0-9a-f]{16})")


class Ids:
    """Assigns ids that never repeat and always grow."""

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self._random = Random(SystemRandom().getrandbits(64))  # noqa: S311  (nothing secret)
        self._latest = 0

    def next(self, count: int = 1, *, now: Instant | None = None) -> int:
        """Return the next id, or the first of `count` consecutive ones.

        It is made of milliseconds of real time, `now` where that has just been read, and random
        bits; where that is not greater than the latest, it is the one after that.
        """
        if now is None:
            now = self._real.now()
        fresh = (now // 1000 << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        first = fresh if fresh > self._latest else self._latest + 1
        self._latest = first + count - 1
        return first

    def continue_after(self, row_id: int) -> Instant:
        """Assign only greater ids from now on; return the real time that this one was made of."""
        self._latest = max(self._latest, row_id)
        return (row_id >> _RANDOM_BITS) * 1000


def id_at(instant: Instant) -> int:
    """Return the smallest id that can be assigned at a real time."""
    return max(instant // 1000, 0) << _RANDOM_BITS


def format_id(prefix: str, row_id: int) -> str:
    """Return the text form of an id, such as `msg_018f3a5b00c1d2e3`."""
    # A third of the time that formatting a number takes.
    return f"{prefix}_{row_id.to_bytes(8).hex()}"


def parse_id(prefix: str, text: str) -> int | None:
    """Return the id that a text stands for; None when it is not one with that prefix."""
    match = _FORMATTED.fullmatch(text)
    if match is None or not text.startswith(f"{prefix}_"):
        return None
    row_id = int(match[1], 16)
    return row_id if row_id <= LARGEST else None
