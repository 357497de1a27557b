"""The errors that faults and magic recipients answer with: for each status, a code and details.

Where the API itself refuses with a code, the details are those that it would have given. The codes
of all other statuses come from a table here, because Python's names of statuses change with its
version.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgine_sandbox.asgi.body import EXPECTED_TYPE, MAX_BODY, MAX_HEAD, content_of
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.credentials import KEY_HEADER, idempotency_field
from msgine_sandbox.asgi.recipients import recipients_of
from msgine_sandbox.model import errors
from msgine_sandbox.model.channel import TRAITS, Channel, Scope
from msgine_sandbox.model.errors import ApiError
from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.idempotency import FIELD
from msgine_sandbox.model.phone_numbers import EXPECTED_NUMBER
from msgine_sandbox.services import email, push, sms

DEFAULT_RETRY_AFTER: Final = 1
"""Seconds that a 429 asks to wait where its fault does not say."""

_PHRASES: Final[Mapping[int, str]] = {
    402: "Payment Required",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    412: "Precondition Failed",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    418: "I'm a Teapot",
    422: "Unprocessable Content",
    423: "Locked",
    424: "Failed Dependency",
    425: "Too Early",
    426: "Upgrade Required",
    428: "Precondition Required",
    451: "Unavailable For Legal Reasons",
    501: "Not Implemented",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    506: "Variant Also Negotiates",
    507: "Insufficient Storage",
    508: "Loop Detected",
    510: "Not Extended",
    511: "Network Authentication Required",
}
"""The names in IANA's registry of the statuses that, without a code, stand for no error of the API.

