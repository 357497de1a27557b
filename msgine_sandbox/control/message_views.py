"""What the control API returns of a message: in full, and to the microsecond."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final

from msgspec import UNSET, UnsetType, field
from msgspec.structs import replace

from msgine_sandbox.control.request_facts import (
    DecisionView,
    WarningView,
    decision_views,
    warning_views,
)
from msgine_sandbox.control.views import View
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant, iso_micros, iso_seconds
from msgine_sandbox.model.delivery import Delivery, Status
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.message import AnswerForm, EmailParts, Message, PushParts
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.segments import Encoding, split
from msgine_sandbox.model.webhook import Attempt, EventType


class DeliveryStepView(View, frozen=True, kw_only=True):
    """One status of a delivery, and when it began."""

    status: Status
    at: str


class RecipientSummary(View, frozen=True, kw_only=True):
    """One recipient's status."""

    to: str
    status: Status
    reason: str | None
    """Why it failed."""


class RecipientView(RecipientSummary, frozen=True, kw_only=True):
    """One recipient's delivery."""

    rule: str | UnsetType = UNSET
    """What decided the delivery, if anything: the id of a fault, or a magic recipient's name."""
    timeline: Sequence[DeliveryStepView]


class TimelineRequest(View, frozen=True, kw_only=True):
    """The request that sent the message."""

    at: str
    type: str = "request"
    request_id: str
    decisions: Sequence[DecisionView] | UnsetType = UNSET
    """What was decided about it; as long as the request is in the journal, as `warnings` are."""
    warnings: Sequence[WarningView] | UnsetType = UNSET


class TimelineStatus(View, frozen=True, kw_only=True):
    """A change of one recipient's status."""

    at: str
    type: str = "status"
    to: str
    status: Status
    rule: str | UnsetType = UNSET
    """What decides the statuses that follow; only of `pending`, where something does."""


class TimelineWebhook(View, frozen=True, kw_only=True):
    """An attempt to send a webhook."""

    at: str
    type: str = "webhook"
    event: EventType
    attempt_id: str
    attempt: int
    url: str
    status: int | None
    error: str | None


TimelineEntry = TimelineRequest | TimelineStatus | TimelineWebhook


class MessageView(View, frozen=True, kw_only=True):
    """A message: what clients see, and what led to it.

    Members that only one channel has are UNSET in messages of the others.
    """

    id: str
    sid: str | None
    channel: Channel
    to: Sequence[str]
    from_: str = field(name="from")
    message: str
    content: str
    status: Status
    cost: Decimal
    currency: str
    developer_cost: Decimal
    developer_currency: str
    created_at: str
    updated_at: str
    scheduled_at: str | None
    sent_at: str | None
    callback_url: str | None
    recipients: Sequence[RecipientView]
    segments: int | UnsetType = UNSET
    """SMS, as `encoding`, `unicode_because_of` and `parts` are."""
    encoding: Encoding | UnsetType | None = UNSET
    unicode_because_of: str | UnsetType | None = UNSET
    subject: str | UnsetType | None = UNSET
    """Email, as `cc`, `bcc` and `html` are, and in lists `links`: those of its HTML."""
    cc: Sequence[str] | UnsetType = UNSET
    bcc: Sequence[str] | UnsetType = UNSET
    html: str | UnsetType | None = UNSET
    links: Sequence[str] | UnsetType = UNSET
    title: str | UnsetType | None = UNSET
    """Push, as `data`, `image_url`, `topic` and `own_devices` are."""
    data: Mapping[str, str] | UnsetType = UNSET
    image_url: str | UnsetType | None = UNSET
    topic: str | UnsetType | None = UNSET
    own_devices: bool | UnsetType = UNSET
    account: str
    account_id: str
    request_id: str
    traceparent: str | UnsetType = UNSET
    """The trace context that its request had, if any; its webhooks carry it."""
    timeline: Sequence[TimelineEntry]
    parts: Sequence[str] | UnsetType = UNSET
    """The texts of the segments; only where one message is read."""
    code: str | UnsetType | None = UNSET
    """The one-time code; where one message is read or waited for, as `codes` and all `links`."""
    codes: Sequence[str] | UnsetType = UNSET
    """Every number that can be the code, the most likely one first."""


class MessageSummary(View, frozen=True, kw_only=True, omit_defaults=True):
    """A message, as a list shows it: without its timelines, and of a long text the beginning."""

    id: str
    channel: Channel
    to: Sequence[str]
    from_: str = field(name="from")
    message: str
    truncated: bool = False
    """Whether the text is longer; absent if it is not."""
    status: Status
    cost: Decimal
    currency: str
    created_at: str
    scheduled_at: str | None
    recipients: Sequence[RecipientSummary]
    segments: int | UnsetType = UNSET
    """Only of an SMS, as `subject` is only of an email and `title` of a push."""
    subject: str | UnsetType | None = UNSET
    title: str | UnsetType | None = UNSET
    account: str
    account_id: str
    request_id: str
    warnings: int = 0
    """Of the request that sent it; absent without any, or where the journal no longer has it."""


SUMMARY_LENGTH: Final = 2000
"""Characters of a text in a summary, which are more than an SMS can have."""


