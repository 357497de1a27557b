"""A form: how one generation reads what one channel is to send, and writes what became of it."""

from collections.abc import Callable, Collection
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from msgine_sandbox.domain.drafts import Origin
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.warning import ClientWarning

Draft = TypeVar("Draft")
_Draft = TypeVar("_Draft", contravariant=True)


class Form(msgspec.Struct, Generic[Draft], frozen=True):
    """The fields of a generation's body, how they are read, and how a message is written."""

    fields: Collection[str]
    draft: Callable[[Fields], Draft]
    shape: Callable[[Message], Any]


class Composer(Protocol[_Draft]):
    """A channel, as `domain/` has one for each: it turns drafts into messages."""

    @property
    def channel(self) -> Channel:
        """Which one it is."""

    async def compose(self, draft: _Draft, origin: Origin) -> Message:
        """Give the message that a draft asks for."""

    def remarks(self, message: Message) -> list[ClientWarning]:
        """Give the warnings about a message."""
