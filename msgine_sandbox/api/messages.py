"""`/messages` and `/account`, the Messages API: send an SMS, read one, list them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.api.schema import Field, FieldType, MessageCodec, Source, warn_of_query
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.message import AnswerForm, Message
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.webhook import MAX_URL
from msgine_sandbox.services.drafts import MAX_RECIPIENTS
from msgine_sandbox.services.sms import MAX_SENDER, MAX_TEXT, SmsDraft


class TextMessage(msgspec.Struct, rename="camel"):
    """An SMS or email as clients see it: the documented fields and those seen in SDKs."""

    id: str
    sid: str | None
    channel: str
    to: Sequence[str]
    from_: str = msgspec.field(name="from")
    message: str | UnsetType
    content: str
    status: Status
    cost: Decimal
    currency: str
    created_at: str
    updated_at: str | UnsetType


_TextMessage = TypeVar("_TextMessage", bound=TextMessage)


def text_message(
    kind: type[_TextMessage], message: Message, form: AnswerForm, cost: Money
) -> _TextMessage:
    """Return the view of a message, with the cost that an API shows."""
    content, timelines = message.content, message.timelines
    message_id, sid = form.ids(message.id)
    status, updated_at = timelines.state_at(message.seen_at)
    return kind(
        id=message_id,
        sid=sid,
        channel=message.channel,
        to=message.to,
        from_=message.sender,
        message=content,
        content=content,
        status=status,
        cost=cost.amount,
        currency=cost.currency,
        created_at=iso_seconds(timelines.created_at),
        updated_at=iso_seconds(updated_at),
    )


STATUSES: Final = tuple(each for each in Status if each is not Status.QUEUED)
"""The statuses that this API has."""


def sms_view(message: Message, form: AnswerForm) -> TextMessage:
    """Return an SMS; a scheduled one is pending, because this API does not have `queued`."""
    view = text_message(TextMessage, message, form, form.cost(message))
    if message.scheduled_at is not None and view.status not in STATUSES:
        view.status = Status.PENDING
    return view


def observed_sms_view(message: Message, form: AnswerForm) -> TextMessage:
    """Return an SMS with the members that the recorded answer has. Source: seen in SDKs."""
    view = sms_view(message, form)
    view.message = view.updated_at = UNSET
    return view


_FIELDS: Final = (
    Field(
        name="to",
        type=FieldType.TEXTS,
        attribute="to",
        required=True,
        max_recipients=MAX_RECIPIENTS,
        source=Source.DOCUMENTED,
    ),
    Field(
        name="message",
        type=FieldType.TEXT,
        attribute="message",
        required=True,
        max_length=MAX_TEXT,
        source=Source.DOCUMENTED,
    ),
    Field(
        name="from",
        type=FieldType.TEXT,
        attribute="sender",
        max_length=MAX_SENDER,
        source=Source.DOCUMENTED_ELSEWHERE,
    ),
    Field(
        name="callbackUrl",
        type=FieldType.TEXT,
        attribute="callback_url",
        max_length=MAX_URL,
        source=Source.DOCUMENTED,
    ),
)
SMS: Final = MessageCodec(_FIELDS, SmsDraft, sms_view)
CODECS: Final[Mapping[Answers, MessageCodec[SmsDraft]]] = {
    Answers.DOCUMENTED: SMS,
    Answers.OBSERVED: MessageCodec(_FIELDS, SmsDraft, observed_sms_view, accepted=200),
}


class MessagesApi:
    """The calls of the Messages API."""

    def __init__(self, handlers: MessageHandlers, form: AnswerForm) -> None:
        self._handlers = handlers
        self._codec = CODECS[form.answers]
        self._form = form
        self._shown = handlers.shown(self._view)

    def _view(self, message: Message) -> Any:
        return self._codec.view(message, self._form)

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the base URL."""
        return [
            # 201 with the message, pending. Source: documented; observed, it is 200: seen in SDKs.
            resource(
                "/messages/sms",
                accepted=self._codec.accepted,
                POST=partial(self._handlers.send, Channel.SMS, self._codec),
            ),
            resource("/messages", GET=self.page),
            resource("/messages/{id}", GET=self.read),
            resource("/account", GET=self.account),
        ]

    async def page(self, context: RequestContext) -> Answer:
        """List SMS, newest first. Source: documented; the order is our choice."""
        found = await self._handlers.page(Channel.SMS, self._shown, context)
        pagination = {
            "page": found.page,
            "limit": found.limit,
            "total": found.total,
            "pages": found.pages,
        }
        return json_answer({"data": found.messages, "pagination": pagination})

    async def read(self, context: RequestContext) -> Answer:
        """Return one SMS with its present status. Source: documented elsewhere."""
        message = await self._handlers.read({Channel.SMS}, context)
        return json_answer(self._view(message))

    async def account(self, context: RequestContext) -> Answer:
        """Return nothing but the rate headers, which the example that has this call is about.

        Source: documented elsewhere; what else the answer has is unknown.
        """
        warn_of_query(context)
        return json_answer({})
