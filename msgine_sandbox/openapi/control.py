"""The OpenAPI document of the control API, from its routes and its structs."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from inspect import getdoc
from typing import Any, Final

from msgine_sandbox.asgi.routing import Handler, Routes
from msgine_sandbox.asgi.security import ACCOUNT_HEADER, CONTROL_HEADER
from msgine_sandbox.control import (
    accounts,
    clock,
    contents,
    estimate,
    events,
    faults,
    journal,
    message_html,
    messages,
    scenario_bodies,
    views,
    webhooks,
)
from msgine_sandbox.control import sandbox as whole_sandbox
from msgine_sandbox.control.attempt_views import AttemptSummary, AttemptView
from msgine_sandbox.control.contents import MessagePart
from msgine_sandbox.control.lists import Detail
from msgine_sandbox.control.message_views import MessageSummary, MessageView
from msgine_sandbox.control.report import ReportView
from msgine_sandbox.model import errors
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.openapi.index import IndexView
from msgine_sandbox.openapi.operations import (
    ERROR,
    HEADERS,
    JSON,
    CallKey,
    ListOf,
    Operation,
    Parameter,
    answer_schema,
    error_responses,
    header,
    operation_id,
    own_headers,
    parameters_of,
    shared_responses,
    whole,
)
from msgine_sandbox.openapi.schemas import Schema, Schemas
from msgine_sandbox.services.journal import RequestOutcome
from msgine_sandbox.version import __version__

_TEXT: Final[Schema] = {"type": "string"}
_WORDS: Final[Schema] = {"type": "string", "minLength": 1}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_EVERYWHERE: Final = (
    errors.InvalidRequest,
    errors.Unauthorized,
    errors.Forbidden,
    errors.NotFound,  # an account or an entry that is named by an id
    errors.RequestTimedOut,
    errors.PayloadTooLarge,
    errors.UriTooLong,
    errors.UnsupportedMediaType,
    errors.MisdirectedRequest,
    errors.HeaderFieldsTooLarge,
    errors.InternalError,
    errors.TransferCodingUnknown,
    errors.ServiceUnavailable,
)


def _choice(name: str, kind: type[StrEnum], description: str) -> Parameter:
    return Parameter(name, {"type": "string", "enum": [str(each) for each in kind]}, description)


def _limit(default: int, most: int) -> Parameter:
    return Parameter("limit", whole(1, most), f"How many to return, {default} if absent.")


_VIEW: Final = _choice("view", Detail, "Without what makes a list large.")
_BEFORE: Final = Parameter("before", _TEXT, "Read on after the entry with this id.")
_SINCE: Final = Parameter("since", _TIME, "At or after this time, on the account's clock.")
_SEARCH: Final = (
    Parameter("id", _TEXT, "The message with this id."),
    _choice("channel", Channel, "Of this channel."),
    _BEFORE,
    Parameter("to", _WORDS, "To this recipient."),
    _choice("status", Status, "With this status."),
    Parameter("q", _WORDS, "With this text anywhere."),
    Parameter("contains", _WORDS, "With this text in the text or title."),
    Parameter("matches", _WORDS, "Whose text or title has this regular expression."),
    _SINCE,
)


CALLS: Final[Mapping[CallKey, Operation]] = {
    ("GET", "/_sandbox"): Operation(
        summary="Return the paths of this sandbox, its documents and calls.", answer=IndexView
    ),
    ("GET", "/_sandbox/health"): Operation(
        summary="Return that the sandbox answers, and its version.", answer=views.HealthView
    ),
    ("GET", "/_sandbox/definitions"): Operation(answer=whole_sandbox.DefinitionsView),
    ("GET", "/_sandbox/magic"): Operation(answer=ListOf((views.MagicRecipientView,))),
    ("POST", "/_sandbox/reset"): Operation(answer=views.StatusView),
    ("GET", "/_sandbox/coverage"): Operation(answer=views.CoverageView),
    ("GET", "/_sandbox/report"): Operation(
        answer=ReportView,
        parameters=(_choice("format", whole_sandbox.ReportFormat, "JSON if absent."),),
        media_types=(JSON, "text/markdown"),
    ),
    ("GET", "/_sandbox/metrics"): Operation(answer=None, media_types=("text/plain",)),
    ("GET", "/_sandbox/account"): Operation(answer=accounts.AccountView, needs_account=True),
    ("PATCH", "/_sandbox/account"): Operation(
        answer=accounts.AccountView,
        body=accounts.AccountBody,
        errors=(errors.InvalidSenderId,),
        needs_account=True,
    ),
    ("GET", "/_sandbox/accounts"): Operation(
        answer=ListOf((accounts.AccountView,)),
        parameters=(
            Parameter("q", _WORDS, "Whose name or masked token has this text, in either case."),
            _limit(accounts.DEFAULT_LIMIT, accounts.MAX_LIMIT),
        ),
    ),
    ("GET", "/_sandbox/messages"): Operation(
        answer=ListOf((MessageView, MessageSummary), may_be_large=True),
        parameters=(*_SEARCH, _limit(messages.DEFAULT_LIMIT, messages.MAX_LIMIT), _VIEW),
    ),
    ("DELETE", "/_sandbox/messages"): Operation(answer=views.DeletedView),
    ("GET", "/_sandbox/messages/wait"): Operation(
        answer=MessageView,
        parameters=(
            *_SEARCH,
            Parameter(
                "timeout",
                {"type": "number", "minimum": 0, "maximum": messages.MAX_WAIT},
                f"Seconds of real time, {messages.DEFAULT_WAIT} if absent.",
            ),
            Parameter("jump", {"type": "boolean"}, "Whether to move the clock to the status."),
            _choice("field", MessagePart, "Return only this, as plain text."),
        ),
        errors=(errors.WaitTimedOut,),
        media_types=(JSON, "text/plain"),
        headers=contents.HEADERS,
    ),
    ("GET", "/_sandbox/messages/count"): Operation(answer=views.CountView, parameters=_SEARCH),
    ("POST", "/_sandbox/messages/estimate"): Operation(
        answer=estimate.EstimateView, body=estimate.EstimateBody
    ),
    ("GET", "/_sandbox/messages/{id}"): Operation(answer=MessageView),
    ("DELETE", "/_sandbox/messages/{id}"): Operation(answer=views.DeletedView),
    ("GET", "/_sandbox/messages/{id}/html"): Operation(
        answer=None,
        parameters=(Parameter("ticket", _TEXT, "Instead of the control token."),),
        media_types=("text/html",),
        headers=message_html.HEADERS,
    ),
    ("POST", "/_sandbox/messages/{id}/ticket"): Operation(answer=message_html.TicketView),
    ("POST", "/_sandbox/messages/{id}/status"): Operation(
        answer=MessageView, body=messages.StatusBody
    ),
    ("GET", "/_sandbox/scenario"): Operation(
        answer=scenario_bodies.ScenarioBody, needs_account=True
    ),
    ("PUT", "/_sandbox/scenario"): Operation(
        answer=views.StatusView,
        body=scenario_bodies.ScenarioBody,
        errors=(errors.InvalidPhoneNumber, errors.InvalidMessage, errors.InvalidSenderId),
        needs_account=True,
    ),
    ("GET", "/_sandbox/clock"): Operation(answer=clock.FullClockView),
    ("POST", "/_sandbox/clock/advance"): Operation(
        answer=clock.FullClockView, body=clock.AdvanceBody
    ),
    ("POST", "/_sandbox/clock/freeze"): Operation(answer=clock.FullClockView),
    ("POST", "/_sandbox/clock/resume"): Operation(answer=clock.FullClockView),
    ("GET", "/_sandbox/faults"): Operation(answer=ListOf((views.FaultView,))),
    ("POST", "/_sandbox/faults"): Operation(
        answer=views.FaultView,
        body=faults.RequestFaultBody | faults.WebhookFaultBody | faults.DeliveryFaultBody,
        accepted=(201,),
    ),
    ("DELETE", "/_sandbox/faults"): Operation(answer=views.DeletedView),
    ("GET", "/_sandbox/faults/{id}"): Operation(answer=views.FaultView),
    ("DELETE", "/_sandbox/faults/{id}"): Operation(answer=views.DeletedView),
    ("GET", "/_sandbox/requests"): Operation(
        answer=ListOf((journal.EntryView, journal.EntrySummary), may_be_large=True),
        parameters=(
            Parameter("method", _WORDS, "With this method."),
            Parameter("path", _WORDS, "With this text in the path."),
            Parameter("status", _TEXT, "Answered with this status, or with one such as 4xx."),
            _choice("outcome", RequestOutcome, "Refused: answered with an error, or not at all."),
            _choice("warning", WarningCode, "With this warning."),
            _SINCE,
            _BEFORE,
            _limit(journal.DEFAULT_LIMIT, journal.MAX_LIMIT),
            _VIEW,
        ),
    ),
    ("DELETE", "/_sandbox/requests"): Operation(answer=views.DeletedView),
    ("GET", "/_sandbox/requests/{id}"): Operation(answer=journal.EntryView),
    ("GET", "/_sandbox/events"): Operation(
        answer=None, media_types=("text/event-stream",), headers=events.HEADERS
    ),
    ("GET", "/_sandbox/webhooks"): Operation(answer=views.EndpointsView),
    ("PUT", "/_sandbox/webhooks"): Operation(
        answer=views.EndpointsView, body=webhooks.EndpointsBody, needs_account=True
    ),
    ("GET", "/_sandbox/webhooks/attempts"): Operation(
        answer=ListOf((AttemptView, AttemptSummary), may_be_large=True),
        parameters=(
            Parameter("messageId", _TEXT, "Of this message."),
            Parameter("status", _TEXT, "Answered with this status, one such as 5xx, or none."),
            _choice("outcome", webhooks.OutcomeChoice, "Accepted by the receiver or not."),
            _choice("event", EventType, "Of this event."),
            Parameter("url", _WORDS, "With this text in the URL."),
            _BEFORE,
            _limit(webhooks.DEFAULT_LIMIT, webhooks.MAX_LIMIT),
            _VIEW,
        ),
    ),
    ("GET", "/_sandbox/webhooks/attempts/{id}"): Operation(answer=AttemptView),
    ("POST", "/_sandbox/webhooks/attempts/{id}/resend"): Operation(answer=AttemptView),
}
"""What each call reads and answers; its path, method and summary are those of its route."""

_OPEN: Final = frozenset({"/_sandbox", "/_sandbox/health"})
"""What needs no credential, and no control token."""
NOT_DESCRIBED: Final = frozenset({"/_sandbox/openapi.json"})
"""The document itself."""


_RULES: Final[Mapping[type, Schema]] = {
    clock.AdvanceBody: {
        "oneOf": [
            {"required": ["seconds"], "properties": {"seconds": {"type": "number", "minimum": 0}}},
            {"required": ["to"], "properties": {"to": {"type": "string"}}},
            {"required": ["until"], "properties": {"until": {"type": "string"}}},
        ]
    },
    faults.RequestEffectBody: {
        "anyOf": [
            {"required": ["status"], "properties": {"status": {"type": "integer"}}},
            {
                "required": ["delay"],
                "properties": {"delay": {"type": "number", "exclusiveMinimum": 0}},
            },
            {"required": ["drop"], "properties": {"drop": {"type": "string"}}},
            {"required": ["malformed"], "properties": {"malformed": {"const": True}}},
        ]
    },
}
"""Which fields of a body go together: null is the same as absent."""


def control_document(routes: Sequence[Routes], root: str) -> dict[str, Any]:
    """Return the document of the control API that the routes serve.

    Raises:
        KeyError: a call is missing for a route.
    """
    schemas = Schemas()
    schemas.components["Error"] = ERROR
    paths: dict[str, Any] = {}
    for path, method, handler in control_calls(routes):
        operation = CALLS[method, path]
        paths.setdefault(path, {})[method.lower()] = {
            "operationId": operation_id(method, path),
            **_described(operation, path, handler, schemas),
        }
    responses = shared_responses(paths)
    for kind, rules in _RULES.items():
        schemas.components[kind.__name__] |= rules
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The control API of msgine-sandbox",
            "version": __version__,
            "summary": "What only a sandbox has: messages, time, faults, webhooks, requests.",
            "description": _ABOUT,
        },
        "servers": [{"url": root or "/"}],
        "security": [
            {},
            {"bearer": []},
            {"apiKey": []},
            {"account": []},
            {"controlToken": []},
            {"controlToken": [], "bearer": []},
        ],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": responses,
            "headers": {name: HEADERS[name] for name in ("RequestId", "Authenticate")},
            "securitySchemes": _SECURITY,
        },
    }


def control_calls(routes: Sequence[Routes]) -> list[tuple[str, str, Handler]]:
    """Return the path, method and handler of every call that has a place in the document."""
    return [
        (each.path, method, handler)
        for known in routes
        for each in known.resources
        if each.path.startswith("/_sandbox") and each.path not in NOT_DESCRIBED
        for method, handler in sorted(each.handlers.items())
        if method != "HEAD"
    ]


def _described(
    operation: Operation, path: str, handler: Handler, schemas: Schemas
) -> dict[str, Any]:
    """Return an operation as the document has it."""
    answer, text = answer_schema(operation.answer, schemas), getdoc(handler) or ""
    headers = {"X-Request-Id": header("RequestId")}
    described: dict[str, Any] = {
        "summary": operation.summary or " ".join(text.partition("\n\n")[0].split()),
        "parameters": parameters_of(operation, path),
        "responses": {
            str(status): {
                "description": "Done.",
                "headers": {**headers, **own_headers(operation)},
                "content": {
                    media_type: {"schema": answer} if media_type == JSON else {}
                    for media_type in operation.media_types
                },
            }
            for status in operation.accepted or (200,)
        }
        | error_responses((*_EVERYWHERE, *operation.errors), {}, **headers),
    }
    if operation.body is not None:
        content = {JSON: {"schema": schemas.of(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if path in _OPEN:
        described["security"] = [{}]
    elif operation.needs_account:
        described["security"] = [{"bearer": []}, {"apiKey": []}, {"account": []}]
    return described


_ABOUT: Final = (
    "The credential chooses the account, as in the API itself; without one, a call is about the"
    " whole sandbox. What each call does is at /docs/control. Nothing here counts against the rate"
    " limit, and no fault acts on it."
)
_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "account": {
        "type": "apiKey",
        "in": "header",
        "name": ACCOUNT_HEADER,
        "description": "Names an account by its id.",
    },
    "controlToken": {
        "type": "apiKey",
        "in": "header",
        "name": CONTROL_HEADER,
        "description": "Where the sandbox was started with --control-token.",
    },
}
