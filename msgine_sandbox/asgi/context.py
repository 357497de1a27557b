"""One request and what is found out about it, from the first check to the journal entry."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from msgine_sandbox.model.account import Account, Admission
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import Unauthorized
from msgine_sandbox.model.idempotency import StoredAnswer
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.services.client_warnings import FailedRequest
from msgine_sandbox.services.idempotency import KeyLock

UNREAD: Final = object()
"""In place of a body's JSON that has not been parsed yet; None is the JSON `null`."""
REFUSAL: Final = "msgine_sandbox.refusal"
"""Where the server's protocol puts, in the scope, the error that ended a body before its end."""
_KEY: Final = "msgine_sandbox.context"


class CredentialScheme(StrEnum):
    """How a credential was sent."""

    BEARER = "bearer"
    BARE = "bare"
    API_KEY = "x-api-key"


class RequestContext(msgspec.Struct, kw_only=True):
    """A request, and what each step of the pipeline finds out about it."""

    scope: Scope
    receive: Receive
    method: str
    """In capitals."""
    path: str
    """Below the base URL, or below the root of the sandbox."""
    entry: JournalEntry
    """What the journal keeps of the request, if it is one of the API."""
    received_at: Instant
    """Real time."""
    real_now: Instant
    """The real time at `entry.at`."""
    headers: dict[bytes, bytes]
    """The request's, by lower-case name: of one that is repeated, the last."""
    path_params: Mapping[str, Any] = {}
    """What the path has in place of the parameters of its resource."""
    body: bytes = b""
    content: Any = UNREAD
    """The body's JSON, once it has been parsed."""
    account: Account | None = None
    allowance: Admission | None = None
    """What the rate headers of the response say; None where it has none."""
    retried: FailedRequest | None = None
    """The failed request that this one repeats."""
    connection_cut: bool = False
    """Whether the exception that ends the request represents a closed connection.

    It must then reach the client, which runs in the same process, instead of a response.
    """
    key_lock: KeyLock | None = None
    """The lock on the key, where this is its first request."""
    response: Response | None = None
    """What is sent; None where the connection is closed without a response."""

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the query: of one that is repeated, the last."""
        # As Starlette's QueryParams, which also keeps those that are repeated.
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    @property
    def authenticated_account(self) -> Account:
        """The account of a request to the API, once its credential has been accepted."""
        assert self.account is not None  # noqa: S101  (the pipeline authenticates first)
        return self.account

    @property
    def account_id(self) -> int | None:
        """The id of the account, or None: in a control call, that is the whole sandbox."""
        return None if self.account is None else self.account.id

    def require_account(self) -> Account:
        """Return the account of a control call that is about one.

        Raises:
            Unauthorized: neither a credential nor an id names one.
        """
        if self.account is None:
            raise Unauthorized(
                "This call is about one account: send its token, as to the API itself"
            )
        return self.account

    def header(self, name: bytes) -> str | None:
        """Return a header of the request by its lower-case name.

        White space around a value is no part of it (RFC 9110, 5.5), and not every server removes
        it.
        """
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip(" \t")

    def repeats(self, name: bytes) -> bool:
        """Return whether the request has several headers of a lower-case name."""
        sent = self.scope["headers"]
        # Where no header is repeated, the usual case, this one is not.
        return len(sent) > len(self.headers) and sum(each == name for each, _ in sent) > 1

    def fingerprint(self) -> bytes:
        """Return a digest of method, path, query and body: the same for the same request again."""
        head = f"{self.method} {self.scope['path']}\n".encode() + self.scope["query_string"]
        return sha256(head + b"\n" + self.body).digest()

    def to_store(self, response: Response) -> StoredAnswer | None:
        """Return what the idempotency key stores of a response, where this is its first request.

        The handler stores it in the same transaction as the request's effect.
        """
        if self.key_lock is None:
            return None
        return self.key_lock.to_store(response.status_code, bytes(response.body))


def open_context(
    scope: Scope, receive: Receive, path: str, request_id: str, now: Instant
) -> RequestContext:
    """Return the context of a request that has just been received."""
    method: str = scope["method"]
    return RequestContext(
        scope=scope,
        receive=receive,
        method=method,
        path=path,
        entry=JournalEntry(
            request_id=request_id,
            at=now,
            method=method,
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
        ),
        received_at=now,
        real_now=now,
        headers=dict(scope["headers"]),
    )


def request_of(context: RequestContext) -> Request:
    """Return a request as handlers of the control API and of the page take it."""
    # A new scope, because one that its own context referred to would be a cycle, which only the
    # garbage collector would free, with both bodies.
    scope = {**context.scope, "path_params": context.path_params, _KEY: context}
    return Request(scope, context.receive)


def context_of(request: Request) -> RequestContext:
    """Return the context of such a request."""
    context: RequestContext = request.scope[_KEY]
    return context
