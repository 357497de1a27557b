"""What a person takes out of a message: its one-time codes and its links.

`model.codes` takes 20 ms to import, so this module is imported where it is first needed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from msgine_sandbox.model.codes import find_codes
from msgine_sandbox.model.html_text import html_to_text
from msgine_sandbox.model.links import find_links


@dataclass(frozen=True, slots=True)
class Contents:
    """The codes and links of a message."""

    codes: tuple[str, ...]
    """The digits of each number that can be the one-time code, the most likely one first."""
    links: tuple[str, ...]
    """The http and https URLs in the text, then those that the HTML links to, in order."""

    @property
    def code(self) -> str | None:
        """The one-time code, or None where there is none."""
        return next(iter(self.codes), None)


def contents_of(
    text: str, title: str | None, html: str | None, html_links: Iterable[str]
) -> Contents:
    """Return the codes in a message's text, or else in its title or its HTML, and its links."""
    codes = find_codes(text) or find_codes(title or "")
    if not codes and html is not None:
        codes = find_codes(html_to_text(html).text)
    return Contents(tuple(codes), tuple(dict.fromkeys([*find_links(text), *html_links])))
