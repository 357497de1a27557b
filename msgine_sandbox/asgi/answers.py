"""JSON responses; an error becomes one only here, in the documented envelope."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from starlette.responses import Response

from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.model.clock import Instant, iso_seconds
from msgine_sandbox.model.errors import ApiError, RateLimitExceeded

encoded = msgspec.json.Encoder(decimal_format="number").encode
"""Return a value as JSON, as responses have it."""


class Answer(Response):
    """A response whose body is JSON, whatever its status: SDKs refuse a 2xx that is not."""

    content_type: ClassVar[bytes] = b"application/json"
    error_code: str | None = None
    """The code in the envelope, where it is an error."""

    def __init__(
        self, body: bytes, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        # Instead of Starlette's, which takes 0.7 µs more to find out that it has to add these two.
        self.body = body
        self.status_code = status_code
        self.background = None
        self.raw_headers = [
            (b"content-type", self.content_type),
            (b"content-length", b"%d" % len(body)),
        ]
        if headers:
            self.raw_headers += [
                (name.lower().encode(), value.encode()) for name, value in headers.items()
            ]


def json_answer(content: Any, status: int = 200) -> Answer:
    """Return a response with a value as JSON."""
    return Answer(encoded(content), status)


def error_answer(error: ApiError, context: RequestContext) -> Answer:
    """Return the response to a request that an error ended."""
    return refusal(error, context.entry.request_id, context.entry.at)


def refusal(error: ApiError, request_id: str, now: Instant) -> Answer:
    """Return the response to what was not, or did not become, a request."""
    envelope = {
        "error": _error_content(error),
        "meta": {"requestId": request_id, "timestamp": iso_seconds(now)},
    }
    try:
        body = encoded(envelope)
    except UnicodeEncodeError:
        # A value that is shown has half of a surrogate pair, which JSON can only write escaped.
        body = json.dumps(envelope).encode()
    answer = Answer(body, error.status, headers=error.headers)
    answer.error_code = error.code
    return answer


def message_answer(error: ApiError) -> Answer:
    """Return an error without the documented envelope: `message` alone, at the top level.

    Nothing of MsGine documents it, but all SDKs 2.0 read it where there is no `error`.
    """
    return Answer(encoded({"message": error.message}), error.status, headers=error.headers)


def truncated(answer: Answer) -> Answer:
    """Return an answer with the first half of its JSON, as a proxy may send it that fails.

    Content-Length is that of the half, so that HTTP clients take it for complete.
    """
    half = Answer(bytes(answer.body)[: len(answer.body) // 2], answer.status_code)
    own = dict(half.raw_headers)
    half.raw_headers += [header for header in answer.raw_headers if header[0] not in own]
    half.error_code = answer.error_code
    return half


def _error_content(error: ApiError) -> dict[str, Any]:
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, RateLimitExceeded):
        content["retryAfter"] = error.retry_after
    if error.details:
        content["details"] = error.details
    return content
