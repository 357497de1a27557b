"""What is known about a request so far, from the door to the handler and back."""

from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from msgine_sandbox.model.account import Account
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.idempotency import Remembered


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request's companion; each concern of the edge writes down what it found."""

    request_id: str
    now: Instant
    """Real time at the door; the account's time once the account is known."""
    body: bytes = b""
    account: Account | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """What every answer to this request carries, refusals included."""
    claim: Any = None
    """The claim on an idempotency key that the handler settles, if there is one."""

    @property
    def client(self) -> Account:
        """The account, where authentication has passed."""
        assert self.account is not None  # noqa: S101  (the routes' middleware sees to it)
        return self.account

    def settled(self, status: int, body: bytes) -> Remembered | None:
        """Give what the idempotency key is to remember of an answer."""
        return None if self.claim is None else self.claim.settled(status, body)


def visit_of(scope: Scope) -> Visit:
    """Give the visit that a request is."""
    visit: Visit = scope["msgine_sandbox.visit"]
    return visit
