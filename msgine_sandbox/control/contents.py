"""What a caller takes out of a message: its code, its links, or one of these as plain text."""

import asyncio
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from msgine_sandbox.asgi.answers import Answer
from msgine_sandbox.control.message_views import MessageView
from msgine_sandbox.model.message import AnswerForm, EmailParts, Message

if TYPE_CHECKING:
    from msgine_sandbox.model.contents import Contents

_READ_AT_ONCE: Final = 1000
"""Characters in which a code is found in about a millisecond."""
_REMEMBERED: Final = 256
"""Short messages whose contents are remembered: a test waits for one, and then reads it again."""
_CONTENTS: Final = "msgine_sandbox.model.contents"


class MessagePart(StrEnum):
    """What of a message is answered as plain text."""

    CODE = "code"
    LINK = "link"
    """The first one."""
    TEXT = "text"
    ID = "id"

    @property
    def is_in_every_message(self) -> bool:
        """Whether a message cannot be without it."""
        return self in {MessagePart.TEXT, MessagePart.ID}


HEADERS: Final = {"X-Content-Type-Options": "nosniff"}
"""Of a text: without it, a browser may take the text of a message for a page."""


class TextAnswer(Answer):
    """An answer that is a text as it stands, for a shell script or a browser test."""

    content_type = b"text/plain; charset=utf-8"

    def __init__(self, text: str) -> None:
        super().__init__(text.encode(errors="replace"), headers=HEADERS)


async def with_contents(view: MessageView, message: Message) -> MessageView:
    """Return a view with the message's codes and all of its links."""
    contents = await _contents(message)
    return replace(view, code=contents.code, codes=contents.codes, links=contents.links)


async def part_of(message: Message, part: MessagePart, form: AnswerForm) -> str | None:
    """Return a part of a message as text, or None where the message has none."""
    match part:
        case MessagePart.CODE:
            return (await _contents(message)).code
        case MessagePart.LINK:
            return next(iter((await _contents(message)).links), None)
        case MessagePart.TEXT:
            return message.text
        case MessagePart.ID:
            return form.message_id(message.id)


async def _contents(message: Message) -> "Contents":
    parts = message.parts if isinstance(message.parts, EmailParts) else None
    html, links = (None, ()) if parts is None else (parts.html, parts.links)
    size = sum(map(len, (message.text, message.title or "", html or "", *links)))
    if size <= _READ_AT_ONCE and _CONTENTS in sys.modules:
        return _remembered(message.text, message.title, html, tuple(links))
    # On a thread: a long text takes up to a second, and the first import 20 ms.
    return await asyncio.to_thread(_read, message.text, message.title, html, links)


@lru_cache(_REMEMBERED)
def _remembered(text: str, title: str | None, html: str | None, links: Sequence[str]) -> "Contents":
    return _read(text, title, html, links)


def _read(text: str, title: str | None, html: str | None, links: Sequence[str]) -> "Contents":
    from msgine_sandbox.model.contents import contents_of

    return contents_of(text, title, html, links)
