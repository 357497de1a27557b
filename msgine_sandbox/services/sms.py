"""SMS: what can be sent, to which numbers, and what it costs in segments."""

from collections.abc import Sequence
from typing import Final

import msgspec

from msgine_sandbox.model import warning
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import InvalidSenderId
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.phone_numbers import NumberingPlan, NumberType
from msgine_sandbox.model.segments import Encoding, gsm_segments, needs_ucs2, split
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import checked_url
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.drafts import (
    ChannelService,
    ScheduledTime,
    SendContext,
    checked_recipients,
    checked_schedule,
    checked_text,
)

MAX_TEXT: Final = 1600
"""Characters of an SMS in the Messages API. Source: documented elsewhere."""
MAX_DEVELOPER_TEXT: Final = 1000
"""The same in the Developers API. Source: documented elsewhere."""
MAX_SENDER: Final = 11
# Every SMS needs both, and Python 3.11 is slow to find the members of an enum.
_MOBILE, _UCS2 = NumberType.MOBILE, Encoding.UCS2


class SmsDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An SMS as a client describes it: values of the right types, otherwise not checked yet."""

    to: Sequence[str]
    message: str
    sender: str | None = None
    callback_url: str | None = None
    scheduled_for: ScheduledTime | None = None
    max_length: int = MAX_TEXT
    """Characters; each of the two APIs has its own limit."""


class SmsService(ChannelService[SmsDraft]):
    """Composes SMS."""

    channel = Channel.SMS

    def __init__(self, carrier: Carrier, numbering_plan: NumberingPlan) -> None:
        self._carrier = carrier
        self._numbering_plan = numbering_plan

    async def compose(self, draft: SmsDraft, context: SendContext) -> Message:
        """Return the message that a draft describes.

        Raises:
            InvalidPhoneNumber, InvalidMessage, InvalidSenderId: documented.
            InvalidRequest: too many recipients, a callbackUrl that is not a URL, or a time that is
                not in the future.
        """
        account = context.account
        recipients = checked_recipients(draft.to, self._numbering_plan.check, what="numbers")
        text = checked_text(draft.message, draft.max_length)
        sender = account.sender_id if draft.sender is None else checked_sender(draft.sender)
        segments = split(text)
        callback_url = draft.callback_url
        if callback_url is not None:
            callback_url = checked_url(callback_url, "callbackUrl")
        scheduled_at = checked_schedule(draft.scheduled_for, context.now)
        return Message(
            id=context.message_id,
            account=account.id,
            channel=self.channel,
            recipients=recipients,
            timelines=self._carrier.planned(self.channel, recipients, context.now, scheduled_at),
            seen_at=context.now - 1,
            sender=sender,
            text=text,
            encoding=segments.encoding,
            segments=segments.count,
            price=account.price,
            developer_price=account.developer_price(self.channel),
            callback_url=callback_url,
            request_id=context.request_id,
            scheduled_at=scheduled_at,
        )

    def warnings_about(self, message: Message) -> list[ClientWarning]:
        """Return warnings about numbers that receive no SMS, and about a text sent as UCS-2."""
        found = []
        for number in message.recipients:
            number_type = self._numbering_plan.type_of(number)
            if number_type is not _MOBILE:
                found.append(warning.number_not_mobile(number, number_type))
        if message.encoding is _UCS2:
            found += _forced_to_ucs2(message)
        return found


def _forced_to_ucs2(message: Message) -> list[ClientWarning]:
    character = split(message.text).forced_by
    if character is None:
        return []
    in_gsm = gsm_segments(message.text)
    if message.segments <= in_gsm or needs_ucs2(message.text):
        return []  # it costs nothing, or the language leaves no choice
    return [warning.forced_to_ucs2(character, message.segments, in_gsm)]


def checked_sender(sender: str, field: str = "from") -> str:
    """Return a sender ID that carriers accept.

    Raises:
        InvalidSenderId: it is not 1 to 11 letters and digits (documented).
    """
    if len(sender) <= MAX_SENDER and sender.isascii() and sender.isalnum():
        return sender
    raise InvalidSenderId(field=field, value=sender, maxLength=MAX_SENDER)
