"""The only place where an error becomes an answer: the documented envelope."""

import json
from typing import Any

from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.visit import Visit
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.errors import ApiError, RateLimitExceeded


def render(error: ApiError, visit: Visit) -> Reply:
    """Answer with a refusal that was raised anywhere."""
    envelope = {
        "error": _error(error),
        "meta": {"requestId": visit.request_id, "timestamp": iso_seconds(visit.now)},
    }
    visit.code = error.code
    for name, value in error.headers.items():
        visit.signed[name.lower().encode()] = value.encode()
    try:
        return reply(envelope, error.status)
    except UnicodeEncodeError:
        # What is shown back has half of a surrogate pair, which JSON can only write escaped.
        return Reply(json.dumps(envelope).encode(), error.status)


def _error(error: ApiError) -> dict[str, Any]:
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, RateLimitExceeded):
        content["retryAfter"] = error.retry_after
    if error.details:
        content["details"] = error.details
    return content
