"""The numbers of a text that have the form of a one-time code, and what is directly around them."""

import re
from collections.abc import Sequence
from typing import Final

from msgine_sandbox.model.code_words import (
    DATE_WORDS,
    MONEY,
    SPACED,
    TIME_WORDS,
    UNITS,
    pattern,
)
from msgine_sandbox.model.links import link_spans

NEAR: Final = 16
"""Characters before and after a number in which its unit, or the like, is looked for."""
_LENGTHS: Final = range(4, 9)

# Soft hyphens, joiners, marks of direction and what makes an emoji of a digit.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff\u20e3]"
)
_BLANK: Final = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")
_HYPHEN: Final = re.compile("[\u2010-\u2013\ufe63\uff0d]")
_DIGIT: Final = re.compile(r"(?![0-9])\d")
_SCRIPT_CHANGE: Final = re.compile(
    rf"(?<=[{SPACED}])(?=[^{SPACED}\W])|(?<=[^{SPACED}\W])(?=[{SPACED}])"
)
_ADDRESS: Final = re.compile(
    r"(?<![A-Za-z0-9.+_-])[A-Za-z0-9.+_-]++(?:@[A-Za-z0-9.-]++|[/?][!-~]*+)"
)
_ADDRESS_HOST: Final = re.compile(r"@|[A-Za-z0-9-]\.[A-Za-z]{2,}[/?]")

_GROUP_END: Final = r"(?!\w|[.,:/][0-9])"
NUMBER: Final = rf"""(?<!\w) (?:\(?\+)?
    (?: [0-9] (?:[\s-][0-9](?!\w))++ {_GROUP_END}
    | [0-9]++ {_GROUP_END} (?:\)?[ -][0-9]++ {_GROUP_END})*+ )"""
"""For a verbose regular expression: groups of digits, which may be single ones on several lines."""

_MONEY_BEFORE: Final = re.compile(
    rf"(?<![0-9])(?<![0-9]\s)(?<![0-9]\sf\s)(?:[$£¥¤\u20a0-\u20cf]|{pattern(MONEY)})[\s.:]*$"
)  # but not in "15000 UGX. 493817 is your code"
_QUANTITY_AFTER: Final = re.compile(rf"\s?(?:[$£¥¤\u20a0-\u20cf]|{pattern(f'{MONEY}, {UNITS}')})")
_DATE_BEFORE: Final = re.compile(rf"(?:{pattern(DATE_WORDS)})[\s.,]*$")
_TIME_BEFORE: Final = re.compile(rf"(?:{pattern(TIME_WORDS)})\s*$")
_MASK_BEFORE: Final = re.compile(r"(?:[*•●·∙][ -]?|\bx{2,}[ -]?)$")  # but not *493817*
_PREFIX_BEFORE: Final = re.compile(r"(?:\w{3,}-|#)$")
_SUFFIX_AFTER: Final = re.compile(r"-\w|@")
_LAST_DIGITS_AND_CODE: Final = re.compile(r"[0-9]{4} ([0-9]{5,8})")
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]")


def plain(text: str) -> str:
    """Return a text in lower case, without links and addresses, with ASCII digits and blanks.

    Where letters of scripts meet, such as Chinese and Latin ones, there is a blank between them.
    """
    parts, at = [], 0
    for start, end in link_spans(text):
        parts += [text[at:start], " "]
        at = end
    text = "".join([*parts, text[at:]])
    text = _ADDRESS.sub(lambda found: " " if _ADDRESS_HOST.search(found[0]) else found[0], text)
    text = _HYPHEN.sub("-", _BLANK.sub(" ", _INVISIBLE.sub("", text)))
    text = _DIGIT.sub(lambda digit: str(int(digit[0])), text)
    return _SCRIPT_CHANGE.sub(" ", text.lower())


def code_span(number: re.Match[str], *, is_announced: bool) -> tuple[int, int] | None:
    """Return where a code of 4 to 8 digits begins and ends within a number; None without one.

    What is announced as a code can look like years, and another number can follow it at once:
    "your code is 4938 0772 123 456".
    """
    text, (start, end) = number[0], number.span()
    groups = list(re.finditer("[0-9]+", text))
    sizes = [len(group[0]) for group in groups]
    if "+" in text or ")" in text:
        return None
    if sum(sizes) > max(_LENGTHS):
        is_card = len(groups) > 2 and len(set(sizes)) == 1
        is_code = is_announced and sizes[0] in _LENGTHS and len(groups) > 1 and not is_card
        return (start, start + sizes[0]) if is_code else None
    if len(set(sizes)) == 1:
        is_code = sum(sizes) in _LENGTHS and (is_announced or not _is_dated(text, groups))
        return (start, end) if is_code else None
    long = next((group for group in groups if len(group[0]) in _LENGTHS), None)
    if "-" in text or long is None:
        return None
    return start + long.start(), start + long.end()


def span_after_item(number: re.Match[str]) -> tuple[int, int] | None:
    """Return where a code begins and ends that follows the last digits of a card: `1234 567890`."""
    found = _LAST_DIGITS_AND_CODE.fullmatch(number[0])
    return None if found is None else (number.start() + found.start(1), number.end())


def is_year(code: str) -> bool:
    """Return whether a code could also be a year."""
    return _YEAR.fullmatch(code) is not None


def is_other(code: str, before: str, after: str) -> bool:
    """Return whether what is directly around a number says that it is none."""
    return bool(
        _MONEY_BEFORE.search(before)
        or _QUANTITY_AFTER.match(after)
        or (_MASK_BEFORE.search(before) and not after.startswith("*"))
        or (is_year(code) and _DATE_BEFORE.search(before))
        or (_TIME.fullmatch(code) and _TIME_BEFORE.search(before))
    )


def looks_like_reference(before: str, after: str) -> bool:
    """Return whether a number looks like that of something, as in ORD-1234 or #1234."""
    return bool(_PREFIX_BEFORE.search(before) or _SUFFIX_AFTER.match(after))


def _is_dated(text: str, groups: Sequence[re.Match[str]]) -> bool:
    """Return whether groups of the same size are a date, or years."""
    if len(groups) == 1:
        return False
    is_short = len(groups[0][0]) == 2 and ("-" in text or len(groups) == 2)
    return is_short or all(is_year(group[0]) for group in groups)
