"""The elements of HTML that `html_text` has to know, and where those without an end tag end."""

from collections.abc import Set
from typing import Final, NamedTuple

BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd"}
    | {"details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer"}
    | {"form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li"}
    | {"listing", "main", "menu", "nav", "ol", "optgroup", "option", "p", "plaintext", "pre"}
    | {"search", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul", "xmp"}
)
"""Elements that begin and end a line: those that browsers display as blocks, and `br`."""
CELLS: Final = frozenset({"td", "th"})
UNSEEN: Final = frozenset({"iframe", "noembed", "noframes", "script", "style", "title"})
"""Elements whose content is neither shown nor contains tags."""
OF_HEAD: Final = UNSEEN | {"base", "head", "html", "link", "meta", "noscript", "template"}
"""Elements that do not end a head, which may have no end tag; any other and a text do."""
VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"}
    | {"source", "track", "wbr"}
)


class Ends(NamedTuple):
    """Where an element ends that may have no end tag (HTML standard, 13.1.2.4)."""

    starts: Set[str]
    """Start tags of what cannot be within it."""
    parents: Set[str]
    """End tags of what contains it."""
    containers: Set[str]
    """What it can contain, and in which such tags mean other elements."""


_TABLE: Final = frozenset({"table"})
_ROWS: Final = frozenset({"tbody", "tfoot", "thead", "tr"})
_LISTS: Final = frozenset({"dir", "menu", "ol", "ul"})
_CLOSES_P: Final = BLOCKS - (
    _ROWS | {"body", "br", "caption", "html", "legend", "optgroup", "option"}
)
_DEFINITION: Final = Ends(CELLS | _ROWS | {"dd", "dt"}, CELLS | {"dl"}, _TABLE | {"dl"})
_CELL: Final = Ends(CELLS | _ROWS, _ROWS | _TABLE, _TABLE)
_ROW_GROUP: Final = Ends(_ROWS - {"tr"}, _TABLE, _TABLE)
IMPLIED_ENDS: Final = {
    "p": Ends(
        _CLOSES_P | CELLS | _ROWS,
        (_CLOSES_P - {"hr"}) | CELLS | {"caption"},
        frozenset({"button", "object"}),
    ),
    "li": Ends(CELLS | _ROWS | {"li"}, CELLS | _LISTS, _TABLE | _LISTS),
    "dd": _DEFINITION,
    "dt": _DEFINITION,
    "option": Ends({"option", "optgroup"}, {"optgroup", "select"}, frozenset()),
    "optgroup": Ends({"optgroup"}, {"select"}, frozenset()),
    "td": _CELL,
    "th": _CELL,
    "tr": Ends(_ROWS, (_ROWS - {"tr"}) | _TABLE, _TABLE),
    "tbody": _ROW_GROUP,
    "tfoot": _ROW_GROUP,
    "thead": _ROW_GROUP,
}
