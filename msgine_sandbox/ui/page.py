"""`/`: the page, and the files that it consists of."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from msgine_sandbox.asgi.context import RequestContext, context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.errors import Forbidden, NotFound

_MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FRAMING_POLICY: Final = f"{_POLICY}; frame-src 'self'"
"""Of the page itself, which shows emails in a frame."""
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_OWN_SITES: Final = frozenset({None, "same-origin", "none"})
_FRONT: Final = "index.html"


class PageFile(msgspec.Struct, frozen=True):
    """A file with the headers that it is served with."""

    content: bytes
    headers: Mapping[str, str]

    def response(self, context: RequestContext) -> Response:
        """Return the file, or 304 where the browser has it already."""
        if context.header(b"if-none-match") == self.headers["ETag"]:
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)


class Page:
    """Serves the page's files, which are read at the first request for one."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._files: Mapping[str, PageFile] = {}

    @property
    def resources(self) -> list[Resource]:
        """The paths, from the root on."""
        return [resource("/", GET=self.front), resource("/ui/{name}", GET=self.file)]

    async def front(self, request: Request) -> Response:
        """Return the page itself; a link on another site may lead to it."""
        context = context_of(request)
        check_site(context, may_be_linked=True)
        return self._respond(_FRONT, context)

    async def file(self, request: Request) -> Response:
        """Return a file of the page, to the page alone."""
        context = context_of(request)
        check_site(context)
        return self._respond(request.path_params["name"], context)

    def _respond(self, name: str, context: RequestContext) -> Response:
        if not self._files:
            folder = Path(__file__).with_name("static")
            self._files = {
                file.name: page_file(
                    file.suffix,
                    file.read_bytes(),
                    root=self._root,
                    policy=_FRAMING_POLICY if file.name == _FRONT else _POLICY,
                )
                for file in folder.iterdir()
            }
        file = self._files.get(name)
        if file is None:
            raise NotFound(f"The page has no {name}")
        return file.response(context)


def page_file(suffix: str, content: bytes, root: str = "", policy: str = _POLICY) -> PageFile:
    """Return a file of a type that its suffix names, such as `.html`; its links lead below a root.

    Scripts find the root by their own address.
    """
    if root and suffix == ".html":
        content = re.sub(rb'( (?:href|src)=")/', rb"\1" + f"{root}/".encode(), content)
    headers = {
        "Content-Type": _MEDIA_TYPES[suffix],
        "ETag": f'"{sha256(content).hexdigest()[:20]}"',
        "Content-Security-Policy": policy,
        **_HEADERS,
    }
    return PageFile(content, headers)


def check_site(context: RequestContext, *, may_be_linked: bool = False) -> None:
    """Raise Forbidden if another site's page requests a file.

    One that `may_be_linked` is opened by a link on that page, but not framed or embedded in it.
    """
    if may_be_linked and context.header(b"sec-fetch-dest") == "document":
        return
    if context.header(b"sec-fetch-site") not in _OWN_SITES:
        raise Forbidden("Another site's page may not use this sandbox's", field="Sec-Fetch-Site")
