"""Which texts are telephone numbers: E.164 by shape, then by what the numbering plans allow."""

import re
from functools import lru_cache

from msgine_sandbox.model.errors import InvalidPhoneNumber

PhoneNumber = str
"""A number in E.164 that has been checked."""

EXPECTED = "+[country code][number]"
MAGIC_BLOCK = "+25670000"

_SHAPE = re.compile(r"\+[1-9][0-9]{1,14}")  # never \d or $: they let other digits and newlines by
_MAGIC = re.compile(re.escape(MAGIC_BLOCK) + "[0-9]{4}")
_KEPT = 8192


class Numbering:
    """Checks numbers, and remembers the latest answers because tests use few of them often."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._exists = lru_cache(_KEPT)(self._look_up)

    def check(self, text: str, field: str = "to") -> PhoneNumber:
        """Give the text back as a number.

        Raises:
            InvalidPhoneNumber: it is not E.164 (documented), or no numbering plan allows it.
        """
        if _SHAPE.fullmatch(text) and (_MAGIC.fullmatch(text) or self._exists(text)):
            return text
        raise InvalidPhoneNumber(field=field, value=text, expected=EXPECTED)

    def _look_up(self, text: str) -> bool:
        import phonenumbers  # here, to keep its metadata off the path to the first answer

        try:
            number = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException:
            return False
        reason = phonenumbers.is_possible_number_with_reason(number)
        return (
            reason == phonenumbers.ValidationResult.IS_POSSIBLE
            and phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text
            and (not self._strict or phonenumbers.is_valid_number(number))
        )
