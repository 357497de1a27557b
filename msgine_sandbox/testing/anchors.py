"""Finding the URLs that links of HTML lead to; imported when there is some HTML."""

from html.parser import HTMLParser


def linked_in(html: str) -> list[str]:
    """Give the http and https URLs of a page's links, in order."""
    anchors = _Anchors()
    anchors.feed(html)
    anchors.close()
    return anchors.found


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = (dict(attrs).get("href") or "").strip()
        if tag == "a" and href.lower().startswith(("http://", "https://")):
            self.found.append(href)
