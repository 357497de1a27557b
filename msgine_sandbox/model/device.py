"""A device: what a push can go to, under the token that its platform gave it."""

from enum import StrEnum
from typing import Final

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.ids import written

PREFIX: Final = "dev"


class Platform(StrEnum):
    """What kind of device it is. Source: seen in SDKs."""

    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device of an account's users."""

    id: int
    account: int
    token: str
    platform: Platform
    active: bool
    """False once it is removed: from then on pushes to it fail."""
    created_at: Instant

    @property
    def public_id(self) -> str:
        """The identifier that clients see. Source: seen in SDKs; its prefix is our choice."""
        return written(PREFIX, self.id)
