"""The characters of texts that others write: which are accepted, and how they are shown."""

import re
from typing import Final

# The categories Cc, Zl, Zp and Cs of Unicode, none of which gets further characters. Not
# `str.isprintable`, which also refuses what words and emojis are joined with, and other spaces.
_REFUSED: Final = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
REFUSED_CHARACTERS: Final = "control characters, line breaks and halves of surrogate pairs"


def is_one_line(text: str) -> bool:
    """Return whether a text is Unicode without control characters, line and paragraph separators.

    An identifier of a client's own is such a text, in any language.
    """
    return re.search(_REFUSED, text) is None


def is_whole(text: str) -> bool:
    """Return whether a text is a whole number of at most 18 decimal digits, all of them ASCII."""
    return len(text) <= 18 and text.isascii() and text.isdigit()


def printable(text: str) -> str:
    """Return a text with everything escaped that a terminal may interpret instead of show.

    Those are control characters, line breaks of all kinds, and characters that change the direction
    of text; lone surrogates, which cannot be encoded, are escaped as well.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
