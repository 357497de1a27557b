"""Every error that the sandbox answers with, as one tree; `asgi/answers.py` renders them.

ApiError
├── InvalidRequest 400
│   ├── MalformedRequest
│   ├── InvalidPhoneNumber
│   ├── InvalidMessage
│   └── InvalidSenderId
├── Unauthorized 401
├── Forbidden 403
├── NotFound 404
├── MethodNotAllowed 405
├── WaitTimedOut 408
├── RequestTimedOut 408
├── PayloadTooLarge 413
├── UriTooLong 414
├── UnsupportedMediaType 415
├── MisdirectedRequest 421
├── IdempotencyKeyReused 422
├── RateLimitExceeded 429
├── HeaderFieldsTooLarge 431
├── InternalError 500
├── TransferCodingUnknown 501
├── BadGateway 502
└── ServiceUnavailable 503
    └── LoopChanged
"""

from collections.abc import Iterator, Mapping
from typing import Any

Details = Mapping[str, Any]


class ApiError(Exception):
    """An error in the documented envelope."""

    status: int = 500
    code: str = "internal_error"
    message: str = "Internal server error"
    is_documented: bool = False
    """Whether MsGine documents it, so that a client can meet it there."""
    path: str | None = None
    """Where in a body the field is that the details name, if it is inside another one."""

    def __init__(self, message: str | None = None, **details: Any) -> None:
        if message is not None:
            self.message = message
        self.details: Details = details
        self.headers: Mapping[str, str] = {}
        super().__init__(self.message)


class InvalidRequest(ApiError):
    """The body, a field or a parameter is not what the call takes. Source: our choice."""

    status = 400
    code = "invalid_request"
    message = "The request is invalid"


class MalformedRequest(InvalidRequest):
    """The request is not valid HTTP/1.1, or its length is ambiguous. Source: RFC 9112."""

    message = "The request is not valid HTTP"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        # Where it ends, and where the next one begins, is not known.
        self.headers = {"Connection": "close"}


class InvalidPhoneNumber(InvalidRequest):
    """A recipient is not an E.164 number. Source: documented."""

    code = "invalid_phone_number"
    message = "The phone number must be in E.164 format"
    is_documented = True


class InvalidMessage(InvalidRequest):
    """The text is empty, too long or not Unicode. Source: documented elsewhere."""

    code = "invalid_message"
    message = "Message exceeds maximum length of 1600 characters"
    is_documented = True


class InvalidSenderId(InvalidRequest):
    """The sender ID is not 1 to 11 letters and digits. Source: documented elsewhere."""

    code = "invalid_sender_id"
    message = "Sender ID must be alphanumeric and max 11 characters"
    is_documented = True


class Unauthorized(ApiError):
    """No credential, or one that is unknown or revoked. Source: documented."""

    status = 401
    code = "unauthorized"
    message = "Invalid API token"
    is_documented = True

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(ApiError):
    """The credential lacks the scope. Source: documented."""

    status = 403
    code = "forbidden"
    message = "Insufficient permissions"
    is_documented = True


class NotFound(ApiError):
    """No such path or message. Source: documented."""

    status = 404
    code = "not_found"
    message = "Not found"
    is_documented = True


class MethodNotAllowed(ApiError):
    """The path exists, the method on it does not. Source: RFC 9110."""

    status = 405
    code = "method_not_allowed"
    message = "Method not allowed"

    def __init__(self, allowed: list[str]) -> None:
        super().__init__(allowed=allowed)
        self.headers = {"Allow": ", ".join(allowed)}


class WaitTimedOut(ApiError):
    """No message that matches arrived in time. Source: our choice."""

    status = 408
    code = "wait_timed_out"
    message = "No such message came in time"


class RequestTimedOut(ApiError):
    """The rest of the request did not come in time. Source: RFC 9110; the time is our choice."""

    status = 408
    code = "request_timeout"
    message = "The request did not arrive completely in time"


class PayloadTooLarge(ApiError):
    """The body is larger than the sandbox reads. Source: RFC 9110; the limit is our choice."""

    status = 413
    code = "payload_too_large"
    message = "The request body is too large"


class UriTooLong(ApiError):
    """The target is longer than the sandbox reads. Source: RFC 9110; the limit is our choice."""

    status = 414
    code = "uri_too_long"
    message = "The request target is too long"


class UnsupportedMediaType(ApiError):
    """The body is not sent as JSON in UTF-8. Source: documented; the status is RFC 9110's."""

    status = 415
    code = "unsupported_media_type"
    message = "Send the body as application/json"


class MisdirectedRequest(ApiError):
    """The Host header names a host that this sandbox does not serve. Source: our choice."""

    status = 421
    code = "misdirected_request"
    message = "This sandbox does not serve that host"


class IdempotencyKeyReused(ApiError):
    """A key came again with another request, under --strict-idempotency. Source: our choice."""

    status = 422
    code = "idempotency_key_reused"
    message = "The idempotency key was used for a different request"


class RateLimitExceeded(ApiError):
    """Too many requests in a minute or a second. Source: documented."""

    status = 429
    code = "rate_limit_exceeded"
    message = "Too many requests. Please try again later."
    is_documented = True

    def __init__(self, retry_after: int, **details: Any) -> None:
        super().__init__(**details)
        self.retry_after = retry_after
        self.headers = {"Retry-After": str(retry_after)}


class HeaderFieldsTooLarge(ApiError):
    """The head or the trailers are too large. Source: RFC 6585; the limit is our choice."""

    status = 431
    code = "header_fields_too_large"
    message = "The header fields of the request are too large"


class InternalError(ApiError):
    """A fault, or a defect of the sandbox itself. Source: documented (status)."""

    is_documented = True


class TransferCodingUnknown(ApiError):
    """The body has a transfer coding other than `chunked`. Source: RFC 9112, 6.1."""

    status = 501
    code = "not_implemented"
    message = "The only transfer coding that is supported is chunked"

    def __init__(self, message: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        # Where such a body ends is not known.
        self.headers = {"Connection": "close"}


class BadGateway(ApiError):
    """Only by a fault. Source: documented (status)."""

    status = 502
    code = "bad_gateway"
    message = "Bad gateway"
    is_documented = True


class ServiceUnavailable(ApiError):
    """A fault, or the sandbox stops while it handles a request. Source: documented (status)."""

    status = 503
    code = "service_unavailable"
    message = "Service unavailable"
    is_documented = True


class LoopChanged(ServiceUnavailable):
    """The event loop of a request has paused, and another one was used. Source: our choice."""

    message = "Another event loop has used the sandbox, or closed it, since this request began"


def documented_errors(root: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    """Return the errors that MsGine documents, in the order of the tree."""
    for error in root.__subclasses__():
        # Not inherited: each error's own source counts.
        if vars(error).get("is_documented"):
            yield error
        yield from documented_errors(error)
