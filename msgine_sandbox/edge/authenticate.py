"""Who is asking: the account of the credential."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.accounts import Accounts, is_revoked
from msgine_sandbox.edge.credentials import credential
from msgine_sandbox.edge.visit import Spelling, visit_of
from msgine_sandbox.model import warning
from msgine_sandbox.model.account import looks_live, masked
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
        if visit.spelling is Spelling.BARE:
            visit.warnings.append(warning.bearer_missing())
        if looks_live(token):
            visit.warnings.append(warning.looks_live(masked(token)))
        visit.account = await self._accounts.with_token(token)
        visit.now = self._accounts.now(visit.account.id)
        if is_revoked(token):
            raise Unauthorized
        await self._app(scope, receive, send)
