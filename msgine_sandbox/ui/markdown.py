"""Markdown to a page of the docs; imported with the first of them, because of what it imports."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from string import Template
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PAGE: Final = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title · msgine-sandbox</title>
<link rel="icon" href="/ui/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/ui/style.css">
<link rel="stylesheet" href="/ui/docs.css">
</head>
<body class="docs">
<header class="top">
<a class="brand" href="/"><img src="/ui/icon.svg" alt="" width="24" height="24"> msgine-sandbox</a>
<nav aria-label="Sandbox"><a href="/">Inbox</a> <a href="/docs/" aria-current="true">Docs</a></nav>
</header>
<nav class="pages" aria-label="Pages of the docs">
$links
</nav>
<main>
$content</main>
</body>
</html>
""")
_CURRENT: Final = ' aria-current="page"'


class Renderer:
    """Renders the Markdown of a page; beside it stand the pages that the index links to."""

    def __init__(self, index: str) -> None:
        # With `html`, raw HTML is recognised for what it is, and can be left out.
        self._markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        for kind, rule in _RULES.items():
            self._markdown.add_render_rule(kind, rule)
        self._pages = {"": "Overview", **dict(_linked_pages(self._markdown.parse(index)))}

    def page(self, text: str, name: str) -> str:
        """Return the HTML of a page, with its name in the docs; the index has none."""
        tokens = self._markdown.parse(text)
        title = _add_anchors(tokens)
        content = self._markdown.renderer.render(tokens, self._markdown.options, {})
        return _PAGE.substitute(title=escape(title), links=self._links(name), content=content)

    def _links(self, current: str) -> str:
        return "\n".join(
            f'<a href="/docs/{name}"{_CURRENT * (name == current)}>{escape(title)}</a>'
            for name, title in self._pages.items()
        )


def _linked_pages(index: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Return the name and the title of each page to which a link leads."""
    for block in index:
        for link, text in pairwise(block.children or ()):
            path = str(link.attrGet("href"))
            if link.type == "link_open" and re.fullmatch(r"[\w-]+\.md", path):
                yield path.removesuffix(".md"), text.content


def _add_anchors(tokens: Sequence[Token]) -> str:
    """Add to each heading its anchor and a link to it, and return the text of the first one."""
    texts: list[str] = []
    anchors: set[str] = set()
    for heading, inline in pairwise(tokens):
        if heading.type != "heading_open":
            continue
        children = inline.children or []
        texts.append("".join(each.content for each in children if each.type != "html_inline"))
        anchor = _free(anchor_of(texts[-1]), anchors)
        anchors.add(anchor)
        heading.attrSet("id", anchor)
        children.append(Token("permalink", "a", 0, content=anchor))
    return texts[0] if texts else ""


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading with this text."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _free(anchor: str, taken: set[str]) -> str:
    """Return the anchor, with GitHub's number for a repeated heading where it is taken."""
    numbered = (f"{anchor}-{count}" for count in range(1, len(taken) + 1))
    return next(each for each in (anchor, *numbered) if each not in taken)


def _leave_out(*_: Any) -> str:
    """Raw HTML is for readers of the source: comments, and anchors of earlier versions."""
    return ""


def _permalink(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    anchor = escape(tokens[index].content)
    return f'&nbsp;<a class="permalink" href="#{anchor}" aria-label="Link to this section">#</a>'


# What may be wider than the window scrolls, and `tabindex` lets a keyboard scroll it.


def _code(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'<pre tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _table(*_: Any) -> str:
    return '<div class="table" tabindex="0"><table>\n'


def _table_end(*_: Any) -> str:
    return "</table></div>\n"


_RULES: Final = {
    "html_block": _leave_out,
    "html_inline": _leave_out,
    "permalink": _permalink,
    "fence": _code,
    "code_block": _code,
    "table_open": _table,
    "table_close": _table_end,
}
"""What the renderer does for a kind of token; it passes itself, the tokens and an index."""
