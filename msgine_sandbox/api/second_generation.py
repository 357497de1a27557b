"""The second generation's shapes: how drafts are read, and how messages are written."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.api.form import Form
from msgine_sandbox.api.texts import Text, written
from msgine_sandbox.domain.email import EmailDraft
from msgine_sandbox.domain.push import PushDraft
from msgine_sandbox.domain.sms import SmsDraft
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.keys import FIELD
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant, iso_seconds
from msgine_sandbox.model.lifecycle import Status
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.parts import PushParts

MAX_TEXT: Final = 1000
"""Characters of an SMS. Source: documented elsewhere."""
_NONE: Final = PushParts()
_FAILED: Final = frozenset({Status.FAILED})
_TAKEN: Final = frozenset({Status.SENT, Status.DELIVERED})


class DeveloperMessage(Text, rename="camel"):
    """An SMS or an email; what is not set is absent. Source: documented elsewhere, seen in SDKs."""

    subject: str | UnsetType = UNSET
    scheduled_at: str | UnsetType = UNSET
    sent_at: str | UnsetType = UNSET


class DeveloperPush(msgspec.Struct, rename="camel"):
    """A push; what is not set is absent. Source: seen in SDKs.

    An absent `data` matters: the Go SDK takes a top-level `data` for the whole answer.
    """

    id: str
    channel: str
    title: str
    body: str
    recipient_count: int
    success_count: int
    failure_count: int
    status: str
    created_at: str
    data: Mapping[str, str] | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    scheduled_at: str | UnsetType = UNSET
    sent_at: str | UnsetType = UNSET


def shape(message: Message) -> DeveloperMessage | DeveloperPush:
    """Write a message of any channel."""
    return push_shape(message) if message.channel is Channel.PUSH else text_shape(message)


def text_shape(message: Message) -> DeveloperMessage:
    """Write an SMS or an email."""
    text = written(DeveloperMessage, message, message.developer_cost, message.status)
    text.subject = message.title or UNSET
    text.scheduled_at = _time(message.scheduled_at)
    text.sent_at = _time(message.sent_at)
    return text


def push_shape(message: Message) -> DeveloperPush:
    """Write a push."""
    parts = message.parts if isinstance(message.parts, PushParts) else _NONE
    statuses = [delivery.status for delivery in message.deliveries]
    return DeveloperPush(
        id=message.public_id,
        channel=message.channel,
        title=message.title or "",
        body=message.text,
        recipient_count=len(statuses),
        success_count=sum(status in _TAKEN for status in statuses),
        failure_count=sum(status in _FAILED for status in statuses),
        status=message.status,
        created_at=iso_seconds(message.created_at),
        data=parts.data or UNSET,
        image_url=parts.image_url or UNSET,
        topic=parts.topic or UNSET,
        scheduled_at=_time(message.scheduled_at),
        sent_at=_time(message.sent_at),
    )


def sms_draft(body: Fields) -> SmsDraft:
    """Read the draft of an SMS; unknown fields are ignored.

    Raises:
        InvalidRequest: a field is missing or of the wrong type.
    """
    body.required("to", "a number, several with commas between, or an array of them")
    return SmsDraft(
        to=body.parted("to"),
        message=body.required_text("message"),
        sender=body.text("from"),
        callback_url=body.text("callbackUrl"),
        scheduled_at=body.instant("scheduledFor"),
        longest=MAX_TEXT,
    )


def email_draft(body: Fields) -> EmailDraft:
    """Read the draft of an email; unknown fields are ignored.

    Raises:
        InvalidRequest: a field is missing or of the wrong type.
    """
    body.required("to", "an address, several with commas between, or an array of them")
    return EmailDraft(
        sender=body.required_text("from"),
        to=body.parted("to"),
        cc=body.parted("cc"),
        bcc=body.parted("bcc"),
        subject=body.required_text("subject"),
        text=body.text("text"),
        html=body.text("html"),
        scheduled_at=body.instant("scheduledFor"),
    )


def push_draft(body: Fields) -> PushDraft:
    """Read the draft of a push; unknown fields are ignored.

    Raises:
        InvalidRequest: a field is missing or of the wrong type.
    """
    return PushDraft(
        title=body.required_text("title"),
        body=body.required_text("body"),
        user_ids=body.several("userIds"),
        topic=body.text("topic"),
        tokens=body.several("tokens"),
        data=body.strings("data"),
        image_url=body.text("imageUrl"),
        scheduled_at=body.instant("scheduledFor"),
    )


def _form(
    fields: str, draft: Callable[[Fields], Any], shape: Callable[[Message], Any]
) -> Form[Any]:
    return Form(frozenset({*fields.split(), "scheduledFor", FIELD}), draft, shape)


SMS: Final[Form[SmsDraft]] = _form("to message from callbackUrl", sms_draft, text_shape)
EMAIL: Final[Form[EmailDraft]] = _form("from to cc bcc subject text html", email_draft, text_shape)
PUSH: Final[Form[PushDraft]] = _form(
    "title body userIds topic tokens data imageUrl", push_draft, push_shape
)


def _time(instant: Instant | None) -> str | UnsetType:
    return UNSET if instant is None else iso_seconds(instant)
