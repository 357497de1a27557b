"""Warnings: what a client did that the sandbox accepts, and that causes trouble in production.

Each has a stable code, a sentence that says what happened this time, and advice, which depends only
on the code. A new warning needs a code in `warning_code.py`, its advice here, and a section in
docs/warnings.md that contains the advice: tests/test_definitions.py says which of them is missing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.warning_code import WarningCode as WarningCode

_NAMED: Final = 10
_READABLE: Final = 60


ADVICE: Final[Mapping[WarningCode, str]] = {
    WarningCode.RETRIED_TOO_EARLY: "Wait as long as Retry-After says before you retry.",
    WarningCode.RETRIED_WITHOUT_KEY: (
        "Send the same Idempotency-Key with every attempt of one operation."
    ),
    WarningCode.KEY_REUSED: "Use a new key for each operation.",
    WarningCode.BEARER_MISSING: "Send Authorization: Bearer TOKEN.",
    WarningCode.UNKNOWN_FIELD: "Check the spelling of the name.",
    WarningCode.UNDOCUMENTED_FIELD: "Use what MsGine documents, or what its SDKs send.",
    WarningCode.TIME_WITHOUT_OFFSET: "End the time with Z, or with its offset such as +03:00.",
    WarningCode.NUMBER_NOT_MOBILE: "Ask the recipient for a mobile number.",
    WarningCode.FORCED_TO_UCS2: "Replace the character, or budget for the additional segments.",
    WarningCode.WEBHOOK_SLOW: "Store the webhook, respond, and do the work afterwards.",
    WarningCode.WEBHOOK_FAILED: "Respond with a 2xx status as soon as the webhook is stored.",
    WarningCode.WEBHOOK_LOCALHOST: "Use host.docker.internal instead of localhost.",
    WarningCode.LOOKS_LIVE: "Keep production tokens out of tests and their logs.",
    WarningCode.POLLS: "Set a callbackUrl, or add a webhook endpoint to the account.",
}
"""What to do about a warning, in one or two sentences of plain text."""


class ClientWarning(msgspec.Struct, frozen=True):
    """One warning."""

    code: WarningCode
    message: str

    @property
    def docs(self) -> str:
        """The path on this sandbox of the section that explains it."""
        return f"/docs/warnings#{self.code}"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.code]


def retried_too_early(request_id: str, asked: int, waited: float) -> ClientWarning:
    """Return a warning: a request was repeated before `Retry-After` had passed; in seconds."""
    return ClientWarning(
        WarningCode.RETRIED_TOO_EARLY,
        f"{request_id} was answered with Retry-After: {asked}, and the same request came again"
        f" after {waited:.3g} s",
    )


def retried_without_key(request_id: str, status: int | None, accepted: str | None) -> ClientWarning:
    """Return a warning: a POST that may have been processed was repeated without a key."""
    ended = "got no answer" if status is None else f"was answered {status}"
    duplicate = (
        "" if accepted is None else f"; {accepted} was accepted then, so this is a duplicate"
    )
    return ClientWarning(
        WarningCode.RETRIED_WITHOUT_KEY,
        f"{request_id} {ended}, and the same POST came again without an Idempotency-Key{duplicate}",
    )


def key_reused(key: str) -> ClientWarning:
    """Return a warning: a known key came with another request, which was not processed."""
    return ClientWarning(
        WarningCode.KEY_REUSED,
        f"The idempotency key {key} came with another body or path; what was sent now was not done",
    )


def bearer_missing() -> ClientWarning:
    """Return a warning: `Authorization` has the token without a scheme."""
    return ClientWarning(
        WarningCode.BEARER_MISSING, "Authorization has the token alone; documented is: Bearer TOKEN"
    )


def unknown_field(names: Sequence[str], place: str) -> ClientWarning:
    """Return a warning about fields or parameters that the call does not have."""
    shown = [_shown(name) for name in names[:_NAMED]]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ClientWarning(
        WarningCode.UNKNOWN_FIELD,
        f"The {place} has what this call ignores: {', '.join(shown)}{more}",
    )


def undocumented_field(field: str) -> ClientWarning:
    """Return a warning: a field works here, although nothing says that MsGine has it."""
    return ClientWarning(
        WarningCode.UNDOCUMENTED_FIELD,
        f"The body has {field}, which no document of MsGine has and no official SDK sends",
    )


def time_without_offset(time: str) -> ClientWarning:
    """Return a warning: a time is taken for UTC, because it does not say what it is in."""
    return ClientWarning(
        WarningCode.TIME_WITHOUT_OFFSET,
        f"scheduledFor {time} has no offset from UTC, and is taken for a time in UTC",
    )


def number_not_mobile(number: str, what: str) -> ClientWarning:
    """Return a warning about a recipient that is not for SMS; `what` is its number type."""
    return ClientWarning(
        WarningCode.NUMBER_NOT_MOBILE, f"{number} {what}, and will probably not receive SMS"
    )


def forced_to_ucs2(character: str, segments: int, without: int) -> ClientWarning:
    """Return a warning: one character makes the whole text UCS-2, which needs more segments."""
    from unicodedata import name  # here, because its table is large and few starts need it

    called = name(character, "unnamed").lower()
    return ClientWarning(
        WarningCode.FORCED_TO_UCS2,
        f"U+{ord(character):04X} ({called}) is not in GSM 03.38, so the text is sent as UCS-2:"
        f" {_segments(segments)} instead of {without}",
    )


def webhook_slow(event: str, url: str, milliseconds: float, deadline: float) -> ClientWarning:
    """Return a warning: a receiver took a large part of its `deadline`, which is in seconds."""
    return ClientWarning(
        WarningCode.WEBHOOK_SLOW,
        f"{url} took {milliseconds:.0f} ms for {event}, of the {deadline:g} s that it has:"
        " answer first, work afterwards",
    )


def webhook_failed(event: str, url: str, why: str) -> ClientWarning:
    """Return a warning: a receiver did not accept a webhook."""
    return ClientWarning(WarningCode.WEBHOOK_FAILED, f"{url} did not take {event}: {why}")


def webhook_not_sent(event: str, url: str, why: str) -> ClientWarning:
    """Return a warning: the sandbox does not send webhooks to the address of a receiver."""
    return ClientWarning(WarningCode.WEBHOOK_FAILED, f"{event} was not sent to {url}: {why}")


def webhook_localhost(url: str) -> ClientWarning:
    """Return a warning: the URL names localhost, which is the sandbox's own container."""
    return ClientWarning(
        WarningCode.WEBHOOK_LOCALHOST,
        f"{url} is the sandbox's own container: write host.docker.internal for your machine",
    )


def looks_live(hint: str) -> ClientWarning:
    """Return a warning: the token looks like a production token."""
    return ClientWarning(
        WarningCode.LOOKS_LIVE,
        f"{hint} looks like a production token; any text works here, such as test_me",
    )


def polls(message: str, times: int) -> ClientWarning:
    """Return a warning: a message is polled, although a webhook would report its status."""
    return ClientWarning(
        WarningCode.POLLS,
        f"{message} was read {times} times before it came to an end; a webhook would tell of that",
    )


def _shown(name: str) -> str:
    """Return a name from a request, shortened, with lone surrogates escaped for UTF-8."""
    return name[:_READABLE].encode(errors="backslashreplace").decode()


def _segments(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"
