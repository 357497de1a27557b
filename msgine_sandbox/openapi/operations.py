"""What a document says of one call, beyond its path and method."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from msgine_sandbox.control.faults import MAX_RETRY_AFTER
from msgine_sandbox.model.errors import (
    ApiError,
    MethodNotAllowed,
    RateLimitExceeded,
    Unauthorized,
)
from msgine_sandbox.openapi.schemas import Schema, Schemas

JSON: Final = "application/json"
CallKey = tuple[str, str]
"""A method and a path."""


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a query."""

    name: str
    schema: Schema
    description: str


class ListOf(msgspec.Struct, frozen=True):
    """An answer with a list: of entries of one type, or of their summaries."""

    kinds: Sequence[type]
    may_be_large: bool = False
    """Whether it may end early, or not count to the end."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call."""

    summary: str | None = None
    """Without one, the handler's docstring says it."""
    answer: Any
    """What a success has as its body, if it is JSON: a type, a `ListOf`, or a schema."""
    accepted: Sequence[int] = ()
    """The statuses of success; without any, that of the route."""
    body: Any = None
    """A schema, or the type that the body is read as."""
    parameters: Sequence[Parameter] = ()
    errors: Sequence[type[ApiError]] = ()
    """The errors of this call, besides those of every call."""
    scope: str | None = None
    """The scope that the credential needs."""
    has_key: bool = False
    """Whether an idempotency key is taken."""
    needs_account: bool = False
    """Whether a control call is about one account, so that it needs a credential."""
    media_types: Sequence[str] = (JSON,)
    """Of a success; only JSON has a schema."""
    headers: Mapping[str, str] = {}
    """Those that a success has besides, with their values, unless it is JSON."""


def members(**properties: Schema) -> Schema:
    """Return the schema of an object that always has these members."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def answer_schema(answer: Any, schemas: Schemas) -> Schema | None:
    """Return the schema of what a call answers; None where it is no JSON."""
    if isinstance(answer, ListOf):
        return _list_schema(answer, schemas)
    return answer if answer is None or isinstance(answer, dict) else schemas.of(answer)


def _list_schema(answer: ListOf, schemas: Schemas) -> Schema:
    found = [schemas.of(each) for each in answer.kinds]
    properties: dict[str, Schema] = {
        "data": {"type": "array", "items": found[0] if len(found) == 1 else {"anyOf": found}},
        "total": whole(),
    }
    if answer.may_be_large:
        only_true = {"type": "boolean", "const": True}
        properties |= {"totalIsMinimum": only_true, "truncated": only_true}
    return {"type": "object", "properties": properties, "required": ["data", "total"]}


def whole(least: int = 0, most: int | None = None) -> Schema:
    """Return the schema of a whole number."""
    schema: Schema = {"type": "integer", "minimum": least}
    return schema if most is None else {**schema, "maximum": most}


def operation_id(method: str, path: str) -> str:
    """Return the name that generated clients have for a call, such as `postMessagesSms`."""
    words = re.findall(r"[A-Za-z]+", path.removeprefix("/_sandbox"))
    return method.lower() + "".join(map(str.capitalize, words or ["index"]))


def parameters_of(operation: Operation, path: str) -> list[dict[str, Any]]:
    """Return the parameters of a call, in its query and in its path."""
    found = [
        {"name": each.name, "in": "query", "schema": each.schema, "description": each.description}
        for each in operation.parameters
    ]
    in_path = re.findall(r"\{(\w+)\}", path)
    return found + [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in in_path
    ]


def own_headers(operation: Operation) -> dict[str, Any]:
    """Return the headers that a call's successes have besides those of all calls."""
    others = [each for each in operation.media_types if each != JSON]
    return {
        name: {
            "description": f"Of {' and '.join(others)}.",
            "required": JSON not in operation.media_types,
            "schema": {"type": "string", "const": value},
        }
        for name, value in operation.headers.items()
    }


def error_responses(
    errors: Iterable[type[ApiError]], examples: Mapping[tuple[int, str], Any], **headers: Any
) -> dict[str, Any]:
    """Return the responses of errors by status, with an example for each code.

    `examples` has bodies by status and code; for another code, the error's own text is shown.
    """
    by_status: dict[int, list[type[ApiError]]] = {}
    for each in errors:
        known = by_status.setdefault(each.status, [])
        if each.code not in {other.code for other in known}:
            known.append(each)
    return {
        str(status): _error_response(known, examples, headers)
        for status, known in sorted(by_status.items())
    }