The API has errors with 422 and 501, each for one certain case. The registry has no name for 418,
"(Unused)", which tests like to use: its name is that of RFC 2324.
"""


def _code(phrase: str) -> str:
    return phrase.lower().replace(" ", "_").replace("'", "")


class _Refused:
    """A request that a fault refuses, and what the details of its error say about it."""

    def __init__(self, context: RequestContext, recipient: str | None) -> None:
        self.context = context
        self.recipient = recipient
        self.recipient_field = recipients_of(context).get(recipient or "")

    @property
    def scope(self) -> Scope:
        """The scope that the call needs."""
        method, path = self.context.method, self.context.path
        return Scope.READ_MESSAGES if method in {"GET", "HEAD"} else TRAITS[_channel(path)].scope

    def field(self, name: str) -> Any:
        """Return the value of a field of the body."""
        try:
            content = content_of(self.context) if self.context.body else None
        except ApiError:
            return None
        return content.get(name) if isinstance(content, dict) else None


def _channel(path: str) -> Channel:
    # Also for the devices of pushes, and for paths that there are not.
    return next((each for each in Channel if f"/{each}" in path), Channel.SMS)


def _invalid_request(refused: _Refused) -> ApiError:
    # Where the fault is about no recipient: the query of a call without a body, else the body.
    other = "query" if refused.context.method in {"GET", "HEAD"} else "body"
    what = "a request" if refused.recipient is None else "a recipient"
    return errors.InvalidRequest(
        field=refused.recipient_field or other,
        value=refused.recipient,
        expected=f"{what} that no fault refuses",
    )


def _invalid_phone_number(refused: _Refused) -> ApiError:
    return errors.InvalidPhoneNumber(
        field=refused.recipient_field or "to",
        value=refused.recipient,
        expected=EXPECTED_NUMBER,
        reason="A fault or its magic number refuses it.",
    )


_TEXTS: Final[Mapping[str, tuple[str, int]]] = {
    f"/developers/{Channel.SMS}": ("message", sms.MAX_DEVELOPER_TEXT),
    f"/developers/{Channel.EMAIL}": ("text", email.MAX_BODY),
    f"/developers/{Channel.PUSH}": ("body", push.MAX_BODY),
}
"""The field with the text of a message and its longest length, by path."""


def _invalid_message(refused: _Refused) -> ApiError:
    field, longest = _TEXTS.get(refused.context.path, ("message", sms.MAX_TEXT))
    text = refused.field(field)
    # A text that is too long, as the message says, even if that of the request is not.
    length = max(len(text) if isinstance(text, str) else 0, longest + 1)
    return errors.InvalidMessage(
        f"{field.capitalize()} exceeds maximum length of {longest} characters",
        field=field,
        maxLength=longest,
        actualLength=length,
    )


def _invalid_sender_id(refused: _Refused) -> ApiError:
    sender = refused.field("from")
    return errors.InvalidSenderId(
        field="from",
        value=refused.context.authenticated_account.sender_id if sender is None else sender,
        maxLength=sms.MAX_SENDER,
    )


def _key_reused(refused: _Refused) -> ApiError:
    field = idempotency_field(refused.context)
    return errors.IdempotencyKeyReused(
        field=field,
        value=refused.field(FIELD) if field == FIELD else refused.context.header(KEY_HEADER),
    )


_ERRORS: Final[Mapping[type[ApiError], Callable[[_Refused], ApiError]]] = {
    errors.InvalidRequest: _invalid_request,
    errors.InvalidPhoneNumber: _invalid_phone_number,
    errors.InvalidMessage: _invalid_message,
    errors.InvalidSenderId: _invalid_sender_id,
    errors.Unauthorized: lambda _: errors.Unauthorized(),
    errors.Forbidden: lambda refused: errors.Forbidden(requiredScope=refused.scope),
    errors.NotFound: lambda _: errors.NotFound(),
    # No method is allowed while a resource is out of use (RFC 9110, 10.2.1).
    errors.MethodNotAllowed: lambda _: errors.MethodNotAllowed([]),
    errors.RequestTimedOut: lambda _: errors.RequestTimedOut(),
    errors.PayloadTooLarge: lambda _: errors.PayloadTooLarge(limit=MAX_BODY),
    errors.UriTooLong: lambda _: errors.UriTooLong(limit=MAX_HEAD),
    errors.UnsupportedMediaType: lambda _: errors.UnsupportedMediaType(expected=EXPECTED_TYPE),
    errors.MisdirectedRequest: lambda refused: errors.MisdirectedRequest(
        field="Host", value=refused.context.header(b"host")
    ),
    errors.RateLimitExceeded: lambda _: errors.RateLimitExceeded(DEFAULT_RETRY_AFTER),
    errors.HeaderFieldsTooLarge: lambda _: errors.HeaderFieldsTooLarge(limit=MAX_HEAD),
    errors.InternalError: lambda _: errors.InternalError(),
    errors.BadGateway: lambda _: errors.BadGateway(),
    errors.ServiceUnavailable: lambda _: errors.ServiceUnavailable(),
    errors.IdempotencyKeyReused: _key_reused,
}
"""How the errors of the API are made; the first of a status is the one without a code."""

FAULT_CODES: Final[Mapping[str, int]] = {
    **{_code(phrase): status for status, phrase in _PHRASES.items()},
    **{error.code: error.status for error in _ERRORS},
}
"""The codes that a fault may name, and the status of each."""


def fault_error(effect: RequestEffect, context: RequestContext, recipient: str | None) -> ApiError:
    """Return the error that an effect answers a request with; `recipient` is the one it is about.

    A status without an error of its own has the documented envelope as well.
    """
    error = _error(effect.status or errors.InternalError.status, effect.code, context, recipient)
    if effect.retry_after is None:
        return error
    if isinstance(error, errors.RateLimitExceeded):
        return errors.RateLimitExceeded(effect.retry_after)
    error.headers = {**error.headers, "Retry-After": str(effect.retry_after)}
    return error


def _error(
    status: int, code: str | None, context: RequestContext, recipient: str | None
) -> ApiError:
    phrase = _PHRASES.get(status)
    if phrase is None or code not in {None, _code(phrase)}:
        for kind, make in _ERRORS.items():
            if kind.status == status and code in {None, kind.code}:
                return make(_Refused(context, recipient))
    error = ApiError(phrase or f"HTTP {status}")
    error.status, error.code = status, _code(error.message)
    return error
