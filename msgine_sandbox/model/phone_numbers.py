"""Phone numbers: which are accepted, and why another one is not."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from msgine_sandbox.model.choices import NumberCheck
from msgine_sandbox.model.errors import InvalidPhoneNumber
from msgine_sandbox.model.magic import MAGIC_BLOCK

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber as PlannedNumber

PhoneNumber = str
"""A number in E.164 that has been checked."""

EXPECTED_NUMBER: Final = "+[country code][number]"
MAX_DIGITS: Final = 15
"""Digits of a number with its country code. Source: E.164."""

# Never \d or $: they also accept other scripts' digits and a newline at the end.
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_NO_DIGIT: Final = r"[^0-9]"
_MAGIC: Final = re.compile(re.escape(MAGIC_BLOCK) + "[0-9]{4}")
_TOO_SHORT: Final = "It is too short for a phone number."
_NO_COUNTRY: Final = "Its country code is not assigned."
_CACHED: Final = 8192  # tests use few recipients often


class NumberType(StrEnum):
    """The type of a number in the numbering plans, in words that follow it in a sentence."""

    MOBILE = "can receive SMS"
    """Mobile, or of another type that carriers deliver SMS to."""
    OTHER = "is not a mobile number"
    UNASSIGNED = "is not assigned to anybody"
    IMPOSSIBLE = "is not a phone number"


class Assessment(msgspec.Struct, frozen=True):
    """What the numbering plans say about a number in the form of E.164."""

    type: NumberType
    reason: str | None = None
    """Why it is impossible or unassigned."""


class NumberingPlan:
    """Checks phone numbers: first the form of E.164, then the numbering plans of the countries."""

    def __init__(self, check: NumberCheck = NumberCheck.POSSIBLE) -> None:
        self._refused = {
            NumberCheck.FORMAT: frozenset[NumberType](),
            NumberCheck.POSSIBLE: frozenset({NumberType.IMPOSSIBLE}),
            NumberCheck.VALID: frozenset({NumberType.IMPOSSIBLE, NumberType.UNASSIGNED}),
        }[check]
        self._assess = lru_cache(_CACHED)(_assessment)

    def check(self, text: str, field: str = "to") -> PhoneNumber:
        """Return the text as a number.

        Raises:
            InvalidPhoneNumber: it is not E.164 (documented), or no numbering plan allows it.
        """
        reason: str | None
        if _E164.fullmatch(text):
            assessment = self._assess(text)
            if assessment.type not in self._refused:
                return text
            reason = assessment.reason
        else:
            reason = _problem_of_form(text)
        raise InvalidPhoneNumber(field=field, value=text, expected=EXPECTED_NUMBER, reason=reason)

    def type_of(self, number: PhoneNumber) -> NumberType:
        """Return the type of a number."""
        return self._assess(number).type


def _problem_of_form(text: str) -> str:
    """Return why a text does not have the form of E.164."""
    digits = text.removeprefix("+")
    if not text:
        return "It is empty."
    if digits == text:
        return "It does not begin with a plus sign and a country code."
    if not digits:
        return "It has nothing after the plus sign."
    other = re.search(_NO_DIGIT, digits)
    if other:
        return f"It contains {_called(other[0])}; only digits from 0 to 9 may follow the plus sign."
    if digits.startswith("0"):
        return "No country code begins with 0."
    if len(digits) > MAX_DIGITS:
        return f"It is too long: it has {len(digits)} digits, and E.164 allows {MAX_DIGITS}."
    return _TOO_SHORT


def _called(character: str) -> str:
    if character == " ":
        return "a space"
    if character.isascii() and character.isprintable():
        return f'"{character}"'
    from unicodedata import name  # here, because its table is large and few starts need it

    called = name(character, "").lower()  # control characters have none
    return f"U+{ord(character):04X}" + (f" ({called})" if called else "")


def _assessment(text: str) -> Assessment:
    if _MAGIC.fullmatch(text):
        return Assessment(NumberType.MOBILE)
    import phonenumbers  # here, to keep its metadata off the path to the first response

    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException as error:
        is_unknown = error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return Assessment(NumberType.IMPOSSIBLE, _NO_COUNTRY if is_unknown else _TOO_SHORT)
    country = f"+{number.country_code}"
    problem = _problem_of_length(number)
    if problem is not None:
        why = f"It is not a possible number of {country}: {problem}."
        return Assessment(NumberType.IMPOSSIBLE, why)
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if formatted != text:  # a trunk prefix, which is dialled within the country only
        return Assessment(NumberType.IMPOSSIBLE, f"In E.164 it is written {formatted}.")
    types = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    if kind == types.UNKNOWN:
        why = f"It is possible, but not assigned in the numbering plan of {country}."
        return Assessment(NumberType.UNASSIGNED, why)
    # Carriers deliver SMS to many numbers of the last three types as well.
    mobile = {types.MOBILE, types.FIXED_LINE_OR_MOBILE, types.VOIP, types.PERSONAL_NUMBER}
    is_mobile = kind in mobile or kind == types.PAGER
    return Assessment(NumberType.MOBILE if is_mobile else NumberType.OTHER)


def _problem_of_length(number: PlannedNumber) -> str | None:
    """Return why a number has no length that its country has, or None if it has one."""
    import phonenumbers

    results = phonenumbers.ValidationResult
    result = phonenumbers.is_possible_number_with_reason(number)
    if result == results.IS_POSSIBLE:
        return None
    problems = {
        results.TOO_SHORT: "too short",
        results.TOO_LONG: "too long",
        results.IS_POSSIBLE_LOCAL_ONLY: "its area code is missing",
    }
    return problems.get(result, "none has this length")
