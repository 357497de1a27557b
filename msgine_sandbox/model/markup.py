"""What a person reads of HTML; imported when there is some, because most messages have none."""

import re
from html.parser import HTMLParser

_SKIPPED = frozenset({"head", "script", "style", "template", "title"})
_BLOCKS = {"address", "article", "blockquote", "br", "div", "footer", "form", "header", "hr"}
_BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "li", "main", "nav", "ol", "p", "pre"}
_BLOCKS |= {"section", "table", "td", "th", "tr", "ul"}
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_LINES = re.compile(r" ?\n[ \n]*")


def readable(html: str) -> str:
    """Give the text of HTML, without its markup."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return _LINES.sub("\n", "".join(reader.pieces)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._skipped += tag in _SKIPPED
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self._skipped = max(self._skipped - 1, 0)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.pieces.append(_SPACES.sub(" ", data))

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")
