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


class Magic(msgspec.Struct, frozen=True):
    """One thing that a recipient can bring about, by its name and its number."""

    name: str
    number: str
    what: str
    fate: Fate | None = None
    trap: Trap | None = None
    number_trap: Trap | None = None
    """What the number does, where it is something else than what the name does."""

    @property
    def address(self) -> str:
        """The email address that has the name."""
        return f"{self.name}@{DOMAIN}"

    @property
    def token(self) -> str:
        """The device token that has the name."""
        return f"{CALL_SIGN}{self.name}"


ORDINARY: Final = Fate()

_FATES: Final = (
    ("delivered", "0000", "delivered, as any ordinary one", ORDINARY),
    ("bounce", "0001", "sent, then failed; a push fails at once", Fate(Course.FAILS_AFTER_SENDING)),
    ("refused", "0002", "failed without being sent", Fate(Course.IS_REFUSED)),
    ("stuck", "0003", "stays pending", Fate(Course.STAYS_PENDING)),
    ("unconfirmed", "0004", "stays sent: no receipt ever comes", Fate(Course.STAYS_SENT)),
    ("slow", "0005", "delivered an hour later", Fate(Course.ARRIVES_AN_HOUR_LATER)),
    ("webhooks-twice", "0006", "every webhook comes twice", Fate(telling=Telling.TWICE)),
    (
        "webhooks-backwards",
        "0007",
        "the webhook of delivered comes before that of sent",
        Fate(telling=Telling.BACKWARDS),
    ),
    ("webhooks-forged", "0008", "webhooks have a wrong signature", Fate(telling=Telling.FORGED)),
    ("webhooks-lost", "0009", "webhooks are lost", Fate(telling=Telling.LOST)),
)

_PASSING: Final = (429, 500, 502, 503)
"""What the last digit of a number counts: 0 is every time, 1 to 9 the first so many."""

_LASTING: Final = (400, 401, 403)
_BAD_NUMBER: Final = Trap(RequestEffect(status=400, code="invalid_phone_number"))
_LATE: Final = Trap(RequestEffect(delay=35, commit=True, spares_replays=True))
_LOST: Final = Trap(RequestEffect(drop=True, commit=True, spares_replays=True))


def _often(status: int, count: int) -> str:
    if count == 0:
        return f"the send is answered {status}, every time"
    if count == 1:
        return f"the first send is answered {status}"
    return f"the first {count} sends are answered {status}"


def _all() -> Iterator[Magic]:
    for name, end, what, fate in _FATES:
        yield Magic(name, f"{MAGIC_BLOCK}{end}", what, fate=fate)
    for status in _LASTING:
        yield Magic(
            f"answered-{status}",
            f"{MAGIC_BLOCK}{status}0",
            f"the send is answered {status}",
            trap=Trap(RequestEffect(status=status)),
            number_trap=_BAD_NUMBER if status == _BAD_NUMBER.effect.status else None,
        )
    for status in _PASSING:
        for count in range(10):
            yield Magic(
                f"answered-{status}-{count}" if count else f"answered-{status}",
                f"{MAGIC_BLOCK}{status}{count}",
                _often(status, count),
                trap=Trap(RequestEffect(status=status), count or None),
            )
    yield Magic(
        "answer-late", f"{MAGIC_BLOCK}4080", "accepted, but the answer takes 35 s", trap=_LATE
    )
    yield Magic(
        "answer-lost",
        f"{MAGIC_BLOCK}4990",
        "accepted, but the connection is closed without an answer",
        trap=_LOST,
    )


ALL: Final = tuple(_all())
"""Everything that a recipient can bring about."""

FATES: Final[Mapping[str, Fate]] = {
    key: each.fate for each in ALL if each.fate for key in (each.name, each.number)
}
"""What becomes of a message, by name and by number."""

TRAPS: Final[Mapping[str, Trap]] = {
    key: trap
    for each in ALL
    if each.trap
    for key, trap in ((each.name, each.trap), (each.number, each.number_trap or each.trap))
}
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
