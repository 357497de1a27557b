"""A local server can be reached from any web page: answer only under names that are meant."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import MisdirectedRequest

_LOCAL = ("localhost", "host.docker.internal")


class Hosts:
    """Refuses requests for other hosts with 421, which ends DNS rebinding.

    An address instead of a name is always fine: rebinding needs a name.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = {name.lower() for name in (*_LOCAL, *allowed)}
        self._is_ours = lru_cache(256)(self._judge)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = visit_of(scope).header(b"host") or ""
            if not self._is_ours(host):
                raise MisdirectedRequest(
                    f"This sandbox does not answer as {host!r}; start it with --allowed-host",
                    field="Host",
                    value=host,
                )
        await self._app(scope, receive, send)

    def _judge(self, host: str) -> bool:
        name = _name(host)
        return name in self._allowed or name.endswith(".localhost") or _is_address(name)


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
