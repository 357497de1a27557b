"""What a person gets of HTML: its text and its links; imported when there is some.

It reads any text in one pass, because anybody may send anything: the parser of the standard library
takes hours for some of it, and refuses other.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

_SKIPPED = frozenset({"head", "script", "style", "template", "title"})
_BLOCKS = {"address", "article", "blockquote", "br", "div", "footer", "form", "header", "hr"}
_BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "li", "main", "nav", "ol", "p", "pre"}
_BLOCKS |= {"section", "table", "td", "th", "tr", "ul"}
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_LINES = re.compile(r" ?\n[ \n]*")
# Possessive, so that what does not fit is not tried again in another way.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_HREF = re.compile(r"""\bhref\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)
_HUGE = re.compile(r"&#[0-9]{11,}+;?")  # beyond Unicode, and beyond what `int` reads
_OPENED = re.compile(r"<(?=[a-zA-Z/!?])")
_WEB = ("http://", "https://")
_PATIENCE = 8  # tags without an end, after which nothing more is taken for one


class _Piece(NamedTuple):
    """A part of HTML: text, or a tag, by its name in small letters and with what stands in it."""

    text: str = ""
    tag: str = ""
    inside: str = ""


class Read(NamedTuple):
    """What a person gets of HTML."""

    text: str
    links: tuple[str, ...]
    """The http and https URLs that its links lead to, in order."""


def read(html: str) -> Read:
    """Give the text of HTML without its markup, and its links."""
    texts: list[str] = []
    links: list[str] = []
    for piece in _scanned(html):
        texts.append("\n" if piece.tag in _BLOCKS else _SPACES.sub(" ", piece.text))
        href = _HREF.search(piece.inside) if piece.tag == "a" else None
        if href is not None:
            links.append(_text(href[1] or href[2] or href[3] or "").strip())
    text = _LINES.sub("\n", "".join(texts)).strip()
    return Read(text, tuple(url for url in links if url.lower().startswith(_WEB)))


def _scanned(html: str) -> Iterator[_Piece]:
    """Cut HTML into texts and tags; comments and what nobody reads are left out."""
    at, patience = 0, _PATIENCE
    while patience and (opened := _OPENED.search(html, at)):
        start = opened.start()
        yield _Piece(text=_text(html[at:start]))
        if html[start + 1] in "!?":
            at = _after(html, "-->" if html.startswith("<!--", start) else ">", start)
            continue
        tag = _TAG.match(html, start)
        if tag is None:
            patience -= 1
            yield _Piece(text="<")
            at = start + 1
            continue
        name = tag[2].lower()
        yield _Piece(tag=name, inside=tag[3])
        at = tag.end()
        if name in _SKIPPED and not tag[1]:
            closed = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
            at = len(html) if closed is None else closed.start()
    yield _Piece(text=_text(html[at:]))


def _after(html: str, end: str, start: int) -> int:
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _text(html: str) -> str:
    return unescape(_HUGE.sub("\ufffd", html)) if "&" in html else html
