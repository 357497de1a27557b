"""Magic recipients: they decide what becomes of a message, whoever sends to them.

They work from any SDK in any language, because a recipient is all they need. One table of names
serves all channels: an SMS goes to the number of a name, an email to `NAME@sandbox.msgine.test`, a
push to the device token `sandbox-NAME`. Addresses and tokens may have a label, `bounce+anything`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.magic import (
    ALL,
    DOMAIN,
    MAGIC_BLOCK,
    TOKEN_PREFIX,
    DeliveryPlan,
    MagicFault,
)
from msgine_sandbox.model.message import Recipient
from msgine_sandbox.model.webhook import WebhookMode

MARKS: Final = (MAGIC_BLOCK.removeprefix("+").encode(), b"sandbox")
"""One of these is in every body that has a magic recipient, unless it is written with escapes."""


class MagicOutcome(msgspec.Struct, frozen=True):
    """What becomes of a delivery to a recipient once its message is accepted."""

    plan: DeliveryPlan = DeliveryPlan.DELIVERED
    webhooks: WebhookMode = WebhookMode.PLAIN


class RequestFault(msgspec.Struct, frozen=True):
    """What happens to requests that send to a recipient, and to how many; None is to all."""

    effect: RequestEffect
    times: int | None = None


ORDINARY: Final = MagicOutcome()
OUTCOMES: Final[Mapping[str, MagicOutcome]] = {
    key: MagicOutcome(each.plan, WebhookMode(each.webhooks))
    for each in ALL
    if each.fault is None
    for key in (each.name, each.number)
}
"""What becomes of deliveries, by name and by number."""


def _request_faults() -> Iterator[tuple[str, RequestFault]]:
    for each in ALL:
        if each.fault is not None:
            yield each.name, _request_fault(each.fault, None)
            yield each.number, _request_fault(each.fault, each.fault.number_code)


def _request_fault(row: MagicFault, code: str | None) -> RequestFault:
    # Without a status, the message is accepted, and only the response suffers. A retry with the
    # same idempotency key is answered, or the message could never be learned of.
    is_accepted = row.status is None
    effect = RequestEffect(
        status=row.status,
        code=code,
        delay=row.delay,
        drop=row.drops,
        commit=is_accepted,
        spares_replays=is_accepted,
    )
    return RequestFault(effect, row.times)


REQUEST_FAULTS: Final[Mapping[str, RequestFault]] = dict(_request_faults())
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
