"""Push: what can be sent, and to which devices, users or topic."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.delivery import Recipient
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import Message, PushParts
from msgine_sandbox.model.recipients import checked_token, topic_target, user_target
from msgine_sandbox.model.webhook import checked_url
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.drafts import (
    MAX_RECIPIENTS,
    ChannelService,
    ScheduledTime,
    SendContext,
    checked_recipients,
    checked_schedule,
    checked_text,
    is_unicode,
)
from msgine_sandbox.storage.store import Store

MAX_TITLE: Final = 100
MAX_BODY: Final = 500


class PushDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A push as a client describes it: values of the right types, otherwise not checked yet."""

    title: str
    body: str
    user_ids: Sequence[str] | None = None
    topic: str | None = None
    tokens: Sequence[str] | None = None
    data: Mapping[str, str] = {}
    image_url: str | None = None
    scheduled_for: ScheduledTime | None = None


class PushService(ChannelService[PushDraft]):
    """Composes pushes, which the push service accepts or refuses before the response."""

    channel = Channel.PUSH

    def __init__(self, store: Store, carrier: Carrier) -> None:
        self._store = store
        self._carrier = carrier

    async def compose(self, draft: PushDraft, context: SendContext) -> Message:
        """Return the message that a draft describes.

        Raises:
            InvalidMessage: the title or the body is empty or too long.
            InvalidRequest: it has no recipient or too many, or a value is not a valid one.
        """
        account = context.account
        recipients = await self._recipients(draft, account)
        text = checked_text(draft.body, MAX_BODY, field="body")
        title = checked_text(draft.title, MAX_TITLE, field="title")
        data, image_url = _checked_data(draft.data), _checked_image(draft.image_url)
        scheduled_at = checked_schedule(draft.scheduled_for, context.now)
        timelines = self._carrier.planned(self.channel, recipients, context.now, scheduled_at)
        if scheduled_at is None:
            timelines = await self._carrier.with_devices(account.id, recipients, timelines)
        return Message(
            id=context.message_id,
            account=account.id,
            channel=self.channel,
            recipients=recipients,
            timelines=timelines,
            seen_at=context.now - 1,
            sender=account.sender_id,
            text=text,
            title=title,
            parts=PushParts(
                data=data,
                image_url=image_url,
                topic=draft.topic,
                own_devices=_has_no_target(draft),
            ),
            price=account.price.times(0),
            developer_price=account.developer_price(self.channel),
            request_id=context.request_id,
            scheduled_at=scheduled_at,
        )

    async def _recipients(self, draft: PushDraft, account: Account) -> Sequence[Recipient]:
        """Return what a push goes to; with a topic, users and tokens are ignored.

        Without any of these it goes to the account's devices. Source: seen in SDKs.
        """
        if draft.topic is not None:
            return [topic_target(draft.topic)]
        if _has_no_target(draft):
            return await self._devices(account)
        return checked_recipients(
            [*map(user_target, draft.user_ids or ()), *map(checked_token, draft.tokens or ())],
            str,
            field="tokens" if draft.tokens or draft.user_ids is None else "userIds",
            what="users or tokens",
        )

    async def _devices(self, account: Account) -> Sequence[Recipient]:
        tokens = await self._store.devices.active(account.id)
        if not tokens:
            raise InvalidRequest(
                "The push has no recipient: register a device first, or name userIds or a topic",
                field="userIds",
                expected="userIds or a topic, or at least one registered device",
            )
        if len(tokens) > MAX_RECIPIENTS:
            raise InvalidRequest(
                f"A push without userIds or a topic goes to all registered devices, which are"
                f" {len(tokens)}: it can go to at most {MAX_RECIPIENTS}",
                field="userIds",
                expected=f"userIds or a topic, or at most {MAX_RECIPIENTS} registered devices",
            )
        return tokens


def _has_no_target(draft: PushDraft) -> bool:
    return draft.topic is None and draft.user_ids is None and draft.tokens is None


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


def _checked_image(url: str | None) -> str | None:
    return None if url is None else checked_url(url, "imageUrl")
