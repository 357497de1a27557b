"""Attempts to send webhooks, as the control API returns them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgine_sandbox.control.views import HttpView, View, owner_of
from msgine_sandbox.model.clock import LATEST, Instant, iso_micros
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.masking import masked_header
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.webhook import (
    EVENT_PREFIX,
    Attempt,
    AttemptHttp,
    Endpoint,
    EventType,
    WebhookMode,
)
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.webhooks.signature import is_signed_with
from msgine_sandbox.storage.store import Store


class SignatureState(StrEnum):
    """What a receiver that verifies signatures should find."""

    NONE = "none"
    """The account had no secret."""
    RIGHT = "right"
    WRONG = "wrong"
    """On purpose: a fault or a magic recipient asked for it."""


class AttemptSummary(View, frozen=True, kw_only=True):
    """An attempt to send a webhook, as a list shows it."""

    account: str | None
    account_id: str | None
    id: str
    webhook_id: str
    """The same for all attempts of one webhook, and its `webhook-id` where it is signed."""
    event: EventType
    message_id: str
    url: str
    attempt: int
    at: str
    status: int | None
    duration_ms: float
    error: str | None
    signature: SignatureState
    next_attempt_at: str | None
    """When the webhook is sent again, on the account's clock; null where that is not planned."""


class AttemptView(AttemptSummary, frozen=True, kw_only=True):
    """An attempt to send a webhook, with its request and response."""

    signed_by: Sequence[str]
    """The URLs of the account's endpoints one of whose present secrets made the signature."""
    request: HttpView
    response: HttpView | None


class AttemptViews:
    """Makes the views of one answer; what several attempts have in common is read once."""

    def __init__(self, store: Store, accounts: Accounts, form: AnswerForm) -> None:
        self._store = store
        self._accounts = accounts
        self._form = form
        self._due: dict[int, Mapping[int, Instant]] = {}
        """By message and webhook, when it is sent next."""

    async def summary(self, attempt: Attempt) -> AttemptSummary:
        """Return an attempt without its request and response."""
        return AttemptSummary(**await self._summary(attempt))

    async def full(self, attempt: Attempt) -> AttemptView:
        """Return an attempt."""
        account = self._accounts.find(attempt.account)
        endpoints = () if account is None else account.endpoints
        return AttemptView(
            **await self._summary(attempt),
            signed_by=[each.url for each in endpoints if _signed(each, attempt.request)],
            request=_http_view(attempt.request),
            response=None if attempt.response is None else _http_view(attempt.response),
        )

    async def _summary(self, attempt: Attempt) -> dict[str, Any]:
        account, account_id = owner_of(attempt.account, self._accounts)
        due = await self._next_due(attempt)
        return {
            "account": account,
            "account_id": account_id,
            "id": attempt.public_id,
            "webhook_id": format_id(EVENT_PREFIX, attempt.webhook_event),
            "event": attempt.event,
            "message_id": self._form.message_id(attempt.message),
            "url": attempt.url,
            "attempt": attempt.number,
            "at": iso_micros(attempt.at),
            "status": attempt.status,
            "duration_ms": attempt.duration_ms,
            "error": attempt.error,
            "signature": await self._signature(attempt),
            "next_attempt_at": None if due is None else iso_micros(due),
        }

    async def _next_due(self, attempt: Attempt) -> Instant | None:
        if attempt.message not in self._due:
            self._due[attempt.message] = await self._store.steps.webhooks(attempt.message)
        due = self._due[attempt.message].get(attempt.webhook_event)
        return None if due is None or due > LATEST else due  # what is later never falls due

    async def _signature(self, attempt: Attempt) -> SignatureState:
        if "webhook-signature" not in attempt.request.headers:
            return SignatureState.NONE
        event = await self._store.webhooks.get(attempt.webhook_event)
        is_wrong = event is not None and event.mode is WebhookMode.WRONG_SIGNATURE
        return SignatureState.WRONG if is_wrong else SignatureState.RIGHT


def _signed(endpoint: Endpoint, request: AttemptHttp) -> bool:
    """Return whether one of the endpoint's secrets made a signature of a request."""
    return "webhook-signature" in request.headers and any(
        is_signed_with(secret, request.headers, request.body.encode())
        for secret in endpoint.secrets
    )


def _http_view(http: AttemptHttp) -> HttpView:
    headers = {name: masked_header(name, value) for name, value in http.headers.items()}
    return HttpView(headers=headers, body=http.body)
