"""`/_sandbox/coverage`: which documented behaviours the client has met."""

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen
from msgine_sandbox.domain.coverage import Coverage
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource


class CoverageControl:
    """Tells what is met, and what is not yet."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    @property
    def routes(self) -> list[Route]:
        """The path, below `/_sandbox`."""
        return [resource("/coverage", GET=self.read)]

    async def read(self, request: Request) -> Reply:
        """Give both lists, in the same order every time."""
        account = chosen(request)
        known, counted = self._coverage.met(account), self._coverage.counted(account)
        met = [name for name in counted if name in known]
        unmet = [name for name in counted if name not in known]
        percent = round(100 * len(met) / len(counted), 1)
        return reply({"met": met, "unmet": unmet, "percent": percent})
