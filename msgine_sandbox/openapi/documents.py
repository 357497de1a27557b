"""The documents as they are served, each made once: both in OpenAPI, their page, the index."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from msgine_sandbox.asgi.routing import Routes
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.openapi.control import control_document
from msgine_sandbox.openapi.index import index_view
from msgine_sandbox.openapi.public import public_document
from msgine_sandbox.openapi.text import reference
from msgine_sandbox.ui.docs import Docs
from msgine_sandbox.ui.page import PageFile, page_file

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Documents:
    """What a sandbox says of its own calls, by the path that it is served at."""

    def __init__(
        self, api: Routes, control: Sequence[Routes], answers: Answers, docs: Docs, root: str
    ) -> None:
        self._root = root
        self._api = api
        self._control_routes = control
        self._answers = answers
        self._docs = docs

    def read(self, path: str) -> PageFile:
        """Return the document at a path."""
        if path == "/openapi.json":
            return page_file(".json", _encode(self._public))
        if path == "/_sandbox/openapi.json":
            return page_file(".json", _encode(self._control))
        if path == "/_sandbox":
            return page_file(".json", _encode(index_view(self._control, self._root)))
        if path == "/llms.txt":
            return page_file(".txt", self._rooted(self._docs.text("llms.txt")).encode())
        text = self._docs.text("api.md") + reference(self._public, self._control)
        return page_file(".html", self._docs.rendered(text, "api"), self._root)

    def _rooted(self, text: str) -> str:
        """Return a text whose links, calls and base URL are below the root of the sandbox."""
        for before in ("](", "GET ", "POST ", "URL: "):
            text = text.replace(f"{before}/", f"{before}{self._root}/")
        return text

    @cached_property
    def _public(self) -> Mapping[str, Any]:
        return public_document(self._api, self._answers, self._root)

    @cached_property
    def _control(self) -> Mapping[str, Any]:
        return control_document(self._control_routes, self._root)
