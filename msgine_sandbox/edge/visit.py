"""What is known about a request so far, from the door to the handler and back."""

from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec
from starlette.types import Scope

from msgine_sandbox.domain.idempotency import Claim
from msgine_sandbox.domain.retries import Failure
from msgine_sandbox.model.account import Account
from msgine_sandbox.model.admission import Admission
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.fault import Fault
from msgine_sandbox.model.idempotency import Remembered
from msgine_sandbox.model.warning import ClientWarning

UNREAD: Final = object()


class Spelling(StrEnum):
    """How a credential is written."""

    BEARER = "bearer"
    BARE = "bare"
    API_KEY = "x-api-key"


_KEY = "msgine_sandbox.visit"


class Visit(msgspec.Struct, kw_only=True):
    """One request's companion; each concern of the edge writes down what it found."""

    request_id: str
    began: Instant
    """Real time at the door."""
    now: Instant
    """The account's time once the account is known; real time before that."""
    asked: dict[bytes, bytes]
    """The request's headers by lower-case name; read once, because they are looked at often."""
    signed: dict[bytes, bytes] = {}
    """The headers that every answer to this request carries, refusals included."""
    body: bytes = b""
    content: Any = UNREAD
    """The body's JSON, once somebody has read it."""
    account: Account | None = None
    claim: Claim | None = None
    """The claim on an idempotency key that the handler settles, if there is one."""
    key: str | None = None
    """The idempotency key, where one was asked about."""
    replayed: bool = False
    """Whether the answer is the one that an idempotency key got first."""
    struck: Fault | None = None
    """The fault that the request met."""
    spelling: Spelling | None = None
    admission: Admission | None = None
    repeats: Failure | None = None
    """The failed request that this one repeats."""
    accepted: str | None = None
    """The message that the request brought about."""
    cut: bool = False
    """Whether the request is to have no answer, and what is raised is to go on to the client."""
    code: str | None = None
    """The error's, where the answer is a refusal."""
    warnings: list[ClientWarning] = []

    @property
    def client(self) -> Account:
        """The account, where authentication has passed."""
        assert self.account is not None  # noqa: S101  (the routes' middleware sees to it)
        return self.account

    def header(self, name: bytes) -> str | None:
        """Give a header of the request by its lower-case name."""
        value = self.asked.get(name)
        return None if value is None else value.decode("latin-1")

    def settled(self, status: int, body: bytes) -> Remembered | None:
        """Give what the idempotency key is to remember of an answer."""
        return None if self.claim is None else self.claim.settled(status, body)


def fingerprint(scope: Scope, visit: Visit) -> bytes:
    """Give what is the same in two requests that ask for the same: method, path, query and body."""
    asked = f"{scope['method']} {scope['path']}\n".encode() + scope["query_string"] + b"\n"
    return sha256(asked + visit.body).digest()


def begin(scope: Scope, request_id: str, now: Instant) -> Visit:
    """Open the visit that a request is."""
    visit = Visit(request_id=request_id, began=now, now=now, asked=dict(scope["headers"]))
    scope[_KEY] = visit
    return visit


def visit_of(scope: Scope) -> Visit:
    """Give the visit that a request is."""
    visit: Visit = scope[_KEY]
    return visit
