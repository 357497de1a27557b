"""The pictures in the documentation; `make pictures` takes them."""

import re

from project import DOCS, ROOT

PICTURES = DOCS / "pictures"
LINK = re.compile(r"!\[[^]]+\]\(((?:docs/)?pictures/[\w-]+\.png)\)")


def test_every_linked_picture_is_there_in_light_and_in_dark() -> None:
    pages = [ROOT / "README.md", *(DOCS).glob("*.md")]
    links = {page.parent / link for page in pages for link in LINK.findall(page.read_text())}
    names = {link.name.removesuffix("-light.png") for link in links}
    assert names
    assert {f"{name}-{scheme}.png" for name in names for scheme in ("light", "dark")} == {
        file.name for file in PICTURES.iterdir()
    }
