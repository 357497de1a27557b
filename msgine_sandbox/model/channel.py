"""The channels: one table of what differs between SMS, email and push, for all other modules."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class Channel(StrEnum):
    """How a message is sent. Source of SMS: documented; of email and push: seen in SDKs."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"


class Scope(StrEnum):
    """What a credential may do. FULL_ACCESS and READ_MESSAGES are in the SDKs, the rest is ours."""

    FULL_ACCESS = "FULL_ACCESS"
    READ_MESSAGES = "READ_MESSAGES"
    SEND_SMS = "SEND_SMS"
    SEND_EMAIL = "SEND_EMAIL"
    SEND_PUSH = "SEND_PUSH"


class ChannelTraits(msgspec.Struct, frozen=True, kw_only=True):
    """The properties in which channels differ."""

    title: str
    """Its heading in the page."""
    scope: Scope
    """The scope that sending needs. Source: our choice."""
    accepted: str
    """The name in coverage of a message that was accepted; `--answers` decides its status."""
    developer_price: int
    """For a recipient and segment in the Developers API, in millionths of a Ugandan shilling."""
    fails_after_sending: str
    """The reason of a delivery that fails after it was sent."""
    fails_without_sending: str
    """The reason of a delivery that is refused."""
    other_reasons: tuple[str, ...]
    """Other usual reasons of failures, which faults can name."""
    settled_at_acceptance: bool = False
    """Whether its service accepts or refuses messages before the request is answered."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The usual reasons of failures."""
        return (self.fails_after_sending, self.fails_without_sending, *self.other_reasons)


TRAITS: Final[Mapping[Channel, ChannelTraits]] = {
    Channel.SMS: ChannelTraits(
        title="SMS",
        scope=Scope.SEND_SMS,
        accepted="message accepted",
        developer_price=30_000_000,  # documented elsewhere
        fails_after_sending="The handset is unreachable",
        fails_without_sending="The carrier refuses the message",
        other_reasons=(
            "The number is not in service",
            "The recipient has opted out",
            "The message is filtered as spam",
            "The message expired before it was delivered",
        ),
    ),
    Channel.EMAIL: ChannelTraits(
        title="Email",
        scope=Scope.SEND_EMAIL,
        accepted="email accepted",
        developer_price=5_000_000,  # our choice
        fails_after_sending="The message bounced",
        fails_without_sending="The mail server refuses the message",
        other_reasons=(
            "The mailbox does not exist",
            "The mailbox is full",
            "The recipient has opted out",
            "The message is filtered as spam",
        ),
    ),
    Channel.PUSH: ChannelTraits(
        title="Push",
        scope=Scope.SEND_PUSH,
        accepted="push accepted",
        developer_price=0,  # our choice
        fails_after_sending="The device is not registered",
        fails_without_sending="The push service refuses the message",
        other_reasons=(
            "The recipient has turned notifications off",
            "The message expired before it was delivered",
        ),
        settled_at_acceptance=True,
    ),
}

SENDING: Final = tuple(traits.scope for traits in TRAITS.values())
"""The scopes of a credential that may only send."""
