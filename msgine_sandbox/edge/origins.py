"""No web page but our own may use the control API through its visitor's browser."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.model.errors import Forbidden

_OWN = {"same-origin", "none"}


class Origins:
    """Refuses a foreign `Origin` or `Sec-Fetch-Site`; no CORS header is ever sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site", "none")
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if foreign or site not in _OWN:
            raise Forbidden(
                "Another site's page may not use this sandbox", field="Origin", value=origin
            )
        await self._app(scope, receive, send)
