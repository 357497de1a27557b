"""Who may use a local sandbox: under which host names, from which sites, with which token."""

import hmac
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.credentials import credential
from msgine_sandbox.asgi.tickets import SECONDS, Tickets
from msgine_sandbox.model.account import PREFIX, Account
from msgine_sandbox.model.errors import (
    Forbidden,
    InvalidRequest,
    MisdirectedRequest,
    NotFound,
    Unauthorized,
)
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.webhooks.sender import USER_AGENT
from msgine_sandbox.services.webhooks.targets import is_loopback
from msgine_sandbox.settings import is_address, is_host, is_token

CONTROL_HEADER: Final = "X-Control-Token"
ACCOUNT_HEADER: Final = "X-Sandbox-Account"
"""Names an account by its id, for the page in the browser, which does not have its token."""
TICKET: Final = "ticket"
"""The parameter of a query with a ticket, instead of the control token."""

_TICKETED: Final = r"/_sandbox/messages/[^/]+/html"
"""The paths that a frame of the page shows."""

_CONTROL_HEADER: Final = CONTROL_HEADER.lower().encode()
_ACCOUNT_HEADER: Final = ACCOUNT_HEADER.lower().encode()
_ROOT: Final = "/_sandbox/"
_OF_ONE_ACCOUNT: Final = frozenset(
    {
        "account",
        "accounts",
        "clock",
        "coverage",
        "definitions",
        "events",
        "faults",
        "magic",
        "messages",
        "report",
        "requests",
        "reset",
        "scenario",
        "webhooks",
    }
)
"""Calls, by the first word of their path, that are about the account of a call which has one, or
the same for everybody. Another call needs the control token until it is entered here."""

_LOCAL_NAMES: Final = ("localhost", "host.docker.internal")
_BARE_NAME: Final = r"[a-z0-9_-]+"
_MAX_PORT: Final = 65_535
_HOST: Final = r"(\[[^\]]*\]|[^:\[]*)(:0*(?P<port>[0-9]{0,5}))?"
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_BROWSER: Final = b"Mozilla/"
"""How the `User-Agent` of every browser begins."""
_NOT_SENT_BY_FOREIGN_PAGES: Final = frozenset(
    {
        b"origin",  # as the next one, it has been checked: it is the sandbox's own
        b"sec-fetch-site",
        b"authorization",
        b"x-api-key",
        b"last-event-id",
        _CONTROL_HEADER,
        _ACCOUNT_HEADER,
    }
)


class HostCheck:
    """Refuses requests for other hosts with 421, which prevents DNS rebinding.

    An address instead of a name is always accepted: rebinding needs a name. With `bare_names`, so
    is every name without a dot, such as the `testserver` of Starlette's `TestClient`: nobody can
    register one in the public DNS.
    """

    def __init__(self, allowed: Iterable[str], *, bare_names: bool = False) -> None:
        self._bare_names = bare_names
        self._advice = (
            "create it with Settings(allowed_host=({0!r},)), as --allowed-host of the command"
            if bare_names
            else "start it with --allowed-host {0} or MSGINE_SANDBOX_ALLOWED_HOST={0}"
        )
        self._allowed = {name.lower() for name in (*_LOCAL_NAMES, *allowed)}
        # Cached, because every request has a host, and clients have few.
        self._is_allowed = lru_cache(256)(self._allows)

    def check(self, context: RequestContext) -> None:
        """Raise unless there is one Host header, with an allowed name or an address.

        Raises:
            InvalidRequest: there are several, or none in HTTP/1.1 (RFC 9112, 3.2).
            MisdirectedRequest: it is another name.
        """
        if context.repeats(b"host"):
            raise InvalidRequest("Send one Host header", field="Host", expected="one header")
        sent = context.headers.get(b"host")
        if sent is None and context.scope["http_version"] == "1.1":
            raise InvalidRequest("Send a Host header", field="Host", expected="one header")
        if not self._is_allowed(sent):
            host = context.header(b"host") or ""
            name = _host_name(host)
            advice = self._advice.format(name if is_host(name) else "NAME")
            if self._is_allowed_name(name):
                advice = "what follows the name must be a port, up to 65535"
            raise MisdirectedRequest(
                f"This sandbox does not answer as {host!r}; {advice}",
                field="Host",
                value=host,
            )

    def _allows(self, sent: bytes | None) -> bool:
        host = (sent or b"").decode("latin-1").strip(" \t")
        return self._is_allowed_name(_host_name(host)) and _has_port(host)

    def _is_allowed_name(self, name: str) -> bool:
        return (
            name in self._allowed
            or name.endswith(".localhost")
            or is_address(name)
            or (self._bare_names and re.fullmatch(_BARE_NAME, name) is not None)
        )


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _has_port(host: str) -> bool:
    """Return whether after the name there is nothing, or what can be a port (RFC 3986, 3.2.3)."""
    found = re.fullmatch(_HOST, host)
    return found is not None and int(found["port"] or 0) <= _MAX_PORT


