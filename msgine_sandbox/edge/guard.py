"""The key to the control API, and the account that a call to it is about."""

import hmac

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.edge.credentials import credential
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.account import PREFIX, Account
from msgine_sandbox.model.errors import NotFound, Unauthorized
from msgine_sandbox.model.ids import number_of

HEADER = "X-Control-Token"
ACCOUNT = "X-Sandbox-Account"
"""Names an account by its identifier, for who does not know its token: a page in the browser."""


class Guard:
    """Asks for the control token where one is set, and finds the account where one is named."""

    def __init__(self, app: ASGIApp, accounts: Accounts, token: str | None) -> None:
        self._app = app
        self._accounts = accounts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        self._check(visit.asked.get(HEADER.lower().encode(), b""))
        visit.account = await self._account(visit)
        if visit.account is not None:
            visit.now = self._accounts.now(visit.account.id)
        await self._app(scope, receive, send)

    async def _account(self, visit: Visit) -> Account | None:
        """Give the account of the credential, else the one that is named by its identifier."""
        token = credential(visit, strict=False)
        if token is not None:
            return await self._accounts.with_token(token)
        named = visit.header(ACCOUNT.lower().encode())
        if named is None:
            return None
        account = self._accounts.find(number_of(PREFIX, named))
        if account is None:
            raise NotFound(f"There is no account {named}", field=ACCOUNT, value=named)
        return account

    def _check(self, given: bytes) -> None:
        if self._token is None:
            return
        if not hmac.compare_digest(given, self._token.encode()):
            raise Unauthorized(f"Send the sandbox's --control-token as {HEADER}")
