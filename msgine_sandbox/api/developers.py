"""`/developers`, the Developers API: send SMS, emails and pushes, list them, read one."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.api.messages import TextMessage, text_message
from msgine_sandbox.api.schema import Field, FieldType, MessageCodec, Source
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model import idempotency
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant, iso_seconds
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.message import AnswerForm, Message, PushParts
from msgine_sandbox.model.recipients import MAX_MAILBOX, MAX_TARGET
from msgine_sandbox.model.webhook import MAX_URL
from msgine_sandbox.services.drafts import MAX_RECIPIENTS
from msgine_sandbox.services.email import MAX_BODY, MAX_SUBJECT, EmailDraft
from msgine_sandbox.services.push import MAX_BODY as MAX_PUSH_BODY
from msgine_sandbox.services.push import MAX_TITLE, PushDraft
from msgine_sandbox.services.sms import MAX_DEVELOPER_TEXT, MAX_SENDER, SmsDraft

_NO_PARTS: Final = PushParts()
_SUCCEEDED: Final = frozenset({Status.SENT, Status.DELIVERED})


class DeveloperMessage(TextMessage, rename="camel"):
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
    status: Status
    created_at: str
    data: Mapping[str, str] | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    scheduled_at: str | UnsetType = UNSET
    sent_at: str | UnsetType = UNSET


def text_view(message: Message, form: AnswerForm) -> DeveloperMessage:
    """Return an SMS or an email."""
    view = text_message(DeveloperMessage, message, form, message.developer_cost)
    view.subject = message.title or UNSET
    view.scheduled_at = _time(message.scheduled_at)
    view.sent_at = _time(message.sent_at)
    return view


def push_view(message: Message, form: AnswerForm) -> DeveloperPush:
    """Return a push."""
    parts = message.parts if isinstance(message.parts, PushParts) else _NO_PARTS
    statuses = [delivery.status for delivery in message.deliveries]
    return DeveloperPush(
        id=form.message_id(message.id),
        channel=message.channel,
        title=message.title or "",
        body=message.text,
        recipient_count=len(statuses),
        success_count=sum(status in _SUCCEEDED for status in statuses),
        failure_count=statuses.count(Status.FAILED),
        status=message.status,
        created_at=iso_seconds(message.created_at),
        data=parts.data or UNSET,
        image_url=parts.image_url or UNSET,
        topic=parts.topic or UNSET,
        scheduled_at=_time(message.scheduled_at),
        sent_at=_time(message.sent_at),
    )


def _time(instant: Instant | None) -> str | UnsetType:
    return UNSET if instant is None else iso_seconds(instant)


def _sdk(name: str, attribute: str | None = None, **more: Any) -> Field:
    """Return a field that is seen in SDKs; a text, unless `type` says otherwise."""
    values = {"type": FieldType.TEXT, "source": Source.SDKS} | more
    return Field(name=name, attribute=attribute or name, **values)


def _recipients(name: str, attribute: str | None = None, **more: Any) -> Field:
    """Return a field that names recipients; split at commas, unless `type` says otherwise."""
    values = {"type": FieldType.SPLIT_TEXTS, "max_recipients": MAX_RECIPIENTS} | more
    return _sdk(name, attribute, **values)


_FOR_EVERY_CHANNEL: Final = (
    _sdk("scheduledFor", "scheduled_for", type=FieldType.TIME),
    _sdk(idempotency.FIELD, type=FieldType.KEY, max_length=idempotency.MAX_LENGTH_IN_BODY),
)
_NUMBERS: Final = "a number, several with commas between, or an array of them"
_ADDRESSES: Final = "an address, several with commas between, or an array of them"

SMS: Final = MessageCodec(
    (
        _recipients("to", required=True, expected=_NUMBERS),
        _sdk(
            "message",
            required=True,
            max_length=MAX_DEVELOPER_TEXT,
            source=Source.DOCUMENTED_ELSEWHERE,
        ),
        _sdk("from", "sender", max_length=MAX_SENDER, source=Source.DOCUMENTED_ELSEWHERE),
        _sdk(
            "callbackUrl",
            "callback_url",
            max_length=MAX_URL,
            source=Source.DOCUMENTED_ELSEWHERE,
        ),
        *_FOR_EVERY_CHANNEL,
    ),
    partial(SmsDraft, max_length=MAX_DEVELOPER_TEXT),
    text_view,
)
EMAIL: Final = MessageCodec(
    (
        _sdk("from", "sender", required=True, max_length=MAX_MAILBOX),
        _recipients("to", required_first=True, expected=_ADDRESSES),
        _recipients("cc"),
        _recipients("bcc"),
        _sdk("subject", required=True, max_length=MAX_SUBJECT),
        _sdk("text", max_length=MAX_BODY),
        _sdk("html", max_length=MAX_BODY),
        *_FOR_EVERY_CHANNEL,
    ),
    EmailDraft,
    text_view,
)
PUSH: Final = MessageCodec(
    (
        _sdk("title", required=True, max_length=MAX_TITLE),
        _sdk("body", required=True, max_length=MAX_PUSH_BODY),
        _recipients("userIds", "user_ids", type=FieldType.TEXTS, max_length=MAX_TARGET),
        _sdk("topic", max_length=MAX_TARGET),
        _recipients("tokens", type=FieldType.TEXTS, max_length=MAX_TARGET, source=Source.OURS),
        _sdk("data", type=FieldType.STRING_MAP),
        _sdk("imageUrl", "image_url", max_length=MAX_URL),
        *_FOR_EVERY_CHANNEL,
    ),
    PushDraft,
    push_view,
)

CODECS: Final[Mapping[Channel, MessageCodec[Any]]] = {
    Channel.SMS: SMS,
    Channel.EMAIL: EMAIL,
    Channel.PUSH: PUSH,
}


def listed_as(channel: Channel) -> str:
    """Return the member that lists a channel's messages in its history."""
    return "notifications" if channel is Channel.PUSH else "messages"


class DevelopersApi:
    """The messages of the Developers API: each channel has a path to send and a history."""

    def __init__(self, handlers: MessageHandlers, form: AnswerForm) -> None:
        self._handlers = handlers
        self._form = form
        self._shown = handlers.shown(self._view)

    def _view(self, message: Message) -> Any:
        return CODECS[message.channel].view(message, self._form)

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the base URL."""
        return [
            # Source: documented elsewhere for SMS, seen in SDKs for the others.
            *(
                resource(
                    f"/developers/{channel}", POST=partial(self._handlers.send, channel, codec)
                )
                for channel, codec in CODECS.items()
            ),
            *(
                resource(f"/developers/{channel}/history", GET=partial(self.history, channel))
                for channel in CODECS
            ),
            resource("/developers/{id}", GET=self.read),
        ]

    async def history(self, channel: Channel, context: RequestContext) -> Answer:
        """List a channel's messages, newest first. Source: as of sending."""
        found = await self._handlers.page(channel, self._shown, context)
        counts = {"total": found.total, "page": found.page, "pages": found.pages}
        return json_answer({listed_as(channel): found.messages, **counts})

    async def read(self, context: RequestContext) -> Answer:
        """Return a message of any channel. Source: seen in SDKs."""
        message = await self._handlers.read(CODECS, context)
        return json_answer(self._view(message))
