"""Which texts are telephone numbers: E.164 by shape, then by what the numbering plans allow."""

import re
from enum import StrEnum
from functools import lru_cache

from msgine_sandbox.model.errors import InvalidPhoneNumber

PhoneNumber = str
"""A number in E.164 that has been checked."""

EXPECTED = "+[country code][number]"
MAGIC_BLOCK = "+25670000"

_SHAPE = re.compile(r"\+[1-9][0-9]{1,14}")  # never \d or $: they let other digits and newlines by
_MAGIC = re.compile(re.escape(MAGIC_BLOCK) + "[0-9]{4}")
_KEPT = 8192


class Kind(StrEnum):
    """What the numbering plans say of a number, in words that follow it in a sentence."""

    MOBILE = "is a mobile number"
    OTHER = "is no mobile number"
    UNASSIGNED = "is assigned to nobody"
    IMPOSSIBLE = "is no number"


class Numbering:
    """Checks numbers, and remembers the latest answers because tests use few of them often."""

    def __init__(self, *, strict: bool = False) -> None:
        self._refused = {Kind.IMPOSSIBLE, Kind.UNASSIGNED} if strict else {Kind.IMPOSSIBLE}
        self.kind = lru_cache(_KEPT)(_look_up)

    def check(self, text: str, field: str = "to") -> PhoneNumber:
        """Give the text back as a number.

        Raises:
            InvalidPhoneNumber: it is not E.164 (documented), or no numbering plan allows it.
        """
        if _SHAPE.fullmatch(text) and self.kind(text) not in self._refused:
            return text
        raise InvalidPhoneNumber(field=field, value=text, expected=EXPECTED)


def _look_up(text: str) -> Kind:
    if _MAGIC.fullmatch(text):
        return Kind.MOBILE
    import phonenumbers  # here, to keep its metadata off the path to the first answer

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return Kind.IMPOSSIBLE
    reason = phonenumbers.is_possible_number_with_reason(number)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE or written != text:
        return Kind.IMPOSSIBLE
    kind = phonenumbers.number_type(number)
    types = phonenumbers.PhoneNumberType
    if kind == types.UNKNOWN:
        return Kind.UNASSIGNED
    return Kind.MOBILE if kind in {types.MOBILE, types.FIXED_LINE_OR_MOBILE} else Kind.OTHER
