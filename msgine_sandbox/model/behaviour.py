"""The documented behaviours that a client can meet, as coverage counts them."""

from enum import StrEnum
from typing import Final

from msgine_sandbox.model.errors import (
    ApiError,
    BadGateway,
    Forbidden,
    InternalError,
    InvalidMessage,
    InvalidPhoneNumber,
    InvalidSenderId,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    Unauthorized,
)
from msgine_sandbox.model.webhook import Event


class Deed(StrEnum):
    """What goes well."""

    ACCEPTED = "201 message accepted"
    READ = "200 message read"
    LISTED = "200 messages listed"
    LATER_PAGE = "200 a page past the first"
    SEVERAL = "several recipients"
    CALLED_BACK = "callbackUrl"
    REPLAYED = "idempotent replay"
    RETRIED = "success after waiting for Retry-After"


class DeveloperDeed(StrEnum):
    """What goes well in the second generation only."""

    EMAIL = "201 email accepted"
    PUSH = "201 push accepted"
    PARTIAL = "a push that fails for some"
    SCHEDULED = "a message for later"
    REGISTERED = "device registered"
    REMOVED = "200 device removed"
    OVERVIEW = "200 analytics overview"
    DAILY = "200 analytics by day"


REFUSALS: Final[tuple[type[ApiError], ...]] = (
    InvalidPhoneNumber,
    InvalidMessage,
    InvalidSenderId,
    Unauthorized,
    Forbidden,
    NotFound,
    RateLimitExceeded,
    InternalError,
    BadGateway,
    ServiceUnavailable,
)


def refusal(status: int, code: str) -> str:
    """Name the behaviour of refusing with a status and a code."""
    return f"{status} {code}"


def webhook(event: Event) -> str:
    """Name the behaviour of a webhook that a receiver took."""
    return f"{event} webhook"


ALL: Final[tuple[str, ...]] = (
    *Deed,
    *(refusal(kind.status, kind.code) for kind in REFUSALS),
    *map(webhook, Event),
)
"""Every behaviour whose source is documented or documented elsewhere, in both generations."""

OF_DEVELOPERS: Final[tuple[str, ...]] = tuple(DeveloperDeed)
"""What counts besides for a client that calls `/developers`. Source: seen in SDKs."""
