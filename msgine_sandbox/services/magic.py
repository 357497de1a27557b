"""Magic recipients: a message to one of them has a certain outcome.

They work from any SDK in any language, because they need nothing but a recipient. One table of
names serves all channels: an SMS goes to the number of a name, an email to
`NAME@sandbox.msgine.test`, a push to the device token `sandbox-NAME`. Addresses and tokens may have
a label, `bounce+anything`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from msgine_sandbox.model.delivery import Recipient
from msgine_sandbox.model.fault import DeliveryEffect, RequestEffect
from msgine_sandbox.model.magic import (
    ALL,
    DOMAIN,
    MAGIC_BLOCK,
    TOKEN_PREFIX,
    MagicFault,
    MagicRecipient,
    Outcome,
)
from msgine_sandbox.model.webhook import WebhookMode

MARKS: Final = (MAGIC_BLOCK.removeprefix("+"), "sandbox")
"""Every body with a magic recipient contains one of these, unless JSON escapes hide it."""


class MagicOutcome(msgspec.Struct, frozen=True):
    """What happens to a delivery once its message is accepted."""

    rule: str | None = None
    """The magic name, where it decides the delivery."""
    delivery: DeliveryEffect = DeliveryEffect(outcome=Outcome.DELIVERED)
    webhooks: WebhookMode = WebhookMode.PLAIN


class RequestFault(msgspec.Struct, frozen=True):
    """What happens to requests that send to a recipient."""

    effect: RequestEffect
    times: int | None = None
    """To how many requests; None is to all."""


ORDINARY: Final = MagicOutcome()


def _outcome(row: MagicRecipient) -> MagicOutcome:
    effect = DeliveryEffect(outcome=row.outcome, after=row.after)
    rule = None if effect == ORDINARY.delivery else row.name
    return MagicOutcome(rule, effect, WebhookMode(row.webhooks))


OUTCOMES: Final[Mapping[str, MagicOutcome]] = {
    key: _outcome(each) for each in ALL if each.fault is None for key in (each.name, each.number)
}
"""The outcomes of deliveries, by name and by number."""


def _request_faults() -> Iterator[tuple[str, RequestFault]]:
    for each in ALL:
        if each.fault is not None:
            yield each.name, _request_fault(each.fault, None)
            yield each.number, _request_fault(each.fault, each.fault.number_code)


def _request_fault(row: MagicFault, code: str | None) -> RequestFault:
    # Without a status, the message is accepted, and only its response is late or lost. A retry with
    # the same idempotency key is answered normally, as after a real loss.
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
"""The faults of requests, by name and by number."""

_NAMED: Final = (
    rf"(?i)(?:user:)?{TOKEN_PREFIX}(?P<token>[a-z0-9-]+)(?:\+.*)?"
    rf"|(?P<local>[a-z0-9-]+)(?:\+[^@]*)?@{re.escape(DOMAIN)}"
)


def outcome_of(recipient: Recipient) -> MagicOutcome:
    """Return the outcome of deliveries to a recipient: the ordinary one unless it is magic."""
    return OUTCOMES.get(_key(recipient), ORDINARY)


def request_fault_of(recipient: Recipient) -> RequestFault | None:
    """Return what happens to requests that send to a recipient; None unless it is magic."""
    return REQUEST_FAULTS.get(_key(recipient))


def _key(recipient: Recipient) -> str:
    if recipient.startswith("+"):
        return recipient
    named = re.fullmatch(_NAMED, recipient)
    return (named["token"] or named["local"]).lower() if named else ""
