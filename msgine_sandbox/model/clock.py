"""Time: a real clock for the process, which never goes back, and a clock for each account.

An account's clock is moved forward only, except that a reset sets it to real time again.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import msgspec

Instant = int
"""Microseconds since the Unix epoch, in UTC: whole numbers, so that boundaries are exact."""

SECOND = 1_000_000
DAY = 24 * 60 * 60 * SECOND
FOREVER: Instant = (1 << 63) - 1
"""Later than every instant: the largest integer that SQLite stores."""
LATEST: Instant = 253_402_300_799 * SECOND
"""9999-12-31T23:59:59Z: later times have no ISO 8601 form that other programs read."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RealTime:
    """The machine's wall clock, except that it never goes back.

    Where the wall clock is set back, the time goes on with the monotonic clock instead.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        # How far the wall clock is ahead of the monotonic one, in nanoseconds. The wall clock is
        # read first, so that a pause between the two never makes it seem farther ahead than it is.
        self._lead = wall() - monotonic()

    def now(self) -> Instant:
        """Return the real time."""
        wall = self._wall()
        monotonic = self._monotonic()
        lead = wall - monotonic
        if lead > self._lead:
            self._lead = lead
        return (monotonic + self._lead) // 1000

    def not_before(self, instant: Instant) -> None:
        """Continue from an instant if the wall clock is behind it."""
        self._lead = max(self._lead, instant * 1000 - self._monotonic())


class ClockState(StrEnum):
    """Whether an account's time goes on by itself."""

    RUNNING = "running"
    FROZEN = "frozen"
    MOVING = "moving"
    """It is being moved, and stands at the time of the present step."""
    ENDED = "ended"
    """It has reached `LATEST`."""


class Clock(msgspec.Struct, frozen=True):
    """How an account's time relates to the real one: ahead of it by microseconds, or frozen.

    It stops at `LATEST`.
    """

    ahead: int = 0
    frozen_at: Instant | None = None

    def at(self, real: Instant) -> Instant:
        """Return this clock's time at a real instant."""
        if self.frozen_at is not None:
            return self.frozen_at
        instant = real + self.ahead
        return instant if instant < LATEST else LATEST

    def real_at(self, instant: Instant) -> Instant | None:
        """Return the real time when this clock shows an instant; None if it stops before."""
        if instant > LATEST:
            return None
        if self.frozen_at is None:
            return instant - self.ahead
        return 0 if instant <= self.frozen_at else None


class Clocks:
    """The clocks of all accounts, and the instants at which those stand that are being moved."""

    def __init__(self, real: RealTime) -> None:
        self._real = real
        self.of: dict[int, Clock] = {}
        """By account."""
        self.pinned: dict[int, Instant | None] = {}
        """The time of accounts whose clock is being moved; None where it follows the clock."""
        self._moved: dict[int, Instant] | None = None
        """Where no status begins by itself, up to when the clocks have been moved."""

    def stand(self) -> None:
        """Let no status begin by itself: each does when its account's clock is moved past it."""
        if self._moved is None:
            real = self._real.now()
            self._moved = {account: self.at(account, real) for account in self.of}

    def run(self) -> None:
        """Let statuses begin as time passes."""
        self._moved = None

    def has_moved(self, account: int, to: Instant) -> None:
        """Note that an account's clock has been moved."""
        if self._moved is not None:
            self._moved[account] = to

    def seen(self, account: int) -> Instant:
        """Return up to when an account's statuses have begun: usually its time."""
        if self._moved is None:
            return self.now(account)
        pinned = self.pinned.get(account)
        return self._moved.get(account, 0) if pinned is None else pinned

    def now(self, account: int) -> Instant:
        """Return an account's time."""
        # Without `at`, because this is a part of every request.
        pinned = self.pinned.get(account)
        return self.of[account].at(self._real.now()) if pinned is None else pinned

    def at(self, account: int, real: Instant) -> Instant:
        """Return an account's time at a real time."""
        pinned = self.pinned.get(account)
        return self.of[account].at(real) if pinned is None else pinned


def seconds(value: float) -> int:
    """Return seconds as whole microseconds, to the nearest."""
    return round(value * SECOND)


def whole_seconds(micros: int) -> int:
    """Return microseconds as whole seconds, rounded up, so that waiting for them is enough."""
    return -(-micros // SECOND)


def from_datetime(moment: datetime) -> Instant:
    """Return the instant of an aware datetime, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso_seconds(instant: Instant) -> str:
    """Format an instant as the API does: ISO 8601 in UTC, whole seconds. Source: documented."""
    return _iso(instant // SECOND)


def iso_micros(instant: Instant) -> str:
    """Format an instant as the control API does: ISO 8601 in UTC, to the microsecond."""
    whole, micros = divmod(instant, SECOND)
    return "%s.%06dZ" % (_iso(whole)[:-1], micros)  # noqa: UP031  (a third of the time)


def iso(instant: Instant) -> str:
    """Format an instant in whole seconds where it has no fraction, else to the microsecond."""
    return iso_micros(instant) if instant % SECOND else iso_seconds(instant)


@lru_cache(1024)
def _iso(unix_seconds: int) -> str:
    moment = time.gmtime(unix_seconds)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % moment[:6]  # noqa: UP031  (twice as fast)
