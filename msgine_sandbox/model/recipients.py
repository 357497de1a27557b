"""The recipients of emails and pushes: addresses, and the targets of a push."""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from msgine_sandbox.model.characters import REFUSED_CHARACTERS, is_one_line
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest

EmailAddress = str
"""An address that has been checked, as it was written."""

MAX_ADDRESS: Final = 320
MAX_MAILBOX: Final = 1000
USER: Final = "user:"
TOPIC: Final = "topic:"
MAX_TARGET: Final = 4096

_CACHED: Final = 8192  # tests use few recipients often
_EXPECTED_TARGET: Final = (
    f"1 to {MAX_TARGET} characters, without {REFUSED_CHARACTERS}, and no space around them"
)


def checked_address(text: str, field: str = "to") -> EmailAddress:
    """Return the text as an email address, as email-validator understands RFC 5321 and 5322.

    Raises:
        InvalidRequest: it is not one, or no mail can be delivered to it (our choice).
    """
    return _checked(text, field, "an email address", MAX_ADDRESS, named=False)


def is_address(recipient: str) -> bool:
    """Return whether a recipient is an email address, not a number or the target of a push."""
    return "@" in recipient and not recipient.startswith((USER, TOPIC))


def checked_mailbox(text: str, field: str = "from") -> str:
    """Return the text as an address, or as `Name <address>`. Source: seen in SDKs.

    Raises:
        InvalidRequest: it is neither.
    """
    expected = "an email address, or Name <address>"
    return _checked(text, field, expected, MAX_MAILBOX, named=True)


def _checked(text: str, field: str, expected: str, longest: int, *, named: bool) -> str:
    # The length first, so that nothing long is kept in the cache.
    too_long = len(text) > longest
    reason = f"It has over {longest} characters." if too_long else _problem(text, named=named)
    if reason is None:
        return text
    raise InvalidRequest(
        f"{field} must be {expected}", field=field, value=text, expected=expected, reason=reason
    )


@lru_cache(_CACHED)
def _problem(text: str, *, named: bool) -> str | None:
    import email_validator  # here, to keep it off the path to the first response

    try:
        email_validator.validate_email(
            text,
            allow_display_name=named,
            check_deliverability=False,  # no DNS query: nothing leaves the sandbox
            strict=True,
            test_environment=True,  # names under .test, which RFC 6761 reserves for tests
        )
    except email_validator.EmailNotValidError as error:
        return str(error)
    return None


def checked_token(token: str, field: str = "tokens") -> str:
    """Return a device token.

    Raises:
        InvalidRequest: it is empty, too long, or has characters that no token has (our choice).
    """
    if token.startswith((USER, TOPIC)):
        raise InvalidRequest(
            f"{field} must be what a platform issues; the sandbox writes users and topics like"
            " this",
            field=field,
            value=token,
            expected=f"a token that begins neither with {USER} nor with {TOPIC}",
        )
    return _checked_target(token, field)


def user_target(user_id: str) -> str:
    """Return the recipient `user:ID` that stands for a user's devices.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{USER}{_checked_target(user_id, 'userIds')}"


def topic_target(name: str) -> str:
    """Return the recipient `topic:NAME` that stands for a topic's subscribers.

    Raises:
        InvalidRequest: as for a token.
    """
    return f"{TOPIC}{_checked_target(name, 'topic')}"


def _checked_target(text: str, field: str) -> str:
    if 1 <= len(text) <= MAX_TARGET and is_one_line(text) and text.strip() == text:
        return text
    raise InvalidRequest(
        f"{field} must have {_EXPECTED_TARGET}", field=field, value=text, expected=_EXPECTED_TARGET
    )


class Platform(StrEnum):
    """The platform of a device. Source: seen in SDKs."""

    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device that pushes go to, by the token that its platform issued."""

    id: int
    account: int
    token: str
    platform: Platform
    active: bool
    """False once it is removed: from then on pushes to it fail."""
    created_at: Instant
