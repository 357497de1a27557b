"""What both generations write of an SMS or an email."""

from decimal import Decimal
from typing import TypeVar

import msgspec

from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.money import Money


class Text(msgspec.Struct, rename="camel"):
    """A message as clients see it: the union of the page's and the SDKs' fields."""

    id: str
    sid: str
    channel: str
    to: list[str]
    from_: str = msgspec.field(name="from")
    message: str
    content: str
    status: str
    cost: Decimal
    currency: str
    created_at: str
    updated_at: str


_Text = TypeVar("_Text", bound=Text)


def written(kind: type[_Text], message: Message, cost: Money, status: Status) -> _Text:
    """Write a message, with the cost and the status that a generation gives it."""
    content = message.content
    return kind(
        id=message.public_id,
        sid=message.sid,
        channel=message.channel,
        to=list(message.to),
        from_=message.sender,
        message=content,
        content=content,
        status=status,
        cost=cost.amount,
        currency=cost.currency,
        created_at=iso_seconds(message.created_at),
        updated_at=iso_seconds(message.updated_at),
    )
