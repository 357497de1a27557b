"""The paths of the documents about the calls."""

import asyncio
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, Routes, resource
from msgine_sandbox.control.health import HEALTH
from msgine_sandbox.model.choices import Answers
from msgine_sandbox.ui.docs import Docs
from msgine_sandbox.ui.page import PageFile, check_site

if TYPE_CHECKING:
    from msgine_sandbox.openapi.documents import Documents

_PATHS: Final = (
    "/_sandbox",
    "/_sandbox/openapi.json",
    "/openapi.json",
    "/llms.txt",
    "/docs/api",
    "/docs/api.md",
)


class DocumentPages:
    """Serves the documents about the calls, by the paths of `Documents.read`.

    Each is made when it is first asked for, and kept.
    """

    def __init__(
        self, api: Routes, control: Routes, answers: Answers, docs: Docs, root: str
    ) -> None:
        self._root = root
        self._api = api
        self._control = control
        self._answers = answers
        self._docs = docs
        self._documents: Documents | None = None
        self._files: dict[str, PageFile] = {}
        self._reading = Lock()

    @property
    def resources(self) -> list[Resource]:
        """The paths, from the root on."""
        return [resource(path, GET=self.get) for path in _PATHS]

    async def get(self, request: Request) -> Response:
        """Return a document; a link on another site may lead to it."""
        context = context_of(request)
        check_site(context, may_be_linked=True)
        file = self._files.get(context.path)
        if file is None:
            # In a thread, because the import and the page take 100 ms together.
            file = await asyncio.to_thread(self._read, context.path)
        return file.response(context)

    def _read(self, path: str) -> PageFile:
        # Here, because it takes longer than the event loop may be kept from other requests.
        from msgine_sandbox.openapi.documents import Documents

        with self._reading:
            if self._documents is None:
                control = [Routes(HEALTH, *self.resources), self._control]
                self._documents = Documents(
                    self._api, control, self._answers, self._docs, self._root
                )
            if path not in self._files:
                self._files[path] = self._documents.read(path)
            return self._files[path]
