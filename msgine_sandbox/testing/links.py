"""Finding the URLs in a text as a telephone does: without the sentence around them."""

import re
from typing import Final

URL: Final = re.compile(r"\bhttps?://[^\s<>\"\u2018\u2019\u201c\u201d\u00ab\u00bb]+", re.IGNORECASE)
_END_OF_A_SENTENCE: Final = ".,;:!?…'([{"
_OPENER: Final = {")": "(", "]": "[", "}": "{"}


def find_links(text: str) -> list[str]:
    """Give the http and https URLs of a text, in order."""
    found = (_trimmed(match[0]) for match in URL.finditer(text))
    return [url for url in found if not url.endswith("://")]


def _trimmed(url: str) -> str:
    scheme = url.index("://") + len("://")
    rest = _balanced(url[scheme:]).rstrip(_END_OF_A_SENTENCE)
    return url[:scheme] + rest


def _balanced(rest: str) -> str:
    """Cut off a bracket that closes what the URL has not opened, and all after it."""
    opened: list[str] = []
    for at, sign in enumerate(rest):
        if sign in _OPENER.values():
            opened.append(sign)
        elif sign in _OPENER and (not opened or opened.pop() != _OPENER[sign]):
            return rest[:at]
    return rest
