"""Which handler answers a path and method.

Instead of Starlette's `Router`, because every refusal has the documented envelope, and because most
requests are for literal paths, which a dictionary finds at once. Parameters are written as in
Starlette's paths: `{id}` is one segment, and `{name:path}` all that follows.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

from starlette.responses import Response
from starlette.types import Scope

from msgine_sandbox.asgi.body import MAX_BODY
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.model.errors import InvalidRequest, MethodNotAllowed, NotFound
from msgine_sandbox.settings import BASE_PATH

_ENCODED_SLASH: Final = re.compile(rb"%2F", re.IGNORECASE)
"""A character of a segment instead of a separator (RFC 3986, 2.2)."""

Handler = Callable[[Any], Awaitable[Response]]
"""Takes a `RequestContext` in the API, Starlette's `Request` in the control API and the page."""


class Resource:
    """A path, such as `/messages/{id}`, and the handler of each method.

    `accepted` is the status of a POST that succeeds, `max_body` how many bytes a body can have, and
    `has_query` whether its GET has parameters in the query.
    """

    def __init__(
        self,
        path: str,
        handlers: Mapping[str, Handler],
        accepted: int = 201,
        max_body: int = MAX_BODY,
        *,
        has_query: bool = False,
    ) -> None:
        self.path = path
        self.accepted = accepted
        self.max_body = max_body
        self.has_query = has_query
        self.handlers = dict(handlers)
        if "GET" in handlers:
            self.handlers["HEAD"] = handlers["GET"]
        self.has_parameters = "{" in path

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """What the path matches; here, because to compile all would delay each start."""
        pattern = re.sub(r"{(\w+):path}", r"(?P<\1>.*)", self.path)
        return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern))

    def parameters(self, path: str) -> Mapping[str, str] | None:
        """Return the parameters of a path, or None where it is not this resource's."""
        match = self._pattern.fullmatch(path)
        return None if match is None else match.groupdict()


def path_of(scope: Scope) -> str:
    """Return the path of a request, decoded but for encoded slashes, which become `%2F`.

    Where the application is mounted in another one, it is the path below that.
    """
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""  # optional in ASGI
    if _ENCODED_SLASH.search(raw):
        # Without the query, which old versions of Starlette's TestClient include.
        path = unquote(_ENCODED_SLASH.sub(b"%252F", raw.partition(b"?")[0]))
    return path.removeprefix(scope.get("root_path", ""))


def below(root: str, path: str) -> str | None:
    """Return the rest of a path that is a root or below it, else None; of the root it is empty."""
    rest = path.removeprefix(root)
    return rest if rest != path and rest[:1] in {"", "/"} else None


def resource(
    path: str,
    *,
    accepted: int = 201,
    max_body: int = MAX_BODY,
    has_query: bool = False,
    **handlers: Handler,
) -> Resource:
    """Return the resource at a path; the other keywords are methods."""
    return Resource(path, handlers, accepted, max_body, has_query=has_query)


class LazyResources:
    """Resources whose module is imported by the first request for a path that begins as theirs.

    `roots` are these beginnings, and `load` imports the module and returns its resources, which
    takes no longer than other requests may wait: a few milliseconds.
    """

    def __init__(self, load: Callable[[], Sequence[Resource]], *roots: str) -> None:
        self._load = load
        self.roots = roots

    @cached_property
    def resources(self) -> Sequence[Resource]:
        """The resources themselves, by whose first use the module is imported."""
        return self._load()


def _roots_of(resources: Iterable[LazyResources]) -> tuple[str, ...]:
    return tuple(root for each in resources for root in each.roots)


class Routes:
    """Finds the resource of a request; a path that ends in an additional slash is another one."""

    def __init__(self, *resources: Resource | LazyResources) -> None:
        self._declared = resources
        self._literal: dict[str, Resource] = {}
        self._with_parameters: list[Resource] = []
        self._lazy = [each for each in resources if isinstance(each, LazyResources)]
        """Those that are not imported yet."""
        self._lazy_roots = _roots_of(self._lazy)
        self._add([each for each in resources if isinstance(each, Resource)])

    @property
    def resources(self) -> Iterator[Resource]:
        """All resources, in the order in which they were given; this imports the lazy ones."""
        for each in self._declared:
            if isinstance(each, LazyResources):
                yield from each.resources
            else:
                yield each

    def _add(self, resources: Sequence[Resource]) -> None:
        self._literal |= {each.path: each for each in resources if not each.has_parameters}
        self._with_parameters += [each for each in resources if each.has_parameters]

    def _imported(self, path: str) -> Resource | None:
        """Import what a path may be of, and return its resource, if it is a literal path."""
        if not path.startswith(self._lazy_roots):  # as of most requests, in one step
            return None
        for lazy in [each for each in self._lazy if path.startswith(each.roots)]:
            self._add(lazy.resources)
            self._lazy.remove(lazy)
        self._lazy_roots = _roots_of(self._lazy)
        return self._literal.get(path)

    def handler(self, context: RequestContext, *, forbid_query: bool = False) -> Handler:
        """Return the handler of a request, and set the parameters of its path.

        With `forbid_query`, a query is refused where the call has no parameters in it.

        Raises:
            NotFound: there is no such path.
            MethodNotAllowed: the path does not have the method; the error names those it has.
            InvalidRequest: the request has a query, and the call has no parameters.
        """
        path = context.path
        found = self._literal.get(path) or self._imported(path) or self._find(context)
        handler = found.handlers.get(context.method)
        if handler is None:
            raise MethodNotAllowed(sorted(found.handlers))
        if forbid_query and not (found.has_query and context.method in {"GET", "HEAD"}):
            name = next(iter(context.query), None)
            if name is not None:
                raise InvalidRequest(
                    f"{context.method} {found.path} has no parameter {name}, nor any other",
                    field=name,
                    expected="no query",
                )
        return handler

    def path_of(self, path: str) -> str | None:
        """Return the path of the resource that a request's path leads to, if there is any."""
        if path in self._literal or self._imported(path) is not None:
            return path
        found = (each.path for each in self._with_parameters if each.parameters(path) is not None)
        return next(found, None)

    def max_body(self, context: RequestContext) -> int:
        """Return how many bytes the body of a request can have, whether or not its path exists."""
        path = context.path
        found = self._literal.get(path) or self._imported(path)  # none with parameters takes more
        return MAX_BODY if found is None else found.max_body

    def success_status(self, context: RequestContext) -> int:
        """Return the status of a success, whether or not the path exists."""
        if context.method != "POST":
            return 200
        path = context.path
        found = self._literal.get(path) or self._imported(path)  # none with parameters takes a POST
        return 201 if found is None else found.accepted

    def _find(self, context: RequestContext) -> Resource:
        # No parameter has a slash, so a path with an encoded one is that of no resource.
        for each in self._with_parameters if "%2F" not in context.path else ():
            parameters = each.parameters(context.path)
            if parameters is not None:
                context.path_params = parameters
                return each
        # With an encoded slash as it came, because decoded it could be the path of a resource.
        path = path_of(context.scope)
        where = "below it" if path.rstrip("/") == BASE_PATH else f"under {BASE_PATH}"
        raise NotFound(f"There is no {path} here; the API is {where}")
