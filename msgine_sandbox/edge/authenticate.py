"""Who is asking: the account of the credential."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.edge.credentials import credential
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.errors import Unauthorized


class Authenticate:
    """Lets in who has a credential, and opens an account for a new one."""

    def __init__(self, app: ASGIApp, accounts: Accounts, *, strict: bool) -> None:
        self._app = app
        self._accounts = accounts
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        token = credential(visit, strict=self._strict)
        if token is None:
            raise Unauthorized
        visit.account = await self._accounts.admit(token)
        visit.now = self._accounts.now(visit.account.id)
        await self._app(scope, receive, send)
