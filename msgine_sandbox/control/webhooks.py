"""`/_sandbox/webhooks`: the account's endpoints, and every attempt to send to them."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.bodies import Body, read_body_as
from msgine_sandbox.control.lists import Detail, ListPage
from msgine_sandbox.control.views import attempt_summary, attempt_view, endpoints_view
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
from msgine_sandbox.storage.webhooks import AttemptFilter, WebhookRows

MAX_ENDPOINTS = 16
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


_parse_attempt_id: Final = partial(parse_id, ATTEMPT_PREFIX)


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
        rows: WebhookRows,
        sender: WebhookSender,
        form: AnswerForm,
    ) -> None:
        self._accounts = accounts
        self._carrier = carrier
        self._rows = rows
        self._sender = sender
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/webhooks", GET=self.read, PUT=self.replace),
            resource("/_sandbox/webhooks/attempts", GET=self.attempts),
            resource("/_sandbox/webhooks/attempts/{id}", GET=self.read_attempt),
            resource("/_sandbox/webhooks/attempts/{id}/resend", POST=self.resend),
        ]

    async def read(self, request: Request) -> Answer:
        """Return the account's endpoints."""
        return json_answer(endpoints_view(context_of(request).require_account().endpoints))

    async def replace(self, request: Request) -> Answer:
        """Replace all endpoints of the account, or none where one is refused."""
        account = context_of(request).require_account()
        endpoints = endpoints_of(read_body_as(request, EndpointsBody).endpoints)
        with self._carrier.hearing(account.id):
            # Before the endpoints are stored: if that fails, nothing else has changed.
            await self._carrier.follow(account.id)
            await self._accounts.save(replace(account, endpoints=endpoints))
        return json_answer(endpoints_view(endpoints))

    async def attempts(self, request: Request) -> Answer:
        """List attempts, newest first; of one message where `messageId` names it."""
        names = {"before", "limit", "messageId", "view"}
        query = ControlQuery(request.query_params, names, "The list of attempts")
        page = ListPage(query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT))
        view = attempt_summary if query.choice("view", Detail) else attempt_view
        wanted = AttemptFilter(
            account=context_of(request).account_id,
            message=query.row_id("messageId", parse_message_id, "a message"),
            before=query.row_id("before", _parse_attempt_id, "a webhook attempt"),
        )
        slices = Slices()
        async for attempt in self._rows.search(wanted):
            page.add(view(attempt, self._form))
            if page.is_full:
                break
            await slices.pause()
        return page.answer(await self._rows.count(wanted))

    async def read_attempt(self, request: Request) -> Answer:
        """Return one attempt."""
        return json_answer(attempt_view(await self._attempt(request), self._form))

    async def resend(self, request: Request) -> Answer:
        """Send the webhook of an earlier attempt again, at once; return the new attempt."""
        again = await self._sender.resend(await self._attempt(request))
        if again is None:
            raise NotFound("Webhook attempt not found")
        return json_answer(attempt_view(again, self._form))

    async def _attempt(self, request: Request) -> Attempt:
        account_id = context_of(request).account_id
        attempt_id = _parse_attempt_id(request.path_params["id"])
        attempt = None if attempt_id is None else await self._rows.attempt(attempt_id, account_id)
        if attempt is None:
            raise NotFound("Webhook attempt not found")
        return attempt


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
