"""Which characters an identifier of a client's own may have: those of every language."""

import re
from typing import Final

# The categories Cc, Zl, Zp and Cs of Unicode, none of which gets further characters. Not
# `str.isprintable`, which also refuses what words and emojis are joined with, and other spaces.
_REFUSED: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
REFUSED_CHARACTERS: Final = "control characters, line breaks and halves of surrogate pairs"


def is_one_line(text: str) -> bool:
    """Return whether a text is Unicode without control characters, line and paragraph separators.

    Halves of surrogate pairs, which JSON allows, are not Unicode text.
    """
    return _REFUSED.search(text) is None
