"""Warnings: what a client did that the sandbox accepts, and that causes trouble in production.

Each has a stable code, and a sentence that says what happened this time.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from unicodedata import name

import msgspec

_NAMED: Final = 10
_READABLE: Final = 60


class WarningCode(StrEnum):
    """What a warning is about; tests may ask for it."""

    RETRIED_TOO_EARLY = "retried-too-early"
    RETRIED_WITHOUT_KEY = "post-retried-without-idempotency-key"
    KEY_REUSED = "idempotency-key-reused-with-another-body"
    BEARER_MISSING = "bearer-missing"
    UNKNOWN_FIELD = "unknown-field"
    NUMBER_NOT_MOBILE = "number-not-mobile"
    FORCED_TO_UCS2 = "text-forced-to-ucs2"
    WEBHOOK_SLOW = "webhook-slow"
    WEBHOOK_FAILED = "webhook-failed"
    WEBHOOK_LOCALHOST = "webhook-localhost-in-container"
    LOOKS_LIVE = "looks-live"
    POLLS = "polls-instead-of-webhook"


class ClientWarning(msgspec.Struct, frozen=True):
    """One warning."""

    code: WarningCode
    message: str

    @property
    def docs(self) -> str:
        """Where the documentation says what to do."""
        return f"docs/warnings.md#{self.code}"


def retried_too_early(request_id: str, asked: int, waited: float) -> ClientWarning:
    """The same request came again before the wait that its answer asked for; in seconds."""
    return ClientWarning(
        WarningCode.RETRIED_TOO_EARLY,
        f"{request_id} was answered with Retry-After: {asked}, and the same request came again"
        f" after {waited:.3g} s",
    )


def retried_without_key(request_id: str, status: int | None, accepted: str | None) -> ClientWarning:
    """A POST that may have been done was sent again, and nothing tells that it is the same."""
    ended = "got no answer" if status is None else f"was answered {status}"
    duplicate = (
        "" if accepted is None else f"; {accepted} was accepted then, so this is a duplicate"
    )
    return ClientWarning(
        WarningCode.RETRIED_WITHOUT_KEY,
        f"{request_id} {ended}, and the same POST came again without an Idempotency-Key{duplicate}",
    )


def key_reused(key: str) -> ClientWarning:
    """An idempotency key came with another request, which therefore was not done."""
    return ClientWarning(
        WarningCode.KEY_REUSED,
        f"The idempotency key {key} came with another body or path; what was sent now was not done",
    )


def bearer_missing() -> ClientWarning:
    """The token stands alone in Authorization."""
    return ClientWarning(
        WarningCode.BEARER_MISSING, "Authorization has the token alone; documented is: Bearer TOKEN"
    )


def unknown_field(names: Sequence[str], place: str) -> ClientWarning:
    """Fields or parameters that the call does not have."""
    shown = [_shown(name) for name in names[:_NAMED]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ClientWarning(
        WarningCode.UNKNOWN_FIELD,
        f"The {place} has what this call ignores: {', '.join(shown)}{more}",
    )


def number_not_mobile(number: str, what: str) -> ClientWarning:
    """A recipient that a text message will hardly reach."""
    return ClientWarning(WarningCode.NUMBER_NOT_MOBILE, f"{number} {what} and will not receive SMS")


def forced_to_ucs2(character: str, segments: int, without: int) -> ClientWarning:
    """One character made the whole text need twice the room."""
    called = name(character, "unnamed").lower()
    return ClientWarning(
        WarningCode.FORCED_TO_UCS2,
        f"U+{ord(character):04X} ({called}) is not in GSM 03.38, so the text is sent as UCS-2:"
        f" {_segments(segments)} instead of {without}",
    )


def webhook_slow(event: str, url: str, milliseconds: float, deadline: float) -> ClientWarning:
    """The receiver took a large part of the time that it has."""
    return ClientWarning(
        WarningCode.WEBHOOK_SLOW,
        f"{url} took {milliseconds:.0f} ms for {event}, of the {deadline:g} s that it has:"
        " answer first, work afterwards",
    )


def webhook_failed(event: str, url: str, why: str) -> ClientWarning:
    """The receiver did not take a webhook."""
    return ClientWarning(WarningCode.WEBHOOK_FAILED, f"{url} did not take {event}: {why}")


def webhook_localhost(url: str) -> ClientWarning:
    """The sandbox is in a container, whose localhost is the container."""
    return ClientWarning(
        WarningCode.WEBHOOK_LOCALHOST,
        f"{url} is the sandbox's own container: write host.docker.internal for your machine",
    )


def looks_live(hint: str) -> ClientWarning:
    """The token looks like one of production."""
    return ClientWarning(
        WarningCode.LOOKS_LIVE,
        f"{hint} looks like a production token; any text works here, such as test_me",
    )


def polls(message: str, times: int) -> ClientWarning:
    """A message is read again and again, where a webhook would tell."""
    return ClientWarning(
        WarningCode.POLLS,
        f"{message} was read {times} times before it came to an end; a webhook would tell of that",
    )


def _shown(name: str) -> str:
    """Give a client's own name as text that can be written, of a length that can be read."""
    return name[:_READABLE].encode(errors="backslashreplace").decode()


def _segments(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"
