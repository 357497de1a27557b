"""The only place where an error becomes an answer: the documented envelope."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.edge.reply import reply
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.clock import iso_seconds
from msgine_sandbox.model.errors import (
    ApiError,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    RateLimitExceeded,
)


async def render(request: Request, error: Exception) -> Response:
    """Answer with a refusal that was raised anywhere."""
    assert isinstance(error, ApiError)  # noqa: S101  (registered for this type)
    visit = visit_of(request.scope)
    envelope = {
        "error": _error(error),
        "meta": {"requestId": visit.request_id, "timestamp": iso_seconds(visit.now)},
    }
    response = reply(envelope, error.status)
    response.headers.update(error.headers)
    return response


async def render_http(request: Request, error: Exception) -> Response:
    """Answer with what the router found wrong: the path, or the method on it."""
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this type)
    return await render(request, _from_router(request, error))


async def render_bug(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Answer for a defect of ours; the traceback goes to the log."""
    return await render(request, InternalError("The sandbox has a defect; its log says more"))


EXCEPTION_HANDLERS = {ApiError: render, HTTPException: render_http, Exception: render_bug}


def _error(error: ApiError) -> dict[str, Any]:
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if isinstance(error, RateLimitExceeded):
        content["retryAfter"] = error.retry_after
    if error.details:
        content["details"] = error.details
    return content


def _from_router(request: Request, error: HTTPException) -> ApiError:
    if error.status_code == MethodNotAllowed.status:
        allowed = (error.headers or {}).get("Allow", "")
        return MethodNotAllowed(sorted(allowed.replace(" ", "").split(",")))
    if error.status_code == NotFound.status:
        return NotFound(f"There is no {request.url.path} here; the API is under /api/v1")
    return InvalidRequest(error.detail)
