"""The text and the links of HTML; imported only when a message has some.

It splits HTML into tags and texts as the HTML standard says (13.2.5, tokenization), and builds no
tree. Any input is read in one pass, because a client can send anything.
"""

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from typing import Final, NamedTuple

from msgine_sandbox.model.html_elements import (
    BLOCKS,
    CELLS,
    IMPLIED_ENDS,
    OF_HEAD,
    UNSEEN,
    VOID,
    Ends,
)

# All quantifiers that could be tried in several ways are possessive: a failed match ends at once.
_TAG_NAME: Final = re.compile(r"<(/?)([a-zA-Z][^\t\n\f\r />]*+)")
_ATTRIBUTE: Final = re.compile(
    r"""[\t\n\f\r /]*+ (?: (>) | ([^\t\n\f\r />][^\t\n\f\r />=]*+)
        (?: [\t\n\f\r ]*+ = [\t\n\f\r ]*+ (?: "([^"]*+)"? | '([^']*+)'? | ([^\t\n\f\r >]*+) ) )? )
    """,
    re.VERBOSE,
)
_COMMENT: Final = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_NOT_SHOWN: Final = re.compile(
    r"(?:^|;)[\t\n\f\r ]*+display[\t\n\f\r ]*+:[\t\n\f\r ]*+none", re.IGNORECASE
)
_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]++|[xX][0-9a-fA-F]++);?|([a-zA-Z][a-zA-Z0-9]*+)(;?))")
_LEADING_ZEROS: Final = re.compile(r"&#0++(?=[0-9])")
_HUGE: Final = re.compile(r"&#[0-9]{8,}+;?")  # beyond Unicode, and maybe beyond what `int` reads
_SPACES: Final = re.compile(r"[ \t\n\f\r\v]+")
_SPACES_OF_LINE: Final = re.compile(r"[ \t\f\r\v]+")
_BLANKS: Final = re.compile(" {2,}")
_BETWEEN_CELLS: Final = re.compile(r" ?\t[ \t]*+")
_NOT_OF_URL: Final = re.compile(r"[\t\n\r]")  # which the URL standard removes
_WEB: Final = ("http://", "https://")


class HtmlText(NamedTuple):
    """The text and the links that a mail program shows."""

    text: str
    """A line for each block; between the cells of a table's row there is a tab."""
    links: tuple[str, ...]
    """The http and https URLs that its links lead to, in order."""


def html_to_text(html: str) -> HtmlText:
    """Return the text of HTML without its markup, and its links.

    What is not shown is left out: comments, scripts, the head, and elements with `hidden` or
    `display: none`, such as the preview texts that begin many emails.
    """
    page = _Page()
    for token in _tokens(html):
        if isinstance(token, _Tag):
            page.add_tag(token)
        else:
            page.add_text(token)
    return HtmlText(page.text(), tuple(page.links))


class _Tag(NamedTuple):
    """A tag with its attributes, whose values are as they are written."""

    name: str
    is_end: bool
    attributes: dict[str, str]

    @property
    def is_hidden(self) -> bool:
        """Whether the element is not shown, with all that it contains."""
        if self.is_end or self.name in VOID:
            return False
        if self.name == "template" or "hidden" in self.attributes:
            return True
        style = self.attributes.get("style")
        return style is not None and _NOT_SHOWN.search(_value(style)) is not None


