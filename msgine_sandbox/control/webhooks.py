"""`/_sandbox/webhooks`: the account's endpoints, and every try to reach them."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen, needed
from msgine_sandbox.control.shapes import attempt_shape, endpoint_shape, list_shape
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.errors import InvalidRequest, NotFound
from msgine_sandbox.model.ids import number_of
from msgine_sandbox.model.message import PREFIX
from msgine_sandbox.model.webhook import Endpoint, Event, checked_url
from msgine_sandbox.storage.webhooks import WebhookRows
from msgine_sandbox.webhooks.sender import Sender
from msgine_sandbox.webhooks.signature import key_of

MAX_ENDPOINTS = 16
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


class WebhooksControl:
    """Endpoints and attempts."""

    def __init__(self, accounts: Accounts, rows: WebhookRows, sender: Sender) -> None:
        self._accounts = accounts
        self._rows = rows
        self._sender = sender

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/webhooks", GET=self.read, PUT=self.replace),
            resource("/webhooks/attempts", GET=self.attempts),
            resource("/webhooks/attempts/{id}/resend", POST=self.resend),
        ]

    async def read(self, request: Request) -> Reply:
        """Give the account's endpoints."""
        endpoints = needed(request).endpoints
        return reply({"endpoints": [endpoint_shape(endpoint) for endpoint in endpoints]})

    async def replace(self, request: Request) -> Reply:
        """Put other endpoints in place of the account's, all or none of them."""
        account = needed(request)
        body = read_json(request)
        body.only({"endpoints"}, "This call")
        endpoints = endpoints_of(body)
        await self._accounts.save(replace(account, endpoints=endpoints))
        return reply({"endpoints": [endpoint_shape(endpoint) for endpoint in endpoints]})

    async def attempts(self, request: Request) -> Reply:
        """List tries, newest first; of one message where `messageId` names it."""
        query = Fields(request.query_params)
        query.only({"limit", "messageId"}, "The list of attempts")
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        wanted = query.text("messageId")
        message = None if wanted is None else number_of(PREFIX, wanted) or 0
        found, total = await self._rows.attempts(chosen(request), message, limit)
        return reply(list_shape(list(map(attempt_shape, found)), total))

    async def resend(self, request: Request) -> Reply:
        """Send what an earlier try sent again, at once, and answer with the new try."""
        number = number_of("att", request.path_params["id"])
        attempt = None if number is None else await self._rows.attempt(number, chosen(request))
        again = None if attempt is None else await self._sender.resend(attempt)
        if again is None:
            raise NotFound("Webhook attempt not found")
        return reply(attempt_shape(again))


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
    body.only({"url", "events", "secret"}, "An endpoint")
    url = checked_url(body.required_text("url"), "url")
    return Endpoint(url, _events(body), _secret(body))


def _events(body: Fields) -> tuple[Event, ...]:
    events = body.get("events")
    if events is None:
        return tuple(Event)
    if isinstance(events, list) and events and all(each in list(Event) for each in events):
        return tuple(dict.fromkeys(map(Event, events)))
    expected = "an array of " + ", ".join(Event)
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
