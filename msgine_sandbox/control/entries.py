"""How the control API writes a journal entry: readable, and with its credentials masked."""

from http import HTTPStatus
from typing import Final

from msgine_sandbox.control.shapes import Json, effect_shape
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.model.account import masked
from msgine_sandbox.model.admission import Admission
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.entry import Decisions, Entry, Exchange
from msgine_sandbox.model.warning import ClientWarning

_SECRET: Final = frozenset(
    {b"authorization", b"x-api-key", b"x-control-token", b"proxy-authorization", b"cookie"}
)


def entry_shape(entry: Entry, accounts: Accounts) -> Json:
    """Write an entry in full."""
    return {
        "id": entry.request_id,
        "at": iso_micros(entry.at),
        **account_of(entry.account, accounts),
        "method": entry.method,
        "path": entry.path,
        "query": entry.query,
        "status": entry.status,
        "durationMs": round(entry.duration_ms, 3),
        "messageId": entry.decisions.message,
        "request": _exchange(entry.request),
        "response": None if entry.response is None else _exchange(entry.response),
        "decisions": decisions_shape(entry),
        "warnings": warnings_shape(entry),
    }


def account_of(number: int | None, accounts: Accounts) -> Json:
    """Write whose something is; null is nobody's."""
    account = accounts.find(number)
    if account is None:
        return {"account": None, "accountId": None}
    return {"account": account.token_hint, "accountId": account.public_id}


def warnings_shape(entry: Entry) -> list[Json]:
    """Write the warnings of an entry."""
    return [_warning(each) for each in entry.warnings]


def decisions_shape(entry: Entry) -> list[Json]:
    """Write what was decided on the way, in the order of the door, as far as it came to it."""
    decisions = entry.decisions
    return [
        *_auth(entry, decisions),
        *_window(decisions.admission),
        *_fault(decisions),
        *_idempotency(decisions),
    ]


def _warning(warning: ClientWarning) -> Json:
    return {"code": warning.code, "message": warning.message, "docs": warning.docs}


def _auth(entry: Entry, decisions: Decisions) -> list[Json]:
    refused = decisions.admission is None
    if refused and entry.status != HTTPStatus.UNAUTHORIZED:
        return []  # it was refused before anybody asked who it was
    outcome = "refused" if refused else "accepted"
    return [{"by": "auth", "outcome": outcome, "spelling": decisions.spelling}]


def _window(admission: Admission | None) -> list[Json]:
    if admission is None:
        return []
    said = {"by": "window", "limit": admission.limit, "remaining": admission.remaining}
    if admission.retry_after is None:
        return [{**said, "outcome": "admitted"}]
    return [{**said, "outcome": "refused", "retryAfter": admission.retry_after}]


def _fault(decisions: Decisions) -> list[Json]:
    if decisions.fault is None or decisions.effect is None:
        return []
    effect = effect_shape(decisions.effect)
    return [{"by": "fault", "outcome": "met", "id": decisions.fault, "effect": effect}]


def _idempotency(decisions: Decisions) -> list[Json]:
    if decisions.key is None:
        return []
    outcome = "replayed" if decisions.replayed else "first"
    return [{"by": "idempotency", "outcome": outcome, "key": decisions.key}]


def _exchange(exchange: Exchange) -> Json:
    written: Json = {
        "headers": {
            name.decode("latin-1"): _shown(name, value) for name, value in exchange.headers
        },
        "body": exchange.body.decode(errors="replace"),
    }
    return written | {"truncated": True} if exchange.truncated else written


def _shown(name: bytes, value: bytes) -> str:
    text = value.decode("latin-1")
    if name not in _SECRET:
        return text
    scheme, _, token = text.strip().rpartition(" ")
    return f"{scheme} {masked(token)}".strip()
