"""`/_sandbox/messages/{id}/html`: the HTML of an email as a page of its own, which can do nothing.

It is for a frame of the inbox. Anybody can send an email to a sandbox, so its HTML runs no script,
loads nothing, submits no form and is of no origin, wherever it is opened.
"""

import re
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.fields import ControlQuery
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.asgi.security import TICKET
from msgine_sandbox.asgi.tickets import Tickets
from msgine_sandbox.control.messages import message_of
from msgine_sandbox.control.views import View
from msgine_sandbox.model.clock import iso_micros
from msgine_sandbox.model.errors import NotFound
from msgine_sandbox.model.message import AnswerForm, EmailParts, Message
from msgine_sandbox.storage.store import Store

_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'"
)
HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


_CONNECTING: Final = r"(?i)(?<=<)(?:link|frame|(/?)iframe)(?=[\t\n\f\r />])"
"""The names of elements for which browsers connect to hosts, although no request is allowed.

A tag begins with `<` and its name as they stand, wherever it is: references such as `&lt;` are for
texts and values (HTML standard, 13.2.5).
"""


def without_connections(html: str) -> str:
    """Return HTML in which no element opens a connection.

    In place of `link` and `frame` it has an element that is parsed in the same way, and does
    nothing; in place of `iframe`, which mail programs do not show, one that is not shown.
    """
    return re.sub(
        _CONNECTING,
        lambda found: "basefont" if found[1] is None else f"{found[1]}noframes",
        html,
    )


class HtmlAnswer(Answer):
    """The HTML of an email, as it was sent, but for what would open connections."""

    content_type = b"text/html; charset=utf-8"

    def __init__(self, html: str) -> None:
        super().__init__(without_connections(html).encode(errors="replace"), headers=HEADERS)


class TicketView(View, frozen=True, kw_only=True):
    """Where the HTML of a message can be read without a header, and until when."""

    url: str
    """A path with its query."""
    expires_at: str
    """Real time."""


class HtmlControl:
    """Returns the HTML of emails, and tickets for requests that cannot send a control token."""

    def __init__(self, store: Store, tickets: Tickets, form: AnswerForm) -> None:
        self._store = store
        self._tickets = tickets
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/messages/{id}/html", has_query=True, GET=self.read),
            resource("/_sandbox/messages/{id}/ticket", POST=self.issue_ticket),
        ]

    async def read(self, request: Request) -> Answer:
        """Return the HTML of an email as a page that runs and loads nothing."""
        ControlQuery(request.query_params, {TICKET}, "The HTML of a message")
        _, html = await self._email(request)
        return HtmlAnswer(html)

    async def issue_ticket(self, request: Request) -> Answer:
        """Return the URL of an email's HTML with a ticket, which is valid for 60 s."""
        message, _ = await self._email(request)
        path = f"/_sandbox/messages/{self._form.message_id(message.id)}/html"
        ticket, expires_at = self._tickets.issue(path, message.account)
        query = urlencode({TICKET: ticket})
        return json_answer(TicketView(url=f"{path}?{query}", expires_at=iso_micros(expires_at)))

    async def _email(self, request: Request) -> tuple[Message, str]:
        message = await message_of(request, self._store)
        parts = message.parts
        if not isinstance(parts, EmailParts) or parts.html is None:
            raise NotFound("The message has no HTML")
        return message, parts.html
