"""The codes of warnings.

It imports the standard library only, because the Python client reads it, too, without the packages
of a server.
"""

from collections.abc import Iterable
from enum import StrEnum


class WarningCode(StrEnum):
    """What a warning is about; the journal can be filtered by it."""

    RETRIED_TOO_EARLY = "retried-too-early"
    RETRIED_WITHOUT_KEY = "post-retried-without-idempotency-key"
    KEY_REUSED = "idempotency-key-reused-with-another-body"
    BEARER_MISSING = "bearer-missing"
    UNKNOWN_FIELD = "unknown-field"
    UNDOCUMENTED_FIELD = "undocumented-field"
    TIME_WITHOUT_OFFSET = "time-without-offset"
    NUMBER_NOT_MOBILE = "number-not-mobile"
    FORCED_TO_UCS2 = "text-forced-to-ucs2"
    WEBHOOK_SLOW = "webhook-slow"
    WEBHOOK_FAILED = "webhook-failed"
    WEBHOOK_LOCALHOST = "webhook-localhost-in-container"
    LOOKS_LIVE = "looks-live"
    POLLS = "polls-instead-of-webhook"


def unknown_code(codes: Iterable[str]) -> str | None:
    """Return a sentence about the first code that no warning has, or None if all are known."""
    unknown = next((code for code in codes if code not in list(WarningCode)), None)
    if unknown is None:
        return None
    return f"There is no warning {unknown}; the codes are {', '.join(WarningCode)}."
