"""The first generation's shapes: how a draft is read, and how a message is written."""

from decimal import Decimal
from typing import Final

import msgspec

from msgine_sandbox.api.form import Form
from msgine_sandbox.domain.sms import SmsDraft
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message


class FirstGenerationMessage(msgspec.Struct, rename="camel"):
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


def draft(body: Fields) -> SmsDraft:
    """Read the draft of an SMS; unknown fields are ignored.

    Raises:
        InvalidRequest: a field is missing or of the wrong type.
    """
    return SmsDraft(
        to=body.texts("to"),
        message=body.required_text("message"),
        sender=body.text("from"),
        callback_url=body.text("callbackUrl"),
    )


def shape(message: Message) -> FirstGenerationMessage:
    """Write a message; one that is queued for later is pending, as this generation knows it."""
    cost, status = message.cost, message.status
    return FirstGenerationMessage(
        id=message.public_id,
        sid=message.sid,
        channel=message.channel,
        to=message.recipients,
        from_=message.sender,
        message=message.text,
        content=message.text,
        status=Status.PENDING if status is Status.QUEUED else status,
        cost=cost.amount,
        currency=cost.currency,
        created_at=iso_seconds(message.created_at),
        updated_at=iso_seconds(message.updated_at),
    )


SMS: Final = Form(frozenset({"to", "message", "from", "callbackUrl"}), draft, shape)
