r"""Find the links in the text of a message: the URLs that a phone would open.

- A link begins with `http://` or `https://`. It needs no space before it, except after a letter
  from A to Z, a digit or `_`, or after those and a `+`: `git+https://` is another scheme.
- It ends at a space, a quote, `<`, `>`, `\`, a backtick, and at what is not ASCII and is no letter,
  mark or number: punctuation of every script, emoji, invisible characters.
- It ends before letters of scripts that have no spaces between words, such as Chinese: with them
  the sentence goes on. In a path they have to be percent-encoded; a host name can consist of them.
  Letters of other scripts belong to it, as in `https://ar.example/مرحبا`.
- Its brackets are balanced: it ends before one that has no counterpart within it.
- Punctuation at its end belongs to the sentence.

`fixtures/links.json` has examples.
"""

import re
from bisect import bisect
from collections.abc import Iterator
from typing import Final
from unicodedata import category

# Where the letters of such scripts begin and end, by turns: Thai, Lao, Burmese, Khmer, Chinese and
# Japanese, the same with full width, and Korean, whose particles follow a word without a space. No
# class of a regular expression: each would take 20 ms to compile.
_UNSPACED: Final = (
    "\u0e01\u0e4f\u0e81\u0ecf\u1000\u104a\u1780\u17d4\u3005\u3008\u3041\u3100\u3400\ua000"
    "\uac00\ud7a4\uff10\uff1a\uff21\uff3b\uff41\uff5b\uff66\uffdd\U00020000\U00040000"
)
_SCHEME: Final = re.compile(
    r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9]\+)[Hh][Tt][Tt][Pp][Ss]?://(?=[\w\[])"
)
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9-]++\.)*+(?![\x00-\x7f])[\w\u0e31-\u0e4e-]++(?:\.[\w\u0e31-\u0e4e-]++)++"
)
"""A host name with a label that begins in another script; some Thai letters are not in `\\w`."""
_PART: Final = re.compile(r"[!#-'*-;=?-Z^_a-z|~]++|[()\[\]{}]|[^\x00-\x7f]")
"""Some of the characters that a URL can have, a bracket, or a character that is not ASCII."""
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_SENTENCE_END: Final = ".,:;!?'*|"


def find_links(text: str) -> list[str]:
    """Return the http and https URLs in a text, in order."""
    return [text[start:end] for start, end in link_spans(text)]


def link_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each link begins and ends, in order."""
    at = 0
    while (scheme := _SCHEME.search(text, at)) is not None:
        host = _HOST.match(text, scheme.end())
        end, at = _end(text, scheme.end() if host is None else host.end())
        link = text[scheme.start() : end].rstrip(_SENTENCE_END)
        if len(link) > len(scheme[0]):
            yield scheme.start(), scheme.start() + len(link)


def _end(text: str, start: int) -> tuple[int, int]:
    """Return where a URL ends that goes on from a position, and where to look for the next one.

    That is behind a bracket which is never closed: otherwise, a text with many of them would be
    read as many times.
    """
    at = start
    opened: list[tuple[str, int]] = []
    while (part := _PART.match(text, at)) is not None:
        if part[0] in _CLOSING:
            opened.append((_CLOSING[part[0]], at))
        elif part[0] in _CLOSING.values():
            if not opened or opened[-1][0] != part[0]:
                break
            opened.pop()
        elif not part[0].isascii() and not _belongs(part[0]):
            break
        at = part.end()
    return opened[0][1] if opened else at, at


def _belongs(character: str) -> bool:
    """Return whether a character that is not ASCII can be a part of a URL."""
    is_unspaced = bisect(_UNSPACED, character) % 2 == 1
    return not is_unspaced and category(character)[0] in "LMN"
