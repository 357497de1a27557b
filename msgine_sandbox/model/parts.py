"""What only one channel's messages have, besides the text that a person reads."""

from collections.abc import Mapping, Sequence

import msgspec


class EmailParts(msgspec.Struct, frozen=True, kw_only=True, tag="email", omit_defaults=True):
    """To whom an email is addressed openly and not, and its HTML."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    html: str | None = None
    links: Sequence[str] = ()
    """Where the links of the HTML lead to."""
    html_alone: bool = False
    """Whether the text was made of the HTML, because there was none."""


class PushParts(msgspec.Struct, frozen=True, kw_only=True, tag="push", omit_defaults=True):
    """What an app gets with a notification."""

    data: Mapping[str, str] = {}
    image_url: str | None = None
    topic: str | None = None


Parts = EmailParts | PushParts
