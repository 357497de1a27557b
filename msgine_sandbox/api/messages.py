"""`/messages`, the Messages API: send an SMS, read one, list them."""

from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request

from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.api.schema import Field, FieldType, MessageCodec, Source
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.message import Message, Status
from msgine_sandbox.model.money import Money
from msgine_sandbox.services.sms import MAX_SENDER, MAX_TEXT, SmsDraft


class TextMessage(msgspec.Struct, rename="camel"):
    """An SMS or email as clients see it: the documented fields and those seen in SDKs."""

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


_TextMessage = TypeVar("_TextMessage", bound=TextMessage)


def text_message(
    kind: type[_TextMessage], message: Message, cost: Money, status: Status
) -> _TextMessage:
    """Return the view of a message, with the cost and status that an API shows."""
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


def sms_view(message: Message) -> TextMessage:
    """Return an SMS; a scheduled one is pending, because this API does not have `queued`."""
    status = Status.PENDING if message.status is Status.QUEUED else message.status
    return text_message(TextMessage, message, message.cost, status)


SMS: Final = MessageCodec(
    (
        Field(
            name="to",
            type=FieldType.TEXTS,
            attribute="to",
            required=True,
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
            source=Source.DOCUMENTED,
        ),
    ),
    SmsDraft,
    sms_view,
)


class MessagesApi:
    """The calls of the Messages API."""

    def __init__(self, handlers: MessageHandlers) -> None:
        self._handlers = handlers

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the base URL."""
        return [
            resource("/messages/sms", POST=self.send),
            resource("/messages", GET=self.page),
            resource("/messages/{id}", GET=self.read),
        ]

    async def send(self, request: Request) -> Answer:
        """Send an SMS: 201 with the message, pending. Source: documented."""
        return await self._handlers.send(request, Channel.SMS, SMS)

    async def page(self, request: Request) -> Answer:
        """List SMS, newest first. Source: documented; the order is our choice."""
        found = await self._handlers.page(request, Channel.SMS)
        pagination = {
            "page": found.page,
            "limit": found.limit,
            "total": found.total,
            "pages": found.pages,
        }
        return json_answer({"data": list(map(sms_view, found.messages)), "pagination": pagination})

    async def read(self, request: Request) -> Answer:
        """Return one SMS with its present status. Source: documented elsewhere."""
        return json_answer(sms_view(await self._handlers.read(request, {Channel.SMS})))
