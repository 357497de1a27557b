"""The refusal that a fault asks for: the documented envelope, whatever the status."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from msgine_sandbox.model.errors import (
    ApiError,
    BadGateway,
    Forbidden,
    InternalError,
    InvalidMessage,
    InvalidPhoneNumber,
    InvalidRequest,
    InvalidSenderId,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    Unauthorized,
)
from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.phone import EXPECTED

_KINDS: Final = (
    InvalidRequest,
    InvalidPhoneNumber,
    InvalidMessage,
    InvalidSenderId,
    Unauthorized,
    Forbidden,
    NotFound,
    InternalError,
    BadGateway,
    ServiceUnavailable,
)
CODES: Final[Mapping[str, type[ApiError]]] = {kind.code: kind for kind in _KINDS}
"""The codes that a fault may name."""

_FIRST_WAIT: Final = 1  # seconds, where a fault does not say how long a 429 asks to wait


def injected(effect: RequestEffect, recipient: str | None = None) -> ApiError:
    """Give the refusal that an effect asks for, about a recipient where there is one."""
    status = effect.status or InternalError.status
    if status == RateLimitExceeded.status:
        wait = effect.retry_after
        return RateLimitExceeded(_FIRST_WAIT if wait is None else wait)
    error = _refusal(status, effect.code, recipient)
    if effect.retry_after is not None:
        error.headers = {**error.headers, "Retry-After": str(effect.retry_after)}
    return error


def _refusal(status: int, code: str | None, recipient: str | None) -> ApiError:
    if code == InvalidPhoneNumber.code and recipient is not None:
        return InvalidPhoneNumber(field="to", value=recipient, expected=EXPECTED)
    kind = CODES[code] if code else next((k for k in _KINDS if k.status == status), None)
    if kind is not None:
        return kind()
    error = ApiError(_phrase(status))
    error.status, error.code = status, _phrase(status).lower().replace(" ", "_").replace("'", "")
    return error


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.replace("-", " ")
    except ValueError:
        return f"HTTP {status}"
