"""What the control API returns of each noun: in full, and to the microsecond."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from msgine_sandbox.model.account import Account, Limits
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import SECOND, Clock, Instant, iso_micros, iso_seconds
from msgine_sandbox.model.fault import Effect, Fault, WebhookEffect
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.message import PREFIX, Delivery, EmailParts, Message, PushParts
from msgine_sandbox.model.segments import split
from msgine_sandbox.model.webhook import Attempt, AttemptHttp, Endpoint

Json = dict[str, Any]


def message_view(
    message: Message,
    account: Account,
    attempts: Sequence[Attempt] = (),
    decisions: Mapping[str, Any] = MappingProxyType({}),
) -> Json:
    """Return a message in full: what clients see, and what led to it.

    `decisions` is what the journal has about its request.
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
        **_channel_members(message),
        "account": account.token_hint,
        "accountId": account.public_id,
        "requestId": message.request_id,
        "timeline": _timeline(message, attempts, decisions),
    }


def _channel_members(message: Message) -> Json:
    """Return the members that only messages of one channel have."""
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


def account_view(account: Account) -> Json:
    """Return an account, with its token masked."""
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
            channel: account.developer_price(channel).amount for channel in Channel
        },
    }


def windows_view(limits: Limits, remaining: tuple[int, int]) -> Json:
    """Return what the rate-limit windows have left; null where there is no limit."""
    allowed = {"minute": limits.per_minute, "second": limits.per_second}
    return {
        name: None if limit is None else {"limit": limit, "remaining": left}
        for (name, limit), left in zip(allowed.items(), remaining, strict=True)
    }


def clock_view(clock: Clock, now: Instant, real: Instant) -> Json:
    """Return a clock with its time and the real time."""
    return {
        "now": iso_micros(now),
        "realNow": iso_micros(real),
        "frozen": clock.frozen_at is not None,
        "aheadSeconds": (now - real) / SECOND,
    }


def endpoint_view(endpoint: Endpoint) -> Json:
    """Return an endpoint, with its secret."""
    return {"url": endpoint.url, "events": endpoint.events, "secret": endpoint.secret}


def attempt_view(attempt: Attempt) -> Json:
    """Return an attempt with its request and response."""
    return {
        "id": attempt.public_id,
        "event": attempt.event,
        "messageId": format_id(PREFIX, attempt.message),
        "url": attempt.url,
        "attempt": attempt.number,
        "at": iso_micros(attempt.at),
        "status": attempt.status,
        "durationMs": attempt.duration_ms,
        "error": attempt.error,
        "request": _http_view(attempt.request),
        "response": None if attempt.response is None else _http_view(attempt.response),
    }


def fault_view(fault: Fault) -> Json:
    """Return a fault, with how often it has acted."""
    return {
        "id": fault.public_id,
        "match": msgspec.to_builtins(fault.match),
        "effect": effect_view(fault.effect),
        "times": fault.times,
        "left": fault.left,
        "hits": fault.hits,
        "probability": fault.probability,
        "seed": fault.seed,
        "magic": fault.magic,
    }


def effect_view(effect: Effect) -> Json:
    """Return an effect as it was asked for."""
    if isinstance(effect, WebhookEffect):
        view: Json = {"webhook": effect.mode, "delay": effect.delay or None}
    else:
        drop = "after" if effect.commit else "before"
        view = {
            "status": effect.status,
            "code": effect.code,
            "retryAfter": effect.retry_after,
            "delay": effect.delay or None,
            "drop": drop if effect.drop else None,
            "malformed": effect.malformed or None,
            "commit": (effect.commit and not effect.drop) or None,
        }
    return {name: value for name, value in view.items() if value is not None}


def list_view(data: Sequence[Json], total: int) -> Json:
    """Return a list of the control API."""
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
    message: Message, attempts: Sequence[Attempt], decisions: Mapping[str, Any]
) -> list[Json]:
    request = {"type": "request", "requestId": message.request_id, **decisions}
    statuses = [
        (at, {"type": "status", "to": delivery.recipient, "status": status})
        for delivery in message.deliveries
        for status, at in delivery.history
    ]
    webhooks = [(attempt.at, _attempt_entry(attempt)) for attempt in reversed(attempts)]
    entries = sorted(
        [(message.created_at, request), *statuses, *webhooks], key=lambda entry: entry[0]
    )
    return [{"at": iso_micros(at)} | content for at, content in entries]


def _attempt_entry(attempt: Attempt) -> Json:
    return {
        "type": "webhook",
        "event": attempt.event,
        "attemptId": attempt.public_id,
        "attempt": attempt.number,
        "url": attempt.url,
        "status": attempt.status,
        "error": attempt.error,
    }


def _http_view(http: AttemptHttp) -> Json:
    return {"headers": http.headers, "body": http.body}