def message_summary(
    message: Message, account: Account, form: AnswerForm, warnings: int
) -> MessageSummary:
    """Return a message as summaries show it, with the number of its request's warnings."""
    cost = _cost(message, form)
    return MessageSummary(
        id=form.message_id(message.id),
        channel=message.channel,
        to=message.to,
        from_=message.sender,
        message=message.text[:SUMMARY_LENGTH],
        truncated=len(message.text) > SUMMARY_LENGTH,
        status=message.status,
        cost=cost.amount,
        currency=cost.currency,
        created_at=iso_seconds(message.created_at),
        scheduled_at=_time(message.scheduled_at),
        recipients=[
            RecipientSummary(to=to, status=latest.status, reason=latest.reason)
            for to, latest in zip(
                message.recipients, message.timelines.latest_at(message.seen_at), strict=True
            )
        ],
        account=account.token_hint,
        account_id=account.public_id,
        request_id=message.request_id,
        warnings=warnings,
        **_summary_members(message),
    )


def message_view(
    message: Message,
    account: Account,
    form: AnswerForm,
    attempts: Sequence[Attempt] = (),
    entry: JournalEntry | None = None,
) -> MessageView:
    """Return a message as lists and events show it; `entry` is the journal's of its request."""
    cost, (message_id, sid) = _cost(message, form), form.ids(message.id)
    deliveries, developer_cost = message.deliveries, message.developer_cost
    status, updated_at = message.timelines.state_at(message.seen_at)
    return MessageView(
        id=message_id,
        sid=sid,
        channel=message.channel,
        to=message.to,
        from_=message.sender,
        message=message.text,
        content=message.content,
        status=status,
        cost=cost.amount,
        currency=cost.currency,
        developer_cost=developer_cost.amount,
        developer_currency=developer_cost.currency,
        created_at=iso_seconds(message.created_at),
        updated_at=iso_seconds(updated_at),
        scheduled_at=_time(message.scheduled_at),
        sent_at=_time(message.sent_at),
        callback_url=message.callback_url,
        recipients=[_recipient_view(delivery) for delivery in deliveries],
        account=account.token_hint,
        account_id=account.public_id,
        request_id=message.request_id,
        traceparent=message.traceparent or UNSET,
        timeline=_timeline(message, deliveries, attempts, entry),
        **_channel_members(message),
    )


def full_message_view(
    message: Message,
    account: Account,
    form: AnswerForm,
    attempts: Sequence[Attempt],
    entry: JournalEntry | None,
) -> MessageView:
    """Return a message with its webhook attempts, what was decided, and an SMS's segments."""
    view = message_view(message, account, form, attempts, entry)
    if message.channel is Channel.SMS:
        return replace(view, parts=split(message.text).parts)
    return view


def _cost(message: Message, form: AnswerForm) -> Money:
    return form.cost(message) if message.channel is Channel.SMS else message.developer_cost


def _channel_members(message: Message) -> dict[str, Any]:
    """Return the members that only messages of one channel have."""
    parts = message.parts
    members = _summary_members(message)
    if isinstance(parts, EmailParts):
        return members | {
            "cc": parts.cc,
            "bcc": parts.bcc,
            "html": parts.html,
            "links": parts.links,
        }
    if isinstance(parts, PushParts):
        return members | {
            "data": parts.data,
            "image_url": parts.image_url,
            "topic": parts.topic,
            "own_devices": parts.own_devices,
        }
    return members | {
        "encoding": message.encoding,
        "unicode_because_of": split(message.text).forced_by,
    }


def _summary_members(message: Message) -> dict[str, Any]:
    """Return those of them that summaries have as well."""
    if message.parts is None:
        return {"segments": message.segments}
    return {"subject" if isinstance(message.parts, EmailParts) else "title": message.title}


def _recipient_view(delivery: Delivery) -> RecipientView:
    return RecipientView(
        to=delivery.recipient,
        status=delivery.status,
        reason=delivery.reason,
        rule=delivery.rule or UNSET,
        timeline=[
            DeliveryStepView(status=status, at=iso_micros(at)) for status, at in delivery.history
        ],
    )


def _timeline(
    message: Message,
    deliveries: Sequence[Delivery],
    attempts: Sequence[Attempt],
    entry: JournalEntry | None,
) -> list[TimelineEntry]:
    """Return everything that happened, in order of time."""
    entries: list[tuple[Instant, TimelineEntry]] = [
        (message.created_at, _request_in_timeline(message, entry))
    ]
    for delivery in deliveries:
        for status, at in delivery.history:
            rule = delivery.rule if status is Status.PENDING else None
            view = TimelineStatus(
                at=iso_micros(at), to=delivery.recipient, status=status, rule=rule or UNSET
            )
            entries.append((at, view))
    entries += [(attempt.at, _attempt_in_timeline(attempt)) for attempt in reversed(attempts)]
    # Stable, so that what has the same time stays in the order of its causes.
    return [view for _, view in sorted(entries, key=itemgetter(0))]


def _request_in_timeline(message: Message, entry: JournalEntry | None) -> TimelineRequest:
    at = iso_micros(message.created_at)
    if entry is None:
        return TimelineRequest(at=at, request_id=message.request_id)
    return TimelineRequest(
        at=at,
        request_id=message.request_id,
        decisions=decision_views(entry),
        warnings=warning_views(entry),
    )


def _attempt_in_timeline(attempt: Attempt) -> TimelineWebhook:
    return TimelineWebhook(
        at=iso_micros(attempt.at),
        event=attempt.event,
        attempt_id=attempt.public_id,
        attempt=attempt.number,
        url=attempt.url,
        status=attempt.status,
        error=attempt.error,
    )


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else iso_seconds(instant)
