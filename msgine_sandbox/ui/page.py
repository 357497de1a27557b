"""`/`: the page, and the files that it is made of."""

from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from msgine_sandbox.edge.resource import resource
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import Forbidden, NotFound

_KINDS: Final = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_GUARDS: Final = [
    (b"content-security-policy", _POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
]
_OWN: Final = {None, "same-origin", "none"}
_FRONT: Final = "index.html"


class Page:
    """Serves the files of the page, which are read when it is first looked at."""

    def __init__(self) -> None:
        self._files: Mapping[str, _File] = {}

    @property
    def routes(self) -> list[Route]:
        """The paths, from the root on."""
        return [resource("/", GET=self.front), resource("/ui/{name}", GET=self.file)]

    async def front(self, request: Request) -> "_File":
        """Give the page itself; a link from elsewhere may lead to it."""
        visit = visit_of(request.scope)
        if visit.header(b"sec-fetch-dest") != "document":
            _check(visit.header(b"sec-fetch-site"))
        return self._file(_FRONT)

    async def file(self, request: Request) -> "_File":
        """Give a file of the page, to the page alone."""
        _check(visit_of(request.scope).header(b"sec-fetch-site"))
        return self._file(request.path_params["name"])

    def _file(self, name: str) -> "_File":
        if not self._files:
            folder = resources.files("msgine_sandbox.ui") / "static"
            self._files = {
                file.name: _File(file.name, file.read_bytes()) for file in folder.iterdir()
            }
        if name not in self._files:
            raise NotFound(f"The page has no {name}")
        return self._files[name]


class _File:
    """An answer with a file, or without it to who has it already."""

    def __init__(self, name: str, content: bytes) -> None:
        self._content = content
        self._tag = b'"%s"' % sha256(content).hexdigest()[:20].encode()
        kind = _KINDS[name[name.rindex(".") :]]
        self._headers = [(b"content-type", kind), (b"etag", self._tag), *_GUARDS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        known = visit_of(scope).asked.get(b"if-none-match") == self._tag
        body = b"" if known or scope["method"] == "HEAD" else self._content
        headers = list(self._headers)
        if not known:
            headers.append((b"content-length", b"%d" % len(self._content)))
        await send(
            {"type": "http.response.start", "status": 304 if known else 200, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})


def _check(site: str | None) -> None:
    if site not in _OWN:
        raise Forbidden("Another site's page may not use this sandbox's", field="Sec-Fetch-Site")
