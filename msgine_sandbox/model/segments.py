"""How many segments an SMS has, and which character forces UCS-2 (GSM 03.38, 3GPP TS 23.038)."""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from typing import Final

import msgspec


class Encoding(StrEnum):
    """The character encoding of an SMS."""

    GSM = "GSM-7"
    UCS2 = "UCS-2"


# Every SMS needs it, and Python 3.11 is slow to find the members of an enum.
_GSM: Final = Encoding.GSM


class Segments(msgspec.Struct, frozen=True):
    """A text split into segments."""

    encoding: Encoding
    parts: tuple[str, ...]
    forced_by: str | None
    """The first character outside GSM 03.38, when there is one."""

    @property
    def count(self) -> int:
        """How many segments the text is billed as."""
        return len(self.parts)


def split(text: str) -> Segments:
    """Split a text into segments, of 160 septets in GSM 03.38 or 70 UTF-16 units in UCS-2.

    Where there are several, each has 153 septets or 67 units, and a header that joins them.
    """
    gsm = _gsm_characters()
    outside = gsm.outside.search(text)
    if outside is None:
        # A character of the extension table is written as an escape and a code.
        septets = len(text) + len(gsm.extended.findall(text))
        parts = (text,) if septets <= 160 else tuple(_pack(text, _septets, 153))
        return Segments(_GSM, parts, None)
    parts = (text,) if _utf16_units(text) <= 70 else tuple(_pack(text, _utf16_units, 67))
    return Segments(Encoding.UCS2, parts, outside[0])


def gsm_segments(text: str) -> int:
    """Return how many segments a text would have if all its characters were in GSM 03.38."""
    return split(_gsm_characters().outside.sub("a", text)).count


def needs_ucs2(text: str) -> bool:
    """Return whether a text is in an alphabet that GSM 03.38 lacks, so nothing can be replaced."""
    letters = [character for character in text if character.isalpha()]
    outside = [each for each in letters if _gsm_characters().outside.match(each)]
    return len(outside) * 2 > len(letters)


def _pack(text: str, size: Callable[[str], int], room: int) -> Iterator[str]:
    start = used = 0
    for here, character in enumerate(text):
        cost = size(character)
        if used + cost > room:  # a character of two units is never split
            yield text[start:here]
            start, used = here, 0
        used += cost
    yield text[start:]


def _septets(character: str) -> int:
    return 2 if _gsm_characters().extended.match(character) else 1


def _utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class _GsmCharacters(msgspec.Struct, frozen=True):
    """Expressions for one character of an SMS."""

    extended: re.Pattern[str]
    """In the extension table of GSM 03.38."""
    outside: re.Pattern[str]
    """In neither of its tables."""


@cache
def _gsm_characters() -> _GsmCharacters:
    # Of the first SMS and not of the start, which would take 3 ms longer.
    import gsm0338  # noqa: F401  (registers the codec)

    def decoded(*code: int) -> str:
        return bytes(code).decode("gsm03.38", errors="ignore")

    codes = [code for code in range(128) if code != _ESCAPE]
    extended = "".join(decoded(_ESCAPE, code) for code in codes)
    both = "".join(map(decoded, codes)) + extended
    return _GsmCharacters(
        re.compile(f"[{re.escape(extended)}]"), re.compile(f"[^{re.escape(both)}]")
    )


_ESCAPE: Final = 0x1B
