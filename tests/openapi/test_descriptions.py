"""The descriptions of the OpenAPI documents speak of what is on the wire."""

import re
from collections.abc import Iterator
from typing import Any

from box import Box

DOCUMENTS = ["/openapi.json", "/_sandbox/openapi.json"]
OF_OTHERS = {"chunked", "webhook-id", "Last-Event-ID", "*"}
"""Words of HTTP and of Standard Webhooks, and the sign in a pattern."""
NAMES = re.compile(r"`([^`]+)`|(\w+_\w+)")
INTERNAL = {"pipeline", "handler", "codec", "draft", "struct", "docstring", "UNSET", "None"}


def texts(content: Any) -> Iterator[str]:
    """Return every description and summary."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in {"description", "summary"} and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(content, list):
        for each in content:
            yield from texts(each)


def words(content: Any) -> Iterator[str]:
    """Return the names of members, parameters and headers, and the values that are choices."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in {"properties", "headers"}:
                yield from value
            if name == "enum":
                yield from map(str, value)
            elif name == "name":
                yield str(value)
            yield from words(value)
    elif isinstance(content, list):
        for each in content:
            yield from words(each)


async def test_a_description_names_what_is_on_the_wire(box: Box) -> None:
    documents = [await box.get(path) for path in DOCUMENTS]
    known = set(words(documents)) | OF_OTHERS
    found = set(texts(documents))
    named = {word for text in found for pair in NAMES.findall(text) for word in pair} - {""}
    assert {"accountId", "imageUrl", "unicodeBecauseOf", "ownDevices"} <= named
    assert named - known == set()


async def test_a_description_names_no_part_of_the_code(box: Box) -> None:
    documents = [await box.get(path) for path in DOCUMENTS]
    found = set(texts(documents))
    assert len(found) > 300
    assert [text for text in found if INTERNAL & set(re.findall(r"\w+", text))] == []
