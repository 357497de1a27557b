"""The table of magic recipients: their names and digits, and what happens to messages to them.

It imports the standard library only, because the Python client reads it too. The control API lists
it for the page, and `docs/magic-numbers.md` is checked against it.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

MAGIC_BLOCK: Final = "+25670000"
"""How magic numbers begin; four digits follow, which are part of the contract."""
DOMAIN: Final = "sandbox.msgine.test"
"""Of magic addresses; RFC 6761 reserves `.test` for tests."""
TOKEN_PREFIX: Final = "sandbox-"  # noqa: S105  (nothing secret)
"""How magic device tokens begin."""

COUNTED_STATUSES: Final = (429, 500, 502, 503)
"""Statuses whose numbers end in how many requests are answered with them; 0 means all."""
FIXED_STATUSES: Final = (400, 401, 403)
"""Statuses with which all requests are answered."""
MAX_COUNT: Final = 9


class Outcome(StrEnum):
    """How a delivery ends, as delivery faults name it."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """After it was sent."""
    REFUSED = "refused"
    """Failed without being sent."""
    SENT = "sent"
    """It stays sent."""
    PENDING = "pending"
    """It stays pending."""


class MagicFault(NamedTuple):
    """What happens to requests that send to a recipient."""

    status: int | None = None
    """The status of the response."""
    times: int | None = None
    """How many of them; None is all."""
    number_code: str | None = None
    """The error's code where the recipient is a number, if it is not the status's own."""
    delay: float = 0
    """Seconds of real time before the response, once the message is accepted."""
    drops: bool = False
    """Whether the connection is closed without a response, once the message is accepted."""


class MagicRecipient(NamedTuple):
    """A name and a number, and what happens to messages to them."""

    name: str
    digits: str
    """The last four of its number."""
    what: str
    outcome: Outcome = Outcome.DELIVERED
    after: float | None = None
    """Seconds from acceptance to the last status; None is as for any other recipient."""
    webhooks: str = "plain"
    """The mode in which webhooks about the message are sent: a value of `WebhookMode`."""
    fault: MagicFault | None = None

    @property
    def number(self) -> str:
        """The phone number of the name."""
        return MAGIC_BLOCK + self.digits

    @property
    def address(self) -> str:
        """The email address of the name."""
        return f"{self.name}@{DOMAIN}"

    @property
    def token(self) -> str:
        """The device token of the name."""
        return TOKEN_PREFIX + self.name


def _answered() -> Iterator[MagicRecipient]:
    for status in FIXED_STATUSES:
        code = "invalid_phone_number" if status == 400 else None
        yield MagicRecipient(
            f"answered-{status}",
            f"{status}0",
            f"the send is answered {status}",
            fault=MagicFault(status, number_code=code),
        )
    for status in COUNTED_STATUSES:
        for count in range(MAX_COUNT + 1):
            yield MagicRecipient(
                f"answered-{status}-{count}" if count else f"answered-{status}",
                f"{status}{count}",
                _how_often(status, count),
                fault=MagicFault(status, times=count or None),
            )


def _how_often(status: int, count: int) -> str:
    if count == 0:
        return f"the send is answered {status}, every time"
    if count == 1:
        return f"the first send is answered {status}"
    return f"the first {count} sends are answered {status}"


ALL: Final = (
    MagicRecipient("delivered", "0000", "delivered, as any ordinary one"),
    MagicRecipient(
        "bounce",
        "0001",
        "sent, then failed; a push fails at once",
        outcome=Outcome.FAILED,
    ),
    MagicRecipient("refused", "0002", "failed without being sent", outcome=Outcome.REFUSED),
    MagicRecipient("stuck", "0003", "stays pending", outcome=Outcome.PENDING),
    MagicRecipient(
        "unconfirmed", "0004", "stays sent: no receipt ever comes", outcome=Outcome.SENT
    ),
    MagicRecipient("slow", "0005", "delivered an hour later", after=3600),
    MagicRecipient("webhooks-twice", "0006", "every webhook comes twice", webhooks="duplicate"),
    MagicRecipient(
        "webhooks-backwards",
        "0007",
        "the webhook of delivered comes before that of sent",
        webhooks="reorder",
    ),
    MagicRecipient(
        "webhooks-forged", "0008", "webhooks have a wrong signature", webhooks="wrong-signature"
    ),
    MagicRecipient("webhooks-lost", "0009", "webhooks are lost", webhooks="lose"),
    *_answered(),
    MagicRecipient(
        "answer-late", "4080", "accepted, but the answer takes 35 s", fault=MagicFault(delay=35)
    ),
    MagicRecipient(
        "answer-lost",
        "4990",
        "accepted, but the connection is closed without an answer",
        fault=MagicFault(drops=True),
    ),
)
