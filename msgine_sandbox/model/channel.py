"""The ways in which a message reaches people."""

from enum import StrEnum


class Channel(StrEnum):
    """What a message goes by. SMS: documented; email and push: seen in SDKs."""

    SMS = "sms"
    EMAIL = "email"
    PUSH = "push"
