"""What a list says of a request besides its line: whom it would send to, and why it was refused.

It is read from the bodies that the journal keeps when it is asked for, so that requests do not wait
for it.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from msgine_sandbox.asgi.recipients import recipients_in
from msgine_sandbox.asgi.routing import BASE_PATH
from msgine_sandbox.control.views import View
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.services.journal import RequestOutcome, outcome_of

_MOST_RECIPIENTS: Final = 3
_BEGINNING: Final = 200
"""Characters of a text that are shown."""


class ErrorView(View, frozen=True, kw_only=True):
    """The error that a request was answered with, each text of it shortened."""

    code: str | None
    """Null where a fault left out the documented envelope, or half of the response."""
    message: str | None
    field: str | None
    """Which field or parameter is wrong."""
    value: str | None
    """What was sent in it; what is no string as JSON."""
    expected: str | None
    reason: str | None
    """What is wrong with the value."""


def error_view(entry: JournalEntry) -> ErrorView | None:
    """Return the error that a request was answered with; None without one."""
    if entry.response is None or outcome_of(entry) is RequestOutcome.ACCEPTED:
        return None
    body = _object(entry.response.body)
    error = body.get("error")
    if not isinstance(error, dict):
        error = {"code": entry.code, "message": body.get("message")}
    details = error.get("details")
    if not isinstance(details, dict):
        details = {}
    return ErrorView(
        code=entry.code,
        message=_beginning(error.get("message")),
        field=_beginning(details.get("field")),
        value=_beginning(details.get("value")),
        expected=_beginning(details.get("expected")),
        reason=_beginning(details.get("reason")),
    )


def first_recipients(entry: JournalEntry) -> tuple[list[str], int]:
    """Return the first recipients of a send, and how many it has.

    There are none where its body is not JSON or not kept in full.
    """
    if entry.method != "POST" or entry.request.truncated:
        return [], 0
    path = entry.path.removeprefix(BASE_PATH)
    found = recipients_in(path, _object(entry.request.body))
    return [each[:_BEGINNING] for each in list(found)[:_MOST_RECIPIENTS]], len(found)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        content = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _beginning(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:_BEGINNING]
