"""The OpenAPI document of both APIs, from their routes and the tables that bodies are read by."""

from collections.abc import Sequence
from typing import Any, Final

from msgine_sandbox.asgi.routing import Routes
from msgine_sandbox.model import errors, idempotency
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.openapi.examples import Example, examples
from msgine_sandbox.openapi.operations import (
    ERROR,
    HEADERS,
    JSON,
    Operation,
    error_responses,
    header,
    operation_id,
    parameters_of,
    shared_responses,
)
from msgine_sandbox.openapi.public_operations import public_operations
from msgine_sandbox.openapi.schemas import Schemas
from msgine_sandbox.services.webhooks.sender import Payload
from msgine_sandbox.settings import BASE_PATH
from msgine_sandbox.version import __version__

_EVERYWHERE: Final = (
    errors.InvalidRequest,
    errors.Unauthorized,
    errors.Forbidden,
    errors.RequestTimedOut,
    errors.PayloadTooLarge,
    errors.UriTooLong,
    errors.UnsupportedMediaType,
    errors.MisdirectedRequest,
    errors.RateLimitExceeded,
    errors.HeaderFieldsTooLarge,
    errors.InternalError,
    errors.TransferCodingUnknown,
    errors.BadGateway,
    errors.ServiceUnavailable,
)
"""The errors of every call: of HTTP, of the account, and those that only faults cause."""
_OF_EVERY_ANSWER: Final = {
    "X-Request-Id": header("RequestId"),
    "X-RateLimit-Limit": header("RateLimit"),
    "X-RateLimit-Remaining": header("RateLimitRemaining"),
    "X-RateLimit-Reset": header("RateLimitReset"),
    "X-Sandbox-Warning": header("Warning"),
}
_OF_EVERY_ERROR: Final = {
    **_OF_EVERY_ANSWER,
    "Retry-After": header("RetryAfter"),  # a fault may send it with any status
}


def public_document(routes: Routes, answers: Answers, root: str) -> dict[str, Any]:
    """Return the document of the APIs that the routes serve.

    Raises:
        KeyError: an operation is missing for a route.
    """
    schemas = Schemas()
    schemas.components["Error"] = ERROR
    operations = public_operations(schemas, answers)
    shown = list(examples(answers))
    paths: dict[str, Any] = {}
    for each in routes.resources:
        for method in sorted(each.handlers.keys() - {"HEAD"}):
            operation = operations[method, each.path]
            accepted = operation.accepted or (each.accepted if method == "POST" else 200,)
            own = [
                example
                for example in shown
                if example.method == method and routes.path_of(example.path) == each.path
            ]
            paths.setdefault(each.path, {})[method.lower()] = {
                "operationId": operation_id(method, each.path),
                **_described(operation, tuple(accepted), own, each.path),
            }
    responses = shared_responses(paths)
    responses |= {
        f"Status{status}": each
        for status, each in error_responses(
            (errors.MethodNotAllowed,), _refused(shown), **_OF_EVERY_ERROR
        ).items()
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MsGine API, as msgine-sandbox serves it",
            "version": __version__,
            "summary": "The Messages API, and the Developers API for SMS, email and push.",
            "description": _ABOUT,
        },
        "servers": [{"url": root + BASE_PATH, "description": "This sandbox"}],
        "security": [{"bearer": []}, {"apiKey": []}, {"bare": []}],
        "paths": paths,
        "webhooks": {each.value: _webhook(each, schemas) for each in EventType},
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": responses,
            "headers": dict(HEADERS),
            "securitySchemes": _SECURITY,
        },
    }


def _described(
    operation: Operation, accepted: Sequence[int], own: Sequence[Example], path: str
) -> dict[str, Any]:
    """Return an operation as the document has it."""
    replayed = {"Idempotent-Replayed": header("IdempotentReplayed")} if operation.has_key else {}
    success = {
        str(status): {
            "description": "Done.",
            "headers": {**_OF_EVERY_ANSWER, **replayed},
            "content": {JSON: {"schema": operation.answer, **_shown_answers(own, status)}},
        }
        for status in accepted
    }
    described = {
        "summary": operation.summary,
        "description": f"It needs the scope `{operation.scope}`." if operation.scope else "",
        "parameters": parameters_of(operation, path) + [_KEY] * operation.has_key,
        "responses": {
            **success,
            **error_responses((*_EVERYWHERE, *operation.errors), _refused(own), **_OF_EVERY_ERROR),
        },
    }
    if operation.body is not None:
        sent = {
            example.name: {"summary": example.title, "value": example.body}
            for example in own
            if example.status in accepted and example.body is not None
        }
        content = {"schema": operation.body, **({"examples": sent} if sent else {})}
        described["requestBody"] = {"required": True, "content": {JSON: content}}
    return described


def _refused(shown: Sequence[Example]) -> dict[tuple[int, str], Any]:
    """Return the first error with each status and code."""
    return {
        (example.status, example.answer["error"]["code"]): example.answer
        for example in reversed(shown)
        if isinstance(example.answer, dict) and "error" in example.answer
    }


def _shown_answers(own: Sequence[Example], status: int) -> dict[str, Any]:
    shown = {
        example.name: {"summary": example.title, "value": example.answer}
        for example in own
        if example.status == status and example.answer is not None
    }
    return {"examples": shown} if shown else {}


_KEY: Final = {
    "name": idempotency.HEADER,
    "in": "header",
    "description": "For 24 hours, the same key gets the same answer and does nothing.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": idempotency.MAX_LENGTH,
        "pattern": "^[!-~]+$",
    },
}


def _webhook(event: EventType, schemas: Schemas) -> dict[str, Any]:
    status = event.removeprefix("message.")
    return {
        "post": {
            "summary": f"A recipient's message is {status}",
            "description": (
                "To the message's callbackUrl, else to the account's endpoints; at least once,"
                " until the receiver answers 2xx. Signed as in Standard Webhooks where there is"
                " a secret."
            ),
            "requestBody": {
                "required": True,
                "content": {
                    JSON: {
                        "schema": {
                            "allOf": [
                                schemas.of(Payload),
                                {
                                    "properties": {
                                        "event": {"const": event.value},
                                        "status": {"const": status},
                                    }
                                },
                            ]
                        },
                        "example": {
                            "id": "msg_018f3a5b00c1d2e3",
                            "event": event.value,
                            "status": status,
                            "to": "+256701521269",
                            "from": "MyApp",
                            "timestamp": "2026-01-15T10:30:15Z",
                            "messageId": "msg_018f3a5b00c1d2e3",
                            "sid": "SM018f3a5b00c1d2e3",
                        },
                    }
                },
            },
            "responses": {"2XX": {"description": "The webhook is accepted."}},
            "security": [],
        }
    }


_ABOUT: Final = (
    "Made from the tables that the sandbox serves by; where each rule comes from is at "
    "/docs/fidelity. Any text is accepted as a token. A fault of the control API, "
    "/_sandbox/openapi.json, may answer with any other status in the same envelope."
)
_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "As documented."},
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Api-Key",
        "description": "As the SDKs 2.0 send it.",
    },
    "bare": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The token alone, as the SDK 1.0 sends it; refused under --strict-auth.",
    },
}
