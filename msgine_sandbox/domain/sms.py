"""SMS: what can be sent by it, and what it comes to."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from msgine_sandbox.domain.drafts import Origin, checked_recipients, checked_text, undelivered
from msgine_sandbox.model import warning
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidSenderId
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.phone import Kind, Numbering
from msgine_sandbox.model.segments import Encoding, split, without_strangers
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import checked_url

MAX_TEXT: Final = 1600
MAX_SENDER: Final = 11
_SENDER: Final = re.compile(f"[A-Za-z0-9]{{1,{MAX_SENDER}}}")


class SmsDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An SMS as a client asks for it: the right types, not yet the right values."""

    to: Sequence[str]
    message: str
    sender: str | None = None
    callback_url: str | None = None
    scheduled_at: Instant | None = None
    longest: int = MAX_TEXT
    """Characters, of which the generations allow different numbers."""


class Sms:
    """Turns drafts into messages."""

    channel = Channel.SMS

    def __init__(self, ids: Ids, numbering: Numbering) -> None:
        self._ids = ids
        self._numbering = numbering

    async def compose(self, draft: SmsDraft, origin: Origin) -> Message:
        """Give the message that a draft asks for; nothing is stored yet.

        Raises:
            InvalidPhoneNumber, InvalidMessage, InvalidSenderId: documented.
            InvalidRequest: too many recipients, a callbackUrl that is no URL, or a time that is
                not to come.
        """
        account = origin.account
        recipients = checked_recipients(draft.to, self._numbering.check, what="numbers")
        text = checked_text(draft.message, draft.longest)
        sender = account.sender_id if draft.sender is None else checked_sender(draft.sender)
        segments = split(text)
        return Message(
            id=self._ids.next(),
            account=account.id,
            channel=self.channel,
            sender=sender,
            text=text,
            encoding=segments.encoding,
            segments=segments.count,
            price=account.price,
            developer_price=account.developer_prices.of(self.channel),
            callback_url=_url(draft.callback_url),
            request_id=origin.request_id,
            created_at=origin.now,
            scheduled_at=draft.scheduled_at,
            deliveries=undelivered(recipients, origin, draft.scheduled_at),
        )

    def remarks(self, message: Message) -> list[ClientWarning]:
        """Give the warnings about what a message says, and to whom."""
        found = [
            warning.number_not_mobile(number, kind)
            for number in message.recipients
            if (kind := self._numbering.kind(number)) is not Kind.MOBILE
        ]
        if message.encoding is Encoding.UCS2:
            found += _forced(message)
        return found


def _forced(message: Message) -> list[ClientWarning]:
    character = split(message.text).forced_by
    if character is None:
        return []
    without = without_strangers(message.text)
    return [warning.forced_to_ucs2(character, message.segments, without)]


def checked_sender(sender: str, field: str = "from") -> str:
    """Give a sender ID back that carriers take.

    Raises:
        InvalidSenderId: it is not 1 to 11 letters and digits (documented).
    """
    if _SENDER.fullmatch(sender):
        return sender
    raise InvalidSenderId(field=field, value=sender, maxLength=MAX_SENDER)


def _url(url: str | None) -> str | None:
    return None if url is None else checked_url(url, "callbackUrl")
