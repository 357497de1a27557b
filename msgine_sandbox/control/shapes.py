"""How the control API writes things: in full, and to the microsecond."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from msgine_sandbox.model.account import Account, Limits
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import SECOND, Clock, Instant, iso_micros, iso_seconds
from msgine_sandbox.model.fault import Effect, Fault, WebhookEffect
from msgine_sandbox.model.ids import written
from msgine_sandbox.model.message import PREFIX, Delivery, Message
from msgine_sandbox.model.parts import EmailParts, PushParts
from msgine_sandbox.model.segments import split
from msgine_sandbox.model.webhook import Attempt, Endpoint, Exchange

Json = dict[str, Any]


def message_shape(
    message: Message,
    account: Account,
    attempts: Sequence[Attempt] = (),
    decided: Mapping[str, Any] = MappingProxyType({}),
) -> Json:
    """Write a message's full view: what clients see, and why it is so.

    `decided` is what the journal knows of its request.
    """
    cost = message.cost if message.channel is Channel.SMS else message.developer_cost
    return {
        "id": message.public_id,
        "sid": message.sid,
        "channel": message.channel,
        "to": message.to,
        "from": message.sender,
        "message": message.text,
        "content": message.content,
        "status": message.status,
        "cost": cost.amount,
        "currency": cost.currency,
        "developerCost": message.developer_cost.amount,
        "developerCurrency": message.developer_cost.currency,
        "createdAt": iso_seconds(message.created_at),
        "updatedAt": iso_seconds(message.updated_at),
        "scheduledAt": _time(message.scheduled_at),
        "sentAt": _time(message.sent_at),
        "callbackUrl": message.callback_url,
        "recipients": [_recipient(delivery) for delivery in message.deliveries],
        **_only(message),
        "account": account.token_hint,
        "accountId": account.public_id,
        "requestId": message.request_id,
        "timeline": _timeline(message, attempts, decided),
    }


def _only(message: Message) -> Json:
    """Write what only messages of one channel have."""
    parts = message.parts
    if isinstance(parts, EmailParts):
        return {
            "subject": message.title,
            "cc": parts.cc,
            "bcc": parts.bcc,
            "html": parts.html,
            "links": parts.links,
        }
    if isinstance(parts, PushParts):
        return {
            "title": message.title,
            "data": parts.data,
            "imageUrl": parts.image_url,
            "topic": parts.topic,
        }
    return {
        "segments": message.segments,
        "encoding": message.encoding,
        "unicodeBecauseOf": split(message.text).forced_by,
    }


def account_shape(account: Account) -> Json:
    """Write an account; its token masked."""
    return {
        "token": account.token_hint,
        "tier": account.tier,
        "limits": {
            "perMinute": account.limits.per_minute,
            "perSecond": account.limits.per_second,
        },
        "scopes": account.scopes,
        "senderId": account.sender_id,
        "currency": account.price.currency,
        "price": account.price.amount,
        "developerPrices": {
            channel: account.developer_prices.of(channel).amount for channel in Channel
        },
    }


def windows_shape(limits: Limits, left: tuple[int, int]) -> Json:
    """Write what the rate windows have left; null where there is no limit."""
    allowed = {"minute": limits.per_minute, "second": limits.per_second}
    return {
        name: None if limit is None else {"limit": limit, "remaining": remaining}
        for (name, limit), remaining in zip(allowed.items(), left, strict=True)
    }


def clock_shape(clock: Clock, now: Instant, real: Instant) -> Json:
    """Write a clock."""
    return {
        "now": iso_micros(now),
        "realNow": iso_micros(real),
        "frozen": clock.frozen_at is not None,
        "aheadSeconds": (now - real) / SECOND,
    }


def endpoint_shape(endpoint: Endpoint) -> Json:
    """Write an endpoint of the account."""
    return {"url": endpoint.url, "events": endpoint.events, "secret": endpoint.secret}


def attempt_shape(attempt: Attempt) -> Json:
    """Write a try to send a webhook."""
    return {
        "id": attempt.public_id,
        "event": attempt.event,
        "messageId": written(PREFIX, attempt.message),
        "url": attempt.url,
        "attempt": attempt.number,
        "at": iso_micros(attempt.at),
        "status": attempt.status,
        "durationMs": attempt.duration_ms,
        "error": attempt.error,
        "request": _exchange(attempt.request),
        "response": None if attempt.response is None else _exchange(attempt.response),
    }


def fault_shape(fault: Fault) -> Json:
    """Write a fault, with how often it has acted."""
    return {
        "id": fault.public_id,
        "match": msgspec.to_builtins(fault.match),
        "effect": effect_shape(fault.effect),
        "times": fault.times,
        "left": fault.left,
        "hits": fault.hits,
        "probability": fault.probability,
        "seed": fault.seed,
        "magic": fault.magic,
    }


def effect_shape(effect: Effect) -> Json:
    """Write what is to happen, as it was asked for."""
    if isinstance(effect, WebhookEffect):
        told: Json = {"webhook": effect.telling, "delay": effect.delay or None}
    else:
        done = "after" if effect.commit else "before"
        told = {
            "status": effect.status,
            "code": effect.code,
            "retryAfter": effect.retry_after,
            "delay": effect.delay or None,
            "drop": done if effect.drop else None,
            "malformed": effect.malformed or None,
            "commit": (effect.commit and not effect.drop) or None,
        }
    return {name: value for name, value in told.items() if value is not None}


def list_shape(data: Sequence[Json], total: int) -> Json:
    """Write a list of the control API."""
    return {"data": data, "total": total}


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else iso_seconds(instant)


def _recipient(delivery: Delivery) -> Json:
    return {
        "to": delivery.recipient,
        "status": delivery.status,
        "reason": delivery.reason,
        "timeline": [{"status": status, "at": iso_micros(at)} for status, at in delivery.history],
    }


def _timeline(
    message: Message, attempts: Sequence[Attempt], decided: Mapping[str, Any]
) -> list[Json]:
    asked = {"type": "request", "requestId": message.request_id, **decided}
    request = (message.created_at, asked)
    statuses = [
        (at, {"type": "status", "to": delivery.recipient, "status": status})
        for delivery in message.deliveries
        for status, at in delivery.history
    ]
    webhooks = [(attempt.at, _webhook(attempt)) for attempt in reversed(attempts)]
    entries = sorted([request, *statuses, *webhooks], key=lambda entry: entry[0])
    return [{"at": iso_micros(at)} | content for at, content in entries]


def _webhook(attempt: Attempt) -> Json:
    return {
        "type": "webhook",
        "event": attempt.event,
        "attemptId": attempt.public_id,
        "attempt": attempt.number,
        "url": attempt.url,
        "status": attempt.status,
        "error": attempt.error,
    }


def _exchange(exchange: Exchange) -> Json:
    return {"headers": exchange.headers, "body": exchange.body}
