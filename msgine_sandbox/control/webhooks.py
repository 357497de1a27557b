"""`/_sandbox/webhooks`: the account's endpoints, and every attempt to send to them."""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.attempt_views import AttemptViews
from msgine_sandbox.control.bodies import Body, read_body_as
from msgine_sandbox.control.lists import Detail, ListPage
from msgine_sandbox.control.views import EndpointsView, endpoint_view, endpoints_view
from msgine_sandbox.model.errors import InvalidRequest, NotFound
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.model.message import AnswerForm, parse_message_id
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.webhook import (
    ATTEMPT_PREFIX,
    Attempt,
    Endpoint,
    EventType,
    checked_url,
)
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.services.webhooks.signature import key_of
from msgine_sandbox.storage.store import Store
from msgine_sandbox.storage.webhooks import AttemptFilter

MAX_ENDPOINTS = 16
MAX_SHOWN: Final = 1000
"""Endpoints that are returned of all accounts."""
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_PARAMETERS: Final = frozenset(
    {"before", "event", "limit", "messageId", "outcome", "status", "url", "view"}
)


_parse_attempt_id: Final = partial(parse_id, ATTEMPT_PREFIX)


class OutcomeChoice(StrEnum):
    """Whether the receiver accepted a webhook."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class EndpointBody(Body, frozen=True, kw_only=True):
    """A webhook endpoint."""

    url: str
    events: Annotated[list[EventType], Meta(min_length=1)] | None = None
    """Which events it subscribes to; without it all."""
    secret: str | None = None
    """What signs the webhooks; without it they are not signed."""
    previous_secret: str | None = None
    """What also signs them, while receivers change from it to `secret`."""


class EndpointsBody(Body, frozen=True, kw_only=True):
    """All endpoints of an account."""

    endpoints: list[EndpointBody]


class WebhooksControl:
    """Reads and replaces endpoints, lists attempts, sends webhooks again."""

    def __init__(
        self,
        accounts: Accounts,
        carrier: Carrier,
        store: Store,
        sender: WebhookSender,
        form: AnswerForm,
    ) -> None:
        self._accounts = accounts
        self._carrier = carrier
        self._store = store
        self._sender = sender
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/webhooks", GET=self.read, PUT=self.replace),
            resource("/_sandbox/webhooks/attempts", has_query=True, GET=self.attempts),
            resource("/_sandbox/webhooks/attempts/{id}", GET=self.read_attempt),
            resource("/_sandbox/webhooks/attempts/{id}/resend", POST=self.resend),
        ]

    async def read(self, request: Request) -> Answer:
        """Return the account's endpoints, or those of all accounts with whose they are."""
        account = context_of(request).account
        if account is not None:
            return json_answer(endpoints_view(account.endpoints))
        found, slices = [], Slices()
        for each in sorted(self._accounts.ids(None), reverse=True):
            owner = self._accounts.find(each)
            if owner is not None and owner.endpoints:
                found += [endpoint_view(endpoint, owner) for endpoint in owner.endpoints]
            if len(found) >= MAX_SHOWN:
                break
            await slices.pause()
        return json_answer(EndpointsView(endpoints=found[:MAX_SHOWN]))

    async def replace(self, request: Request) -> Answer:
        """Replace all endpoints of the account, or none where one is refused."""
        account = context_of(request).require_account()
        endpoints = endpoints_of(read_body_as(request, EndpointsBody).endpoints)
        with self._carrier.hearing(account.id):
            # Before the endpoints are stored: if that fails, nothing else has changed.
            await self._carrier.follow(account.id)
            # The account as it is by now: its clock may have been moved, or its name changed.
            account = self._accounts.get(account.id)
            await self._accounts.save(replace(account, endpoints=endpoints))
        return json_answer(endpoints_view(endpoints))

    async def attempts(self, request: Request) -> Answer:
        """List the attempts that match, newest first."""
        query = ControlQuery(request.query_params, _PARAMETERS, "The list of attempts")
        page = ListPage(query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT))
        views = self._views()
        view = views.summary if query.choice("view", Detail) else views.full
        wanted = _filter(context_of(request).account_id, query)
        slices = Slices()
        async for attempt in self._store.webhooks.search(wanted):
            page.add(await view(attempt))
            if page.is_full:
                break
            await slices.pause()
        return page.answer(await self._store.webhooks.count(wanted))

    async def read_attempt(self, request: Request) -> Answer:
        """Return one attempt."""
        return json_answer(await self._views().full(await self._attempt(request)))

    async def resend(self, request: Request) -> Answer:
        """Send the webhook of an earlier attempt again, at once; return the new attempt."""
        again = await self._sender.resend(await self._attempt(request))
        if again is None:
            raise NotFound("Webhook attempt not found")
        return json_answer(await self._views().full(again))

    async def _attempt(self, request: Request) -> Attempt:
        account_id = context_of(request).account_id
        attempt_id = _parse_attempt_id(request.path_params["id"])
        rows = self._store.webhooks
        attempt = None if attempt_id is None else await rows.attempt(attempt_id, account_id)
        if attempt is None:
            raise NotFound("Webhook attempt not found")
        return attempt

    def _views(self) -> AttemptViews:
        return AttemptViews(self._store, self._accounts, self._form)


