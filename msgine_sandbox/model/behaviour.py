"""The documented behaviours that a client can meet, as coverage counts them."""

from enum import StrEnum
from typing import Final

from msgine_sandbox.model.channel import TRAITS, Channel
from msgine_sandbox.model.errors import documented_errors
from msgine_sandbox.model.webhook import EventType


class Behaviour(StrEnum):
    """Successes that both APIs have. Source: documented, or documented elsewhere."""

    ACCEPTED = TRAITS[Channel.SMS].accepted
    READ = "200 message read"
    LISTED = "200 messages listed"
    LATER_PAGE = "200 a page past the first"
    SEVERAL_RECIPIENTS = "several recipients"
    CALLBACK_URL = "callbackUrl"
    REPLAYED = "idempotent replay"
    RETRIED = "success after waiting for Retry-After"


class DeveloperBehaviour(StrEnum):
    """Successes that only the Developers API has, besides its channels. Source: seen in SDKs."""

    PARTIAL = "a push that fails for some"
    SCHEDULED = "a message for later"
    REGISTERED = "device registered"
    REMOVED = "200 device removed"
    OVERVIEW = "200 analytics overview"
    DAILY = "200 analytics by day"


def refusal(status: int, code: str) -> str:
    """Return the name of an error with a status and a code."""
    return f"{status} {code}"


def webhook(event: EventType) -> str:
    """Return the name of a webhook that its receiver accepted."""
    return f"{event} webhook"


ALL: Final[tuple[str, ...]] = (
    *Behaviour,
    *(refusal(error.status, error.code) for error in documented_errors()),
    *map(webhook, EventType),
)
"""Every behaviour whose source is documented or documented elsewhere."""

OF_DEVELOPERS: Final[tuple[str, ...]] = (
    *(traits.accepted for channel, traits in TRAITS.items() if channel is not Channel.SMS),
    *DeveloperBehaviour,
)
"""Behaviours that count in addition for a client of `/developers`. Source: seen in SDKs."""
