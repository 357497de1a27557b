"""What is said of a request: whom it would send to, why it was refused, warnings and decisions.

The first two are read from the bodies that the journal keeps when they are asked for, so that
requests do not wait for them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from msgine_sandbox.asgi.recipients import recipients_in
from msgine_sandbox.control.views import EffectView, View, effect_view
from msgine_sandbox.model.account import Admission
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.magic import Outcome
from msgine_sandbox.model.warning import WarningCode
from msgine_sandbox.services.journal import RequestOutcome, outcome_of
from msgine_sandbox.settings import BASE_PATH

_MOST_RECIPIENTS: Final = 3
_BEGINNING: Final = 200
"""Characters of a text that are shown."""


class ErrorView(View, frozen=True, kw_only=True):
    """The error that a request was answered with, each text of it shortened.

    Where a fault dropped the response, all but the code is null.
    """

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
    """Return the error that a request was answered with; None without one.

    Of one whose response a fault dropped, only the code is known.
    """
    if outcome_of(entry) is RequestOutcome.ACCEPTED:
        return None
    if entry.response is None and entry.code is None:
        return None  # nothing was decided, or the client disconnected
    body = {} if entry.response is None else _object(entry.response.body)
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


class WarningView(View, frozen=True, kw_only=True):
    """A warning about the client."""

    code: WarningCode
    message: str
    advice: str
    """What to do about it."""
    docs: str
    """Where it is explained."""


class AuthDecision(View, frozen=True, kw_only=True):
    """Whether the credential was accepted."""

    by: str = "auth"
    outcome: str
    spelling: str | None
    """How the credential was sent."""


class WindowDecision(View, frozen=True, kw_only=True):
    """Whether the rate limit admitted the request."""

    by: str = "window"
    limit: int
    remaining: int
    outcome: str
    retry_after: int | UnsetType = UNSET
    """Seconds; only where the request was refused."""
    reason: str | UnsetType = UNSET
    """Why waiting does not help; only where the account's clock stands."""


class FaultDecision(View, frozen=True, kw_only=True):
    """Which fault acted on the request."""

    by: str = "fault"
    outcome: str = "met"
    id: str
    effect: EffectView
    magic: str | UnsetType = UNSET
    """The magic recipient that the fault stands for; absent where it was added by a call."""


class IdempotencyDecision(View, frozen=True, kw_only=True):
    """Whether the idempotency key was new."""

    by: str = "idempotency"
    outcome: str
    key: str


class DeliveryDecisionView(View, frozen=True, kw_only=True):
    """What decided how the message is delivered to a recipient."""

    by: str = "delivery"
    outcome: Outcome
    to: str
    rule: str
    """The id of a fault, or the name of a magic recipient."""


DecisionView = (
    AuthDecision | WindowDecision | FaultDecision | IdempotencyDecision | DeliveryDecisionView
)


def warning_views(entry: JournalEntry) -> list[WarningView]:
    """Return the warnings of an entry."""
    return [
        WarningView(code=each.code, message=each.message, advice=each.advice, docs=each.docs)
        for each in entry.warnings
    ]


def decision_views(entry: JournalEntry) -> list[DecisionView]:
    """Return what the pipeline decided, in its order, as far as the request came."""
    found = [_auth(entry), _rate_limit(entry.admission), _fault(entry), _idempotency(entry)]
    deliveries = [
        DeliveryDecisionView(outcome=each.outcome, to=each.recipient, rule=each.rule)
        for each in entry.deliveries
    ]
    return [*[each for each in found if each is not None], *deliveries]


def _auth(entry: JournalEntry) -> AuthDecision | None:
    refused = entry.admission is None
    if refused and entry.status != HTTPStatus.UNAUTHORIZED:
        return None  # it was refused before its credential was looked at
    return AuthDecision(outcome="refused" if refused else "accepted", spelling=entry.scheme)


def _rate_limit(admission: Admission | None) -> WindowDecision | None:
    if admission is None:
        return None
    wait = admission.retry_after
    return WindowDecision(
        limit=admission.limit,
        remaining=admission.remaining,
        outcome="admitted" if wait is None else "refused",
        retry_after=UNSET if wait is None else wait,
        reason=admission.reason or UNSET,
    )


def _fault(entry: JournalEntry) -> FaultDecision | None:
    if entry.fault is None or entry.effect is None:
        return None
    return FaultDecision(
        id=entry.fault, effect=effect_view(entry.effect), magic=entry.magic or UNSET
    )


def _idempotency(entry: JournalEntry) -> IdempotencyDecision | None:
    if entry.key is None:
        return None
    outcome = "replayed" if entry.replayed else "first"
    return IdempotencyDecision(outcome=outcome, key=entry.key)
