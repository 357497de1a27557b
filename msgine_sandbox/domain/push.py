"""Push: what can be sent by it, and to which devices, users or topic."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from msgine_sandbox.domain.drafts import (
    Origin,
    checked_recipients,
    checked_text,
    is_unicode,
    undelivered,
)
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message, Move
from msgine_sandbox.model.parts import PushParts
from msgine_sandbox.model.target import checked_token, to_topic, to_user
from msgine_sandbox.model.warning import ClientWarning
from msgine_sandbox.model.webhook import checked_url

MAX_TITLE: Final = 100
MAX_BODY: Final = 500

Opening = Callable[[Message], Awaitable[Sequence[Move]]]
"""Gives the steps that a message takes before its request is answered."""


class PushDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A push as a client asks for it: the right types, not yet the right values."""

    title: str
    body: str
    user_ids: Sequence[str] = ()
    topic: str | None = None
    tokens: Sequence[str] = ()
    data: Mapping[str, str] = {}
    image_url: str | None = None
    scheduled_at: Instant | None = None


class Push:
    """Turns drafts into messages, which the push service has taken or refused already."""

    channel = Channel.PUSH

    def __init__(self, ids: Ids, opening: Opening) -> None:
        self._ids = ids
        self._opening = opening

    async def compose(self, draft: PushDraft, origin: Origin) -> Message:
        """Give the message that a draft asks for; nothing is stored yet.

        Raises:
            InvalidMessage: the title or the body is empty or too long.
            InvalidRequest: it goes to nobody or to too many, or a value is none that can be.
        """
        account = origin.account
        if not (draft.user_ids or draft.topic is not None or draft.tokens):
            expected = "userIds, tokens or a topic"
            raise InvalidRequest(
                f"One of {expected} is required", field="tokens", expected=expected
            )
        recipients = checked_recipients(
            _targets(draft), str, field=_field(draft), what="users, or tokens, or one topic"
        )
        message = Message(
            id=self._ids.next(),
            account=account.id,
            channel=self.channel,
            sender=account.sender_id,
            text=checked_text(draft.body, MAX_BODY, field="body"),
            title=checked_text(draft.title, MAX_TITLE, field="title"),
            parts=PushParts(
                data=_checked_data(draft.data),
                image_url=_url(draft.image_url),
                topic=draft.topic,
            ),
            price=account.price.times(0),
            developer_price=account.developer_prices.of(self.channel),
            request_id=origin.request_id,
            created_at=origin.now,
            scheduled_at=draft.scheduled_at,
            deliveries=undelivered(recipients, origin, draft.scheduled_at),
        )
        return message.moved(await self._opening(message))

    def remarks(self, message: Message) -> list[ClientWarning]:  # noqa: ARG002
        """Give the warnings about what a message says, and to whom: there are none."""
        return []


def _targets(draft: PushDraft) -> Iterator[str]:
    """Give the recipients; a topic wins over users and tokens. Source: seen in SDKs."""
    if draft.topic is not None:
        yield to_topic(draft.topic)
        return
    yield from map(to_user, draft.user_ids)
    yield from map(checked_token, draft.tokens)


def _field(draft: PushDraft) -> str:
    return "tokens" if draft.tokens else "userIds"


def _checked_data(data: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in data.items():
        if not is_unicode(name + value):
            raise InvalidRequest(
                "data must be Unicode text",
                field=f"data.{name}",
                value=value,
                expected="Unicode text",
            )
    return data


def _url(url: str | None) -> str | None:
    return None if url is None else checked_url(url, "imageUrl")
