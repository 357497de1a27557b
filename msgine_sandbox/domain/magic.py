"""Magic recipients: numbers that decide what becomes of a message, whoever sends to them.

They work from any SDK in any language, because a number is all they take.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

import msgspec

from msgine_sandbox.model.fault import RequestEffect
from msgine_sandbox.model.phone import MAGIC_BLOCK, PhoneNumber
from msgine_sandbox.model.webhook import Telling


class Course(Enum):
    """How a delivery goes."""

    ARRIVES = auto()
    ARRIVES_AN_HOUR_LATER = auto()
    FAILS_AFTER_SENDING = auto()
    IS_REFUSED = auto()
    STAYS_PENDING = auto()
    STAYS_SENT = auto()


class Fate(msgspec.Struct, frozen=True):
    """What a number brings about once its message is accepted."""

    course: Course = Course.ARRIVES
    telling: Telling = Telling.PLAIN


class Trap(msgspec.Struct, frozen=True):
    """What a number does to the requests that send to it, and to how many; None is to all."""

    effect: RequestEffect
    times: int | None = None


ORDINARY: Final = Fate()

FATES: Final[Mapping[PhoneNumber, Fate]] = {
    "+256700000000": ORDINARY,
    "+256700000001": Fate(Course.FAILS_AFTER_SENDING),
    "+256700000002": Fate(Course.IS_REFUSED),
    "+256700000003": Fate(Course.STAYS_PENDING),
    "+256700000004": Fate(Course.STAYS_SENT),
    "+256700000005": Fate(Course.ARRIVES_AN_HOUR_LATER),
    "+256700000006": Fate(telling=Telling.TWICE),
    "+256700000007": Fate(telling=Telling.BACKWARDS),
    "+256700000008": Fate(telling=Telling.FORGED),
    "+256700000009": Fate(telling=Telling.LOST),
}

_PASSING: Final = (429, 500, 502, 503)
"""What the last digit of a number counts: 0 is every time, 1 to 9 the first so many."""

_LASTING: Final[Mapping[str, RequestEffect]] = {
    "4000": RequestEffect(status=400, code="invalid_phone_number"),
    "4010": RequestEffect(status=401),
    "4030": RequestEffect(status=403),
    "4080": RequestEffect(delay=35, commit=True, spares_replays=True),
    "4990": RequestEffect(drop=True, commit=True, spares_replays=True),
}


def _traps() -> Iterator[tuple[PhoneNumber, Trap]]:
    for end, effect in _LASTING.items():
        yield f"{MAGIC_BLOCK}{end}", Trap(effect)
    for status in _PASSING:
        for count in range(10):
            yield f"{MAGIC_BLOCK}{status}{count}", Trap(RequestEffect(status=status), count or None)


TRAPS: Final[Mapping[PhoneNumber, Trap]] = dict(_traps())


def fate_of(recipient: PhoneNumber) -> Fate:
    """Give what a number brings about; most bring about nothing special."""
    return FATES.get(recipient, ORDINARY)
