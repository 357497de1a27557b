"""What the document of both APIs says of each call."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_type_hints

from msgine_sandbox.api import analytics, developers, handlers, messages
from msgine_sandbox.api.schema import MessageCodec
from msgine_sandbox.model import errors
from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.recipients import MAX_TARGET, Platform
from msgine_sandbox.openapi.operations import CallKey, Operation, Parameter, members, whole
from msgine_sandbox.openapi.schemas import Schema, Schemas, body_schema

_TEXT: Final[Schema] = {"type": "string"}
_TOKEN: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": MAX_TARGET}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_DAY: Final[Schema] = {"anyOf": [_DATE, {"type": "string", "format": "date-time"}]}
_MONEY: Final[Schema] = {"type": "number"}

_REFUSALS: Final = (errors.InvalidPhoneNumber, errors.InvalidMessage, errors.InvalidSenderId)
"""What else is wrong with a message that is to be sent."""
_COUNTS: Final = {"sent": whole(), "delivered": whole(), "failed": whole()}
_PAID: Final = members(**_COUNTS, cost=_MONEY)
_PAGE: Final = (
    Parameter("page", whole(1, handlers.MAX_PAGE), "Which page; the first is 1, the default."),
    Parameter(
        "limit",
        whole(1, handlers.MAX_LIMIT),
        f"Messages a page, {handlers.DEFAULT_LIMIT} if absent.",
    ),
)
_NAMED: Final[Mapping[Channel, str]] = {
    Channel.SMS: "an SMS",
    Channel.EMAIL: "an email",
    Channel.PUSH: "a push",
}


def public_operations(schemas: Schemas, answers: Answers) -> Mapping[CallKey, Operation]:
    """Return every call of both APIs; their answers refer to the schemas."""
    return {
        **_messages_api(schemas, answers),
        **_developers_api(schemas),
        **_devices_api(schemas),
        **_ANALYTICS_API,
    }


def _messages_api(schemas: Schemas, answers: Answers) -> Mapping[CallKey, Operation]:
    sms = schemas.of(messages.TextMessage)
    schemas.narrow(messages.TextMessage, channel=[Channel.SMS], status=messages.STATUSES)
    counts = members(page=whole(1), limit=whole(1), total=whole(), pages=whole())
    return {
        ("POST", "/messages/sms"): _send(Channel.SMS, messages.CODECS[answers], schemas),
        ("GET", "/messages"): _read(
            "List SMS, newest first",
            members(data={"type": "array", "items": sms}, pagination=counts),
            _PAGE,
        ),
        ("GET", "/messages/{id}"): _read("Read an SMS", sms, errors=(errors.NotFound,)),
        ("GET", "/account"): Operation(
            summary="Read nothing but the rate-limit headers", answer={"type": "object"}
        ),
    }


def _developers_api(schemas: Schemas) -> Mapping[CallKey, Operation]:
    views = {channel: _view_of(codec, schemas) for channel, codec in developers.CODECS.items()}
    any_of = list({str(view): view for view in views.values()}.values())
    channels = {
        kind: [each for each, codec in developers.CODECS.items() if _kind_of(codec) is kind]
        for kind in map(_kind_of, developers.CODECS.values())
    }
    for kind, shown in channels.items():
        schemas.narrow(kind, channel=shown)
    counts = {"total": whole(), "page": whole(1), "pages": whole()}
    return {
        **{
            ("POST", f"/developers/{channel}"): _send(channel, codec, schemas)
            for channel, codec in developers.CODECS.items()
        },
        **{
            ("GET", f"/developers/{channel}/history"): _read(
                f"List what was sent by {channel}, newest first",
                members(
                    **{developers.listed_as(channel): {"type": "array", "items": view}}, **counts
                ),
                _PAGE,
            )
            for channel, view in views.items()
        },
        ("GET", "/developers/{id}"): _read(
            "Read a message of any channel", {"anyOf": any_of}, errors=(errors.NotFound,)
        ),
    }


def _devices_api(schemas: Schemas) -> Mapping[CallKey, Operation]:
    platform = schemas.of(Platform)
    path = "/developers/push/device"
    return {
        ("POST", path): Operation(
            summary="Register a device for push, or update it",
            body={
                "type": "object",
                "properties": {
                    "token": _TOKEN,
                    "platform": platform,
                    "deviceId": {"type": ["string", "null"], "description": "It has no effect."},
                },
                "required": ["token", "platform"],
            },
            answer=members(
                id=_TEXT,
                platform=platform,
                isActive={"type": "boolean"},
                createdAt={"type": "string", "format": "date-time"},
            ),
            accepted=(200, 201),
            errors=(errors.IdempotencyKeyReused,),
            scope=Scope.SEND_PUSH,
            has_key=True,
        ),
        ("DELETE", path): Operation(
            summary="Remove a device",
            body=members(token=_TOKEN),
            answer=members(message=_TEXT),
            errors=(errors.NotFound,),
            scope=Scope.SEND_PUSH,
        ),
    }


def _send(channel: Channel, codec: MessageCodec[Any], schemas: Schemas) -> Operation:
    return Operation(
        summary=f"Send {_NAMED[channel]}",
        body=body_schema(codec.fields),
        answer=_view_of(codec, schemas),
        errors=(*_REFUSALS, errors.IdempotencyKeyReused),
        scope=TRAITS[channel].scope,
        has_key=True,
    )


def _view_of(codec: MessageCodec[Any], schemas: Schemas) -> Schema:
    return schemas.of(_kind_of(codec))


def _kind_of(codec: MessageCodec[Any]) -> type:
    kind: type = get_type_hints(codec.view)["return"]
    return kind


def _read(
    summary: str,
    answer: Schema,
    parameters: Sequence[Parameter] = (),
    errors: Sequence[type[errors.ApiError]] = (),
) -> Operation:
    return Operation(
        summary=summary,
        answer=answer,
        parameters=parameters,
        errors=errors,
        scope=Scope.READ_MESSAGES,
    )


_ANALYTICS_API: Final[Mapping[CallKey, Operation]] = {
    ("GET", "/developers/analytics/overview"): _read(
        "Sum up a period",
        members(
            period=members(**{"from": _DATE, "to": _DATE}),
            totals=members(**_COUNTS, cost=_MONEY, currency=_TEXT),
            channels={
                "type": "object",
                "description": "Of the channels that were ever used.",
                "properties": {
                    "sms": _PAID,
                    "email": _PAID,
                    "push": members(sent=whole(), failed=whole(), partial=whole()),
                },
            },
        ),
        (
            Parameter("from", _DAY, "The first day; 29 days before the last one if absent."),
            Parameter("to", _DAY, "The last day; today if absent."),
        ),
    ),
    ("GET", "/developers/analytics/daily"): _read(
        "Sum up each of the latest days",
        members(
            days=whole(1, analytics.MAX_DAYS),
            data={
                "type": "array",
                "items": members(
                    date=_DATE,
                    sms=_PAID,
                    email=_PAID,
                    push=members(sent=whole(), failed=whole()),
                ),
            },
        ),
        (
            Parameter(
                "days",
                whole(1, analytics.MAX_DAYS),
                f"How many, {analytics.DEFAULT_DAYS} if absent.",
            ),
        ),
    ),
}
