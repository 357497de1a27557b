"""No web page but our own may use the control API through its visitor's browser."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import Forbidden

WEBHOOK_AGENT = "msgine-sandbox-webhook/"
_OWN = {"same-origin", "none"}


class Origins:
    """Refuses a foreign `Origin` or `Sec-Fetch-Site`; no CORS header is ever sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        if (visit.header(b"user-agent") or "").startswith(WEBHOOK_AGENT):
            raise Forbidden("A webhook of a sandbox may not steer a sandbox", field="User-Agent")
        site = visit.header(b"sec-fetch-site") or "none"
        origin = visit.header(b"origin")
        foreign = origin is not None and _host(origin) != visit.header(b"host")
        if foreign or site not in _OWN:
            raise Forbidden(
                "Another site's page may not use this sandbox", field="Origin", value=origin
            )
        await self._app(scope, receive, send)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
