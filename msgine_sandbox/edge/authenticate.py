"""Who is asking: the account of the credential."""

from starlette.types import ASGIApp, Receive, Scope, Send

from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.rate_limit import untouched
from msgine_sandbox.edge.credentials import credential
from msgine_sandbox.edge.limit import announce
from msgine_sandbox.edge.visit import Visit, visit_of
from msgine_sandbox.model.account import Limits
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import Unauthorized


class Authenticate:
    """Lets in who has a credential, and opens an account for a new one."""

    def __init__(
        self, app: ASGIApp, accounts: Accounts, real: RealTime, limits: Limits, *, strict: bool
    ) -> None:
        self._app = app
        self._accounts = accounts
        self._real = real
        self._limits = limits
        self._strict = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = visit_of(scope)
        try:
            await self._identify(visit)
        except Unauthorized:
            # A stranger is told the default allowance: every response has the headers (documented).
            announce(visit, untouched(self._limits), self._real.now())
            raise
        await self._app(scope, receive, send)

    async def _identify(self, visit: Visit) -> None:
        token = credential(visit, strict=self._strict)
        if token is None:
            raise Unauthorized
        visit.account = await self._accounts.admit(token)
        visit.now = self._accounts.now(visit.account.id)
