"""The text and the links of HTML; imported only when a message has some.

It reads any input in one pass, because a client can send anything: for some input the standard
library's parser takes hours, and other input it refuses.
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
# Possessive, so that a failed match is not tried again in all other ways, which takes hours.
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*+)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_HREF = re.compile(r"""\bhref\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)
_HUGE = re.compile(r"&#[0-9]{11,}+;?")  # beyond Unicode, and beyond what `int` reads
_TAG_START = re.compile(r"<(?=[a-zA-Z/!?])")
_WEB = ("http://", "https://")
_MAX_UNCLOSED = 8  # tags without an end, after which the rest is text


class _Token(NamedTuple):
    """Text, or a tag: its name in lower case, and its attributes as they are written."""

    text: str = ""
    tag: str = ""
    attributes: str = ""


class HtmlText(NamedTuple):
    """The text and the links that a mail program shows."""

    text: str
    links: tuple[str, ...]
    """The http and https URLs that its links lead to, in order."""


def html_to_text(html: str) -> HtmlText:
    """Return the text of HTML without its markup, and its links."""
    texts: list[str] = []
    links: list[str] = []
    for token in _tokens(html):
        texts.append("\n" if token.tag in _BLOCKS else _SPACES.sub(" ", token.text))
        href = _HREF.search(token.attributes) if token.tag == "a" else None
        if href is not None:
            links.append(_text(href[1] or href[2] or href[3] or "").strip())
    text = _LINES.sub("\n", "".join(texts)).strip()
    return HtmlText(text, tuple(url for url in links if url.lower().startswith(_WEB)))


def _tokens(html: str) -> Iterator[_Token]:
    """Split HTML into texts and tags; comments and what browsers do not show are left out."""
    at, unclosed = 0, 0
    while unclosed < _MAX_UNCLOSED and (found := _TAG_START.search(html, at)):
        start = found.start()
        yield _Token(text=_text(html[at:start]))
        if html[start + 1] in "!?":
            at = _after(html, "-->" if html.startswith("<!--", start) else ">", start)
            continue
        tag = _TAG.match(html, start)
        if tag is None:
            unclosed += 1
            yield _Token(text="<")
            at = start + 1
            continue
        name = tag[2].lower()
        yield _Token(tag=name, attributes=tag[3])
        at = tag.end()
        if name in _SKIPPED and not tag[1]:
            closed = re.compile(f"</{name}", re.IGNORECASE).search(html, at)
            at = len(html) if closed is None else closed.start()
    yield _Token(text=_text(html[at:]))


def _after(html: str, end: str, start: int) -> int:
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _text(html: str) -> str:
    return unescape(_HUGE.sub("\ufffd", html)) if "&" in html else html