class _Page:
    """What is shown of the tags and texts so far."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self._texts: list[str] = []
        self._in_head = False
        self._in_pre = False
        self._hidden = ""
        """The name of the hidden element that contains what follows."""
        self._depth = 0
        """How many elements are open within it whose tags could be taken for its end."""

    def text(self) -> str:
        """Return the lines without what surrounds them."""
        text = _BLANKS.sub(" ", "".join(self._texts))
        lines = [_BETWEEN_CELLS.sub("\t", line.strip(" \t")) for line in text.split("\n")]
        return "\n".join([line for line in lines if line])

    def add_text(self, text: str) -> None:
        """Add a text as it is written between two tags."""
        if self._hidden or (self._in_head and not text.strip("\t\n\f\r ")):
            return
        self._in_head = False
        spaces = _SPACES_OF_LINE if self._in_pre else _SPACES
        self._texts.append(spaces.sub(" ", _decoded(text)))

    def add_tag(self, tag: _Tag) -> None:
        """Add what a tag means for the text, and what a link leads to."""
        if self._hidden and self._stays_hidden(tag):
            return
        if tag.is_hidden:
            self._hidden, self._depth = tag.name, 0
        if tag.name == "head" or tag.name not in OF_HEAD:
            self._in_head = tag.name == "head" and not tag.is_end
        if tag.name == "pre":
            self._in_pre = not tag.is_end
        self._add_shown(tag)

    def _add_shown(self, tag: _Tag) -> None:
        if tag.name in BLOCKS:
            self._texts.append("\n")
        elif tag.name in CELLS and not tag.is_end:
            self._texts.append("\t")
        elif tag.name in {"a", "area"} and not self._hidden:
            self._add_link(tag.attributes.get("href", ""))

    def _stays_hidden(self, tag: _Tag) -> bool:
        ends = IMPLIED_ENDS.get(self._hidden) or Ends(set(), set(), {self._hidden})
        is_own_end = tag.is_end and tag.name == self._hidden
        if self._depth == 0:
            if is_own_end or tag.name in (ends.parents if tag.is_end else ends.starts):
                self._hidden = ""
            elif tag.name in ends.containers and not tag.is_end:
                self._depth = 1
        elif tag.name in ends.containers:
            self._depth += -1 if tag.is_end else 1
        return bool(self._hidden)

    def _add_link(self, href: str) -> None:
        url = _NOT_OF_URL.sub("", _value(href)).strip()
        if url.lower().startswith(_WEB):
            self.links.append(url)


def _tokens(html: str) -> Iterator[str | _Tag]:
    """Split HTML into texts and tags; what is not complete at the end is left out."""
    at = 0
    while (start := html.find("<", at)) >= 0:
        yield html[at:start]
        name = _TAG_NAME.match(html, start)
        if name is not None:
            tag, at = _tag(html, name)
            if tag is None:
                return
            yield tag
            if tag.name in UNSEEN and not tag.is_end:
                at = _end_of_unseen(html, tag.name, at)
        elif html.startswith("<!--", start):
            comment = _COMMENT.match(html, start)
            at = len(html) if comment is None else comment.end()
        elif html[start + 1 : start + 2] in {"!", "/", "?"}:
            end = html.find(">", start)
            at = len(html) if end < 0 else end + 1
        else:
            yield "<"
            at = start + 1
    yield html[at:]


def _tag(html: str, name: re.Match[str]) -> tuple[_Tag | None, int]:
    """Return a tag, or None if it has no end, and where it ends."""
    attributes: dict[str, str] = {}
    at = name.end()
    while part := _ATTRIBUTE.match(html, at):
        at = part.end()
        if part[1]:
            return _Tag(name[2].lower(), bool(name[1]), attributes), at
        attributes.setdefault(part[2].lower(), part[3] or part[4] or part[5] or "")
    return None, len(html)


def _end_of_unseen(html: str, name: str, at: int) -> int:
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(html, at)
    return len(html) if end is None else end.start()


def _decoded(text: str) -> str:
    """Return a text with the characters that its references stand for."""
    if "&" not in text:
        return text
    return unescape(_HUGE.sub("\ufffd", _LEADING_ZEROS.sub("&#", text)))


def _value(text: str) -> str:
    """Return the value of an attribute, in which fewer references are decoded than in a text."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    """Return what a reference in the value of an attribute stands for.

    A name without a semicolon stays before `=`, a letter or a digit: `&copy=2` is a parameter.
    """
    name, semicolon = reference[1], reference[2]
    if name is None:
        return _decoded(reference[0])
    is_parameter = reference.string.startswith("=", reference.end())
    if semicolon or not is_parameter:
        return html5.get(name + semicolon, reference[0])
    return reference[0]