def check_origin(context: RequestContext) -> None:
    """Raise Forbidden if another site's page, or a webhook, uses the control API.

    A local server can be reached from any page; no CORS header is ever sent. A webhook could call
    it where an endpoint's URL is one of this or another sandbox.
    """
    if (context.header(b"user-agent") or "").startswith(f"{USER_AGENT}/"):
        raise Forbidden("A webhook of a sandbox may not steer a sandbox", field="User-Agent")
    site = context.header(b"sec-fetch-site") or "none"
    origin = context.header(b"origin")
    is_foreign = origin is not None and _origin_host(origin) != context.header(b"host")
    if is_foreign or site not in _OWN_SITES:
        raise Forbidden(
            "Another site's page may not use this sandbox; a proxy has to pass Host on as it is",
            field="Origin" if is_foreign else "Sec-Fetch-Site",
            value=origin if is_foreign else site,
        )
    if _may_be_foreign(context):
        raise Forbidden(
            "A browser does not say which site's page calls: open the sandbox's own page at /, or "
            "send a credential",
            field="Referer",
            value=context.header(b"referer"),
        )


def _may_be_foreign(context: RequestContext) -> bool:
    """Return whether a page of any site may have caused a request, which nothing in it disproves.

    To a host on the network, browsers send no `Sec-Fetch-Site`, and no `Origin` with what an `img`
    requests. A header that no page may send to another site shows that it is none, as does the
    sandbox's own page in `Referer`. Other programs are not asked: they are told by `User-Agent`,
    which no page can change.
    """
    headers = context.headers
    if not headers.get(b"user-agent", b"").startswith(_BROWSER):
        return False
    if not headers.keys().isdisjoint(_NOT_SENT_BY_FOREIGN_PAGES):
        return False
    host = context.header(b"host") or ""
    referer = context.header(b"referer")
    return not (is_loopback(_host_name(host)) or (referer and _origin_host(referer) == host))


def _origin_host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


class ControlAuth:
    """Requires the control token where one is set, and finds the account that a call is about.

    With `account_pages`, the token of an account is enough for calls about that account alone.
    """

    def __init__(
        self,
        accounts: Accounts,
        token: str | None,
        tickets: Tickets,
        *,
        account_pages: bool = False,
    ) -> None:
        self._accounts = accounts
        self._token = token
        self._tickets = tickets
        self._account_pages = account_pages

    async def authenticate(self, context: RequestContext) -> None:
        """Set the context's account: the credential's, else the one that is named by its id.

        With a ticket, it is the ticket's.

        Raises:
            Unauthorized: the control token is missing or wrong, or the credential or the ticket is
                refused.
            Forbidden: the token of an account does not allow the call.
            NotFound: there is no account with that id.
        """
        sent = context.header(_CONTROL_HEADER)
        ticket = self._ticket(context)
        if ticket is not None:
            context.account = self._account_of(ticket, context)
        elif self._token is None or hmac.compare_digest(
            (sent or "").encode(), self._token.encode()
        ):
            context.account = await self._named(context)
        else:
            context.account = await self._own(context, sent)
        if context.account is not None:
            context.entry.at = self._accounts.now(context.account.id)

    async def _own(self, context: RequestContext, sent: str | None) -> Account:
        """Return the only account that a call without the control token may be about.

        The page sends the account's token in place of the control token, other clients as the API
        takes it. What is neither opens no account, so that it is refused as a wrong control token.
        """
        if not self._account_pages:
            raise Unauthorized(f"Send the sandbox's --control-token as {CONTROL_HEADER}")
        token = credential(context, strict=False)
        account = None
        if sent is not None:
            account = await self._accounts.known(sent) if is_token(sent) else None
            other = account if token is None else await self._accounts.known(token)
        elif token is not None:
            account = other = await self._accounts.with_token(token)
        if account is None:
            raise Unauthorized(
                f"Send the sandbox's --control-token or the token of an account as {CONTROL_HEADER}"
            )
        if other is None or other.id != account.id:
            raise Forbidden("The two tokens are of different accounts", field=CONTROL_HEADER)
        account_id = context.header(_ACCOUNT_HEADER)
        if account_id is not None and parse_id(PREFIX, account_id) != account.id:
            # The same whether there is such an account or not.
            raise Forbidden("The token is of another account", field=ACCOUNT_HEADER)
        if context.path.removeprefix(_ROOT).partition("/")[0] not in _OF_ONE_ACCOUNT:
            raise Forbidden(
                "This call is about the whole sandbox: it needs the control token",
                field=CONTROL_HEADER,
            )
        return account

    def _ticket(self, context: RequestContext) -> str | None:
        """Return the ticket of a request that can have one."""
        is_read = context.method in {"GET", "HEAD"}
        is_ticketed = is_read and re.fullmatch(_TICKETED, context.path) is not None
        return context.query.get(TICKET) if is_ticketed else None

    def _account_of(self, ticket: str, context: RequestContext) -> Account:
        """Return the account that a ticket is for, which a credential does not change."""
        account_id = self._tickets.account_id(ticket, context.path)
        account = None if account_id is None else self._accounts.find(account_id)
        if account is None:
            raise Unauthorized(
                f"This is no ticket for this path, or it is older than {SECONDS} s", field=TICKET
            )
        return account

    async def _named(self, context: RequestContext) -> Account | None:
        token = credential(context, strict=False)
        if token is not None:
            return await self._accounts.with_token(token)
        account_id = context.header(_ACCOUNT_HEADER)
        if account_id is None:
            return None
        account = self._accounts.find(parse_id(PREFIX, account_id))
        if account is None:
            raise NotFound(
                f"There is no account {account_id}", field=ACCOUNT_HEADER, value=account_id
            )
        return account
