"""Magic recipients: they decide what becomes of a message, whoever sends to them.

They work from any SDK in any language, because a recipient is all they need. One table of names
serves all channels: an SMS goes to the number of a name, an email to `NAME@sandbox.msgine.test`, a
push to the device token `sandbox-NAME`. Addresses and tokens may have a label, `bounce+anything`.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

import msgspec

from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.message import Recipient
from msgine_sandbox.model.recipients import MAGIC_BLOCK
from msgine_sandbox.model.webhook import WebhookMode

DOMAIN: Final = "sandbox.msgine.test"
"""Of magic addresses; RFC 6761 reserves `.test` for tests."""
TOKEN_PREFIX: Final = "sandbox-"  # noqa: S105  (nothing secret)
"""How magic device tokens begin."""
MARKS: Final = (MAGIC_BLOCK.removeprefix("+").encode(), b"sandbox")
"""One of these is in every body that has a magic recipient, unless it is written with escapes."""


class DeliveryPlan(Enum):
    """How a delivery proceeds."""

    DELIVERED = auto()
    DELIVERED_AN_HOUR_LATER = auto()
    FAILS_AFTER_SENDING = auto()
    REFUSED = auto()
    STAYS_PENDING = auto()
    STAYS_SENT = auto()


class MagicOutcome(msgspec.Struct, frozen=True):
    """What becomes of a delivery to a recipient once its message is accepted."""

    plan: DeliveryPlan = DeliveryPlan.DELIVERED
    webhooks: WebhookMode = WebhookMode.PLAIN


class RequestFault(msgspec.Struct, frozen=True):
    """What a recipient does to requests that send to it, and to how many; None is to all."""

    effect: RequestEffect
    times: int | None = None


class MagicRecipient(msgspec.Struct, frozen=True):
    """One thing that a recipient can bring about, by its name and its number."""

    name: str
    number: str
    what: str
    outcome: MagicOutcome | None = None
    fault: RequestFault | None = None
    number_fault: RequestFault | None = None
    """What the number does where that differs from what the name does."""

    @property
    def address(self) -> str:
        """The email address that has the name."""
        return f"{self.name}@{DOMAIN}"

    @property
    def token(self) -> str:
        """The device token that has the name."""
        return f"{TOKEN_PREFIX}{self.name}"


ORDINARY: Final = MagicOutcome()

_BY_OUTCOME: Final = (
    ("delivered", "0000", "delivered, as any ordinary one", ORDINARY),
    (
        "bounce",
        "0001",
        "sent, then failed; a push fails at once",
        MagicOutcome(DeliveryPlan.FAILS_AFTER_SENDING),
    ),
    ("refused", "0002", "failed without being sent", MagicOutcome(DeliveryPlan.REFUSED)),
    ("stuck", "0003", "stays pending", MagicOutcome(DeliveryPlan.STAYS_PENDING)),
    (
        "unconfirmed",
        "0004",
        "stays sent: no receipt ever comes",
        MagicOutcome(DeliveryPlan.STAYS_SENT),
    ),
    (
        "slow",
        "0005",
        "delivered an hour later",
        MagicOutcome(DeliveryPlan.DELIVERED_AN_HOUR_LATER),
    ),
    (
        "webhooks-twice",
        "0006",
        "every webhook comes twice",
        MagicOutcome(webhooks=WebhookMode.DUPLICATE),
    ),
    (
        "webhooks-backwards",
        "0007",
        "the webhook of delivered comes before that of sent",
        MagicOutcome(webhooks=WebhookMode.REORDER),
    ),
    (
        "webhooks-forged",
        "0008",
        "webhooks have a wrong signature",
        MagicOutcome(webhooks=WebhookMode.WRONG_SIGNATURE),
    ),
    ("webhooks-lost", "0009", "webhooks are lost", MagicOutcome(webhooks=WebhookMode.LOSE)),
)

_COUNTED_STATUSES: Final = (429, 500, 502, 503)
"""The last digit of a number counts: 0 is every time, 1 to 9 the first so many requests."""
_FIXED_STATUSES: Final = (400, 401, 403)
_INVALID_NUMBER: Final = RequestFault(RequestEffect(status=400, code="invalid_phone_number"))
_ANSWER_LATE: Final = RequestFault(RequestEffect(delay=35, commit=True, spares_replays=True))
_ANSWER_LOST: Final = RequestFault(RequestEffect(drop=True, commit=True, spares_replays=True))


def _how_often(status: int, count: int) -> str:
    if count == 0:
        return f"the send is answered {status}, every time"
    if count == 1:
        return f"the first send is answered {status}"
    return f"the first {count} sends are answered {status}"


def _all() -> Iterator[MagicRecipient]:
    for name, end, what, outcome in _BY_OUTCOME:
        yield MagicRecipient(name, f"{MAGIC_BLOCK}{end}", what, outcome=outcome)
    for status in _FIXED_STATUSES:
        yield MagicRecipient(
            f"answered-{status}",
            f"{MAGIC_BLOCK}{status}0",
            f"the send is answered {status}",
            fault=RequestFault(RequestEffect(status=status)),
            number_fault=_INVALID_NUMBER if status == _INVALID_NUMBER.effect.status else None,
        )
    for status in _COUNTED_STATUSES:
        for count in range(10):
            yield MagicRecipient(
                f"answered-{status}-{count}" if count else f"answered-{status}",
                f"{MAGIC_BLOCK}{status}{count}",
                _how_often(status, count),
                fault=RequestFault(RequestEffect(status=status), count or None),
            )
    yield MagicRecipient(
        "answer-late",
        f"{MAGIC_BLOCK}4080",
        "accepted, but the answer takes 35 s",
        fault=_ANSWER_LATE,
    )
    yield MagicRecipient(
        "answer-lost",
        f"{MAGIC_BLOCK}4990",
        "accepted, but the connection is closed without an answer",
        fault=_ANSWER_LOST,
    )


ALL: Final = tuple(_all())
"""The table of magic recipients, which the client, the page and the docs read or are checked by."""

OUTCOMES: Final[Mapping[str, MagicOutcome]] = {
    key: each.outcome for each in ALL if each.outcome for key in (each.name, each.number)
}
"""What becomes of deliveries, by name and by number."""
REQUEST_FAULTS: Final[Mapping[str, RequestFault]] = {
    key: fault
    for each in ALL
    if each.fault
    for key, fault in ((each.name, each.fault), (each.number, each.number_fault or each.fault))
}
"""What happens to requests, by name and by number."""
_NAMED: Final = re.compile(
    rf"(?:user:)?{TOKEN_PREFIX}(?P<token>[a-z0-9-]+)(?:\+.*)?"
    rf"|(?P<local>[a-z0-9-]+)(?:\+[^@]*)?@{re.escape(DOMAIN)}",
    re.IGNORECASE,
)


def outcome_of(recipient: Recipient) -> MagicOutcome:
    """Return what becomes of deliveries to a recipient; for most, nothing special."""
    return OUTCOMES.get(_key(recipient), ORDINARY)


def request_fault_of(recipient: Recipient) -> RequestFault | None:
    """Return what a recipient does to requests; most do nothing."""
    return REQUEST_FAULTS.get(_key(recipient))


def _key(recipient: Recipient) -> str:
    if recipient.startswith("+"):
        return recipient
    named = _NAMED.fullmatch(recipient)
    return (named["token"] or named["local"]).lower() if named else ""
