"""When a webhook is tried: on the account's clock, counted from its event."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from msgine_sandbox.model.clock import DAY, SECOND, Instant, from_datetime

TRIES_AFTER: Final = (0, 5, 30, 2 * 60, 10 * 60, 30 * 60, 2 * 3600, 6 * 3600)
"""Seconds from the event to each try. Source: our choice."""


def next_try(event_at: Instant, tries: int, now: Instant, wait: int = 0) -> Instant | None:
    """Tell when to try again after so many tries, or None to give up.

    `wait` is what the receiver asked for, in microseconds from now; it can only put a try off.
    """
    if tries >= len(TRIES_AFTER):
        return None
    return max(event_at + TRIES_AFTER[tries] * SECOND, now + wait)


def asked_to_wait(retry_after: str | None, real_now: Instant) -> int:
    """Read a `Retry-After` header, in seconds or as a date: microseconds, at most a day."""
    if retry_after is None:
        return 0
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * SECOND, DAY)
    moment = _date(text)
    return 0 if moment is None else min(max(from_datetime(moment) - real_now, 0), DAY)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year can be too large to be reckoned with
        return None
    return moment if moment.tzinfo is not None else None
