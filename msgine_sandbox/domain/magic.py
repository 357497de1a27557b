"""Magic recipients: numbers that decide what becomes of a message, whoever sends to them.

They work from any SDK in any language, because a number is all they take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from msgine_sandbox.model.phone import PhoneNumber


class Course(Enum):
    """How a delivery goes."""

    ARRIVES = auto()
    ARRIVES_AN_HOUR_LATER = auto()
    FAILS_AFTER_SENDING = auto()
    IS_REFUSED = auto()
    STAYS_PENDING = auto()
    STAYS_SENT = auto()


class Telling(Enum):
    """How webhooks tell of it."""

    PLAIN = auto()
    TWICE = auto()
    BACKWARDS = auto()
    FORGED = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Fate:
    """What a number brings about."""

    course: Course = Course.ARRIVES
    telling: Telling = Telling.PLAIN


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


def fate_of(recipient: PhoneNumber) -> Fate:
    """Give what a number brings about; most bring about nothing special."""
    return FATES.get(recipient, ORDINARY)
