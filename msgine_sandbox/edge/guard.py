"""The key to the control API, and the account that a call to it is about."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.edge.credentials import credential
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import Unauthorized

HEADER = "X-Control-Token"


class Guard:
    """Asks for the control token where one is set, and finds the account where one is named."""

    def __init__(self, app: ASGIApp, accounts: Accounts, token: str | None) -> None:
        self._app = app
        self._accounts = accounts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        self._check(visit.asked.get(HEADER.lower().encode(), b""))
        token = credential(visit, strict=False)
        if token is not None:
            visit.account = await self._accounts.with_token(token)
            visit.now = self._accounts.now(visit.account.id)
        await self._app(scope, receive, send)

    def _check(self, given: bytes) -> None:
        if self._token is None:
            return
        if not hmac.compare_digest(given, self._token.encode()):
            raise Unauthorized(f"Send the sandbox's --control-token as {HEADER}")
