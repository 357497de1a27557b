"""Magic recipients: they decide what becomes of a message, whoever sends to them.

They work from any SDK in any language, because a recipient is all they take. One list of names
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
from msgine_sandbox.model.phone import MAGIC_BLOCK
from msgine_sandbox.model.webhook import Telling

DOMAIN: Final = "sandbox.msgine.test"
"""Of magic addresses; RFC 6761 keeps `.test` for tests."""
CALL_SIGN: Final = "sandbox-"
"""How magic device tokens begin."""
MARKS: Final = (MAGIC_BLOCK.removeprefix("+").encode(), b"sandbox")
"""One of these is in every body that has a magic recipient, where no escapes hide it."""


class Course(Enum):
    """How a delivery goes."""

    ARRIVES = auto()
    ARRIVES_AN_HOUR_LATER = auto()
    FAILS_AFTER_SENDING = auto()
    IS_REFUSED = auto()
    STAYS_PENDING = auto()
    STAYS_SENT = auto()


class Fate(msgspec.Struct, frozen=True):
    """What a recipient brings about once its message is accepted."""

    course: Course = Course.ARRIVES
    telling: Telling = Telling.PLAIN


class Trap(msgspec.Struct, frozen=True):
    """What a recipient does to the requests that send to it, and to how many; None is to all."""

    effect: RequestEffect
    times: int | None = None


ORDINARY: Final = Fate()

_FATES: Final[Mapping[str, tuple[str, Fate]]] = {
    "delivered": ("0000", ORDINARY),
    "bounce": ("0001", Fate(Course.FAILS_AFTER_SENDING)),
    "refused": ("0002", Fate(Course.IS_REFUSED)),
    "stuck": ("0003", Fate(Course.STAYS_PENDING)),
    "unconfirmed": ("0004", Fate(Course.STAYS_SENT)),
    "slow": ("0005", Fate(Course.ARRIVES_AN_HOUR_LATER)),
    "webhooks-twice": ("0006", Fate(telling=Telling.TWICE)),
    "webhooks-backwards": ("0007", Fate(telling=Telling.BACKWARDS)),
    "webhooks-forged": ("0008", Fate(telling=Telling.FORGED)),
    "webhooks-lost": ("0009", Fate(telling=Telling.LOST)),
}
"""What becomes of a message, by name, and the number that has the name."""

_PASSING: Final = (429, 500, 502, 503)
"""What the last digit of a number counts: 0 is every time, 1 to 9 the first so many."""

_LASTING: Final[Mapping[str, tuple[str, RequestEffect]]] = {
    "answered-400": ("4000", RequestEffect(status=400)),
    "answered-401": ("4010", RequestEffect(status=401)),
    "answered-403": ("4030", RequestEffect(status=403)),
    "answer-late": ("4080", RequestEffect(delay=35, commit=True, spares_replays=True)),
    "answer-lost": ("4990", RequestEffect(drop=True, commit=True, spares_replays=True)),
}
_BAD_NUMBER: Final = RequestEffect(status=400, code="invalid_phone_number")


def _traps() -> Iterator[tuple[str, str, Trap]]:
    for name, (end, effect) in _LASTING.items():
        yield name, end, Trap(effect)
    for status in _PASSING:
        for count in range(10):
            often = f"-{count}" if count else ""
            trap = Trap(RequestEffect(status=status), count or None)
            yield f"answered-{status}{often}", f"{status}{count}", trap


FATES: Final[Mapping[str, Fate]] = {
    key: fate for name, (end, fate) in _FATES.items() for key in (name, f"{MAGIC_BLOCK}{end}")
}
"""What becomes of a message, by name and by number."""

TRAPS: Final[Mapping[str, Trap]] = {
    key: trap for name, end, trap in _traps() for key in (name, f"{MAGIC_BLOCK}{end}")
} | {f"{MAGIC_BLOCK}4000": Trap(_BAD_NUMBER)}
"""What becomes of requests, by name and by number."""

_SPELLED: Final = re.compile(
    rf"(?:user:)?{CALL_SIGN}(?P<token>[a-z0-9-]+)(?:\+.*)?"
    rf"|(?P<local>[a-z0-9-]+)(?:\+[^@]*)?@{re.escape(DOMAIN)}",
    re.IGNORECASE,
)


def fate_of(recipient: Recipient) -> Fate:
    """Give what a recipient brings about; most bring about nothing special."""
    return FATES.get(_key(recipient), ORDINARY)


def trap_of(recipient: Recipient) -> Trap | None:
    """Give what a recipient does to requests; most do nothing."""
    return TRAPS.get(_key(recipient))


def _key(recipient: Recipient) -> str:
    if recipient.startswith("+"):
        return recipient
    spelled = _SPELLED.fullmatch(recipient)
    return (spelled["token"] or spelled["local"]).lower() if spelled else ""
