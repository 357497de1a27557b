"""`/_sandbox/webhooks`: the account's endpoints, and every try to reach them."""

from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import read_json
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import Fields
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import attempt_view, endpoint_view, list_view
from msgine_sandbox.model.errors import InvalidRequest, NotFound
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.model.message import PREFIX
from msgine_sandbox.model.webhook import ATTEMPT_PREFIX, Endpoint, EventType, checked_url
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.webhooks.sender import WebhookSender
from msgine_sandbox.services.webhooks.signature import key_of
from msgine_sandbox.storage.webhooks import WebhookRows

MAX_ENDPOINTS = 16
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class WebhooksControl:
    """Endpoints and attempts."""

    def __init__(self, accounts: Accounts, rows: WebhookRows, sender: WebhookSender) -> None:
        self._accounts = accounts
        self._rows = rows
        self._sender = sender

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/webhooks", GET=self.read, PUT=self.replace),
            resource("/_sandbox/webhooks/attempts", GET=self.attempts),
            resource("/_sandbox/webhooks/attempts/{id}/resend", POST=self.resend),
        ]

    async def read(self, request: Request) -> Answer:
        """Give the account's endpoints."""
        endpoints = context_of(request).require_account().endpoints
        return json_answer({"endpoints": [endpoint_view(endpoint) for endpoint in endpoints]})

    async def replace(self, request: Request) -> Answer:
        """Put other endpoints in place of the account's, all or none of them."""
        account = context_of(request).require_account()
        body = read_json(request)
        body.forbid_unknown({"endpoints"}, "This call")
        endpoints = endpoints_of(body)
        await self._accounts.save(replace(account, endpoints=endpoints))
        return json_answer({"endpoints": [endpoint_view(endpoint) for endpoint in endpoints]})

    async def attempts(self, request: Request) -> Answer:
        """List tries, newest first; of one message where `messageId` names it."""
        query = Fields(request.query_params)
        query.forbid_unknown({"limit", "messageId"}, "The list of attempts")
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        wanted = query.text("messageId")
        message = None if wanted is None else parse_id(PREFIX, wanted) or 0
        found, total = await self._rows.attempts(context_of(request).account_id, message, limit)
        return json_answer(list_view(list(map(attempt_view, found)), total))

    async def resend(self, request: Request) -> Answer:
        """Send what an earlier try sent again, at once, and answer with the new try."""
        number = parse_id(ATTEMPT_PREFIX, request.path_params["id"])
        attempt = (
            None
            if number is None
            else await self._rows.attempt(number, context_of(request).account_id)
        )
        again = None if attempt is None else await self._sender.resend(attempt)
        if again is None:
            raise NotFound("Webhook attempt not found")
        return json_answer(attempt_view(again))


def endpoints_of(body: Fields) -> tuple[Endpoint, ...]:
    """Read an account's endpoints.

    Raises:
        InvalidRequest: one of them could never be told anything.
    """
    endpoints = tuple(_endpoint(each) for each in body.objects("endpoints"))
    if len(endpoints) > MAX_ENDPOINTS:
        expected = f"at most {MAX_ENDPOINTS} endpoints"
        raise InvalidRequest(
            f"Give {expected}", field="endpoints", value=len(endpoints), expected=expected
        )
    if len({endpoint.url for endpoint in endpoints}) < len(endpoints):
        expected = "one endpoint for each URL"
        raise InvalidRequest(f"Give {expected}", field="endpoints", expected=expected)
    return endpoints


def _endpoint(body: Fields) -> Endpoint:
    body.forbid_unknown({"url", "events", "secret"}, "An endpoint")
    url = checked_url(body.required_text("url"), "url")
    return Endpoint(url, _events(body), _secret(body))


def _events(body: Fields) -> tuple[EventType, ...]:
    events = body.get("events")
    if events is None:
        return tuple(EventType)
    if isinstance(events, list) and events and all(each in list(EventType) for each in events):
        return tuple(dict.fromkeys(map(EventType, events)))
    expected = "an array of " + ", ".join(EventType)
    raise InvalidRequest(
        f"events must be {expected}", field="events", value=events, expected=expected
    )


def _secret(body: Fields) -> str | None:
    secret = body.text("secret")
    try:
        if secret is not None:
            key_of(secret)
    except ValueError as error:
        expected = "whsec_ and base64, as in Standard Webhooks"
        raise InvalidRequest(
            f"secret must be {expected}", field="secret", expected=expected
        ) from error
    return secret