def _filter(account: int | None, query: ControlQuery) -> AttemptFilter:
    outcome = query.choice("outcome", OutcomeChoice)
    return AttemptFilter(
        account=account,
        message=query.row_id("messageId", parse_message_id, "a message"),
        before=query.row_id("before", _parse_attempt_id, "a webhook attempt"),
        event=query.choice("event", EventType),
        url=query.words("url"),
        statuses=_statuses(query.text("status")),
        succeeded=None if outcome is None else outcome is OutcomeChoice.SUCCEEDED,
    )


def _statuses(text: str | None) -> range | None:
    if text is None:
        return None
    if text == "none":
        return range(0)
    if not re.fullmatch(r"[1-5]([0-9]{2}|[xX]{2})", text):
        raise invalid_field(
            "status", text, "a status such as 503, a class such as 5xx, or none for no response"
        )
    first = int(text.lower().replace("x", "0"))
    return range(first, first + (1 if text.isdigit() else 100))


def endpoints_of(bodies: Sequence[EndpointBody]) -> tuple[Endpoint, ...]:
    """Return the endpoints that a body asks for.

    Raises:
        InvalidRequest: a URL or a secret is not valid, two have the same URL, or there are too
            many.
    """
    endpoints = tuple(_endpoint(body, index) for index, body in enumerate(bodies))
    if len(endpoints) > MAX_ENDPOINTS:
        expected = f"at most {MAX_ENDPOINTS} endpoints"
        raise InvalidRequest(
            f"An account can have {expected}",
            field="endpoints",
            value=len(endpoints),
            expected=expected,
        )
    if len({endpoint.url for endpoint in endpoints}) < len(endpoints):
        raise InvalidRequest(
            "Two endpoints have the same URL",
            field="endpoints",
            expected="one endpoint for each URL",
        )
    return endpoints


def _endpoint(body: EndpointBody, index: int) -> Endpoint:
    events = tuple(EventType) if body.events is None else tuple(dict.fromkeys(body.events))
    try:
        return Endpoint(
            checked_url(body.url, "url"),
            events,
            _checked_secret(body.secret, "secret"),
            _checked_previous_secret(body),
        )
    except InvalidRequest as error:
        at = f"endpoints[{index}]"
        details = {**error.details, "field": f"{at}.{error.details['field']}"}
        raise InvalidRequest(f"{at}.{error.message}", **details) from error


def _checked_previous_secret(body: EndpointBody) -> str | None:
    if body.secret is None and body.previous_secret is not None:
        raise InvalidRequest(
            "previousSecret needs a secret that follows it",
            field="previousSecret",
            expected="a secret as well",
        )
    return _checked_secret(body.previous_secret, "previousSecret")


def _checked_secret(secret: str | None, field: str) -> str | None:
    try:
        if secret is not None:
            key_of(secret)
    except ValueError as error:
        expected = "whsec_ and base64, as in Standard Webhooks"
        raise InvalidRequest(
            f"{field} must be {expected}", field=field, expected=expected
        ) from error
    return secret
