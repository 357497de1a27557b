"""Time: one real clock for the process, and one clock for each account that only goes forward."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

Instant = int
"""Microseconds since the Unix epoch, in UTC: whole numbers, so that boundaries are exact."""

SECOND = 1_000_000
DAY = 24 * 60 * 60 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RealTime:
    """The machine's wall clock, which never goes back while the process lives."""

    def __init__(self, read: Callable[[], int] = time.time_ns) -> None:
        self._read = read
        self._latest: Instant = 0

    def now(self) -> Instant:
        """Give the real time."""
        now = self._read() // 1000
        if now > self._latest:
            self._latest = now
        return self._latest


@dataclass(frozen=True, slots=True)
class Clock:
    """How an account's time relates to the real one: ahead of it by microseconds, or frozen."""

    ahead: int = 0
    frozen_at: Instant | None = None

    def at(self, real: Instant) -> Instant:
        """Give this clock's time at a real instant."""
        return real + self.ahead if self.frozen_at is None else self.frozen_at

    def real_at(self, instant: Instant) -> Instant | None:
        """Give the real time at which this clock shows an instant; None if it stands before it."""
        if self.frozen_at is None:
            return instant - self.ahead
        return 0 if instant <= self.frozen_at else None


def seconds(value: float) -> int:
    """Turn seconds into whole microseconds, to the nearest."""
    return round(value * SECOND)


def from_datetime(moment: datetime) -> Instant:
    """Turn an aware datetime into an instant, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso_seconds(instant: Instant) -> str:
    """Write an instant as the API does: ISO 8601 in UTC, whole seconds. Source: documented."""
    return _written(instant // SECOND)


def iso_micros(instant: Instant) -> str:
    """Write an instant as the control API does: ISO 8601 in UTC, to the microsecond."""
    whole, micros = divmod(instant, SECOND)
    return f"{_written(whole)[:-1]}.{micros:06d}Z"


@lru_cache(1024)
def _written(whole_seconds: int) -> str:
    moment = time.gmtime(whole_seconds)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % moment[:6]  # noqa: UP031  (twice as fast)