def _error_response(
    errors: Sequence[type[ApiError]],
    examples: Mapping[tuple[int, str], Any],
    headers: Mapping[str, Any],
) -> dict[str, Any]:
    codes = [each.code for each in errors]
    status = errors[0].status
    own = {
        name: header(component)
        for name, component in _OF_ERRORS.items()
        if all(name in _raised(each).headers for each in errors)
    }
    return {
        "description": " ".join(f"`{each.code}`: {_sentence(each)}" for each in errors),
        "headers": {**headers, **own},
        "content": {
            JSON: {
                "schema": {
                    "allOf": [
                        {"$ref": "#/components/schemas/Error"},
                        {"properties": {"error": {"properties": {"code": {"enum": codes}}}}},
                    ]
                },
                "examples": {
                    each.code: {"value": examples.get((status, each.code)) or _example(each)}
                    for each in errors
                },
            }
        },
    }


def shared_responses(paths: Mapping[str, Any]) -> dict[str, Any]:
    """Return the errors that several operations answer with, by name; refer to them instead."""
    found = [
        (operation["responses"], status)
        for methods in paths.values()
        for operation in methods.values()
        for status in operation["responses"]
        if int(status) >= HTTPStatus.BAD_REQUEST
    ]
    counts = Counter(_as_text(responses[status]) for responses, status in found)
    names: dict[str, str] = {}
    shared: dict[str, Any] = {}
    for responses, status in found:
        text = _as_text(responses[status])
        if counts[text] > 1:
            if text not in names:
                others = sum(name.startswith(f"Status{status}") for name in shared)
                names[text] = f"Status{status}" + (f"_{others + 1}" if others else "")
                shared[names[text]] = responses[status]
            responses[status] = {"$ref": f"#/components/responses/{names[text]}"}
    return dict(sorted(shared.items()))


def _as_text(response: Any) -> str:
    return json.dumps(response, sort_keys=True)


def header(name: str) -> dict[str, str]:
    """Return the reference to a header of the document."""
    return {"$ref": f"#/components/headers/{name}"}


def _sentence(error: type[ApiError]) -> str:
    return " ".join((error.__doc__ or "").split())


def _raised(error: type[ApiError]) -> ApiError:
    """Return an error as it is answered, with its headers."""
    if issubclass(error, RateLimitExceeded):
        return error(60)
    return error([]) if issubclass(error, MethodNotAllowed) else error()


def _example(error: type[ApiError]) -> dict[str, Any]:
    raised = _raised(error)
    content: dict[str, Any] = {"code": raised.code, "message": raised.message}
    if isinstance(raised, RateLimitExceeded):
        content["retryAfter"] = raised.retry_after
    meta = {"requestId": "req_018f3a5b00c1d2e3", "timestamp": "2026-01-15T10:30:00Z"}
    return {"error": content, "meta": meta}


ERROR: Final = members(
    error={
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "details": {
                "type": "object",
                "description": "What is wrong: above all field, value and expected.",
            },
            "retryAfter": {**whole(0, MAX_RETRY_AFTER), "description": "Seconds; only of 429."},
        },
        "required": ["code", "message"],
    },
    meta=members(
        requestId={"type": "string", "description": "As in X-Request-Id."},
        timestamp={"type": "string", "format": "date-time"},
    ),
)
"""The envelope of every error."""

_OF_ERRORS: Final = {"WWW-Authenticate": "Authenticate", "Allow": "Allow"}
"""The headers that some errors always have, and how the document names each."""

HEADERS: Final[Mapping[str, Any]] = {
    "RequestId": {
        "description": "The id of the request in the journal.",
        "schema": {"type": "string"},
    },
    "RateLimit": {"description": "Requests allowed in a minute.", "schema": whole()},
    "RateLimitRemaining": {"description": "Requests that are left.", "schema": whole()},
    "RateLimitReset": {
        "description": "When the oldest request of the minute stops counting, in Unix seconds.",
        "schema": whole(),
    },
    "RetryAfter": {
        "description": (
            "Seconds to wait: always of 429, and of another error where a fault has `retryAfter`."
        ),
        "schema": whole(0, MAX_RETRY_AFTER),
    },
    "Authenticate": {
        "description": "How to send the credential.",
        "required": True,
        "schema": {"type": "string", "const": Unauthorized().headers["WWW-Authenticate"]},
    },
    "Allow": {
        "description": "The methods that the path has.",
        "required": True,
        "schema": {"type": "string"},
    },
    "IdempotentReplayed": {
        "description": "On an answer that was stored for the idempotency key.",
        "schema": {"type": "string", "const": "true"},
    },
    "Warning": {
        "description": "Codes of warnings about the client; MsGine does not send it.",
        "schema": {"type": "string"},
    },
}
