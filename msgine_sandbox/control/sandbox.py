"""Calls about the sandbox as a whole: health, reset, coverage, magic recipients."""

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import list_view
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.magic import ALL
from msgine_sandbox.services.reset import Reset
from msgine_sandbox.version import __version__


async def _health(request: Request) -> Answer:  # noqa: ARG001
    return json_answer({"status": "ok", "version": __version__})


HEALTH = resource("/_sandbox/health", GET=_health)
"""Whether the sandbox answers; it needs no credential, and no control token."""


class SandboxControl:
    """Resets accounts, reports coverage, lists magic recipients."""

    def __init__(self, reset: Reset, coverage: Coverage) -> None:
        self._reset = reset
        self._coverage = coverage

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/reset", POST=self.reset),
            resource("/_sandbox/coverage", GET=self.coverage),
            resource("/_sandbox/magic", GET=self.magic),
        ]

    async def reset(self, request: Request) -> Answer:
        """Delete messages, keys, faults and webhooks; windows and clock are as new."""
        await self._reset.reset(context_of(request).account_id)
        return json_answer({"status": "ok"})

    async def coverage(self, request: Request) -> Answer:
        """Return the documented behaviours that were met and those that were not, in order."""
        account = context_of(request).account_id
        known, applicable = self._coverage.met(account), self._coverage.applicable(account)
        met = [name for name in applicable if name in known]
        unmet = [name for name in applicable if name not in known]
        percent = round(100 * len(met) / len(applicable), 1)
        return json_answer({"met": met, "unmet": unmet, "percent": percent})

    async def magic(self, request: Request) -> Answer:  # noqa: ARG002
        """List magic recipients by name, number, address and token, with what they bring about."""
        found = [
            {
                "name": each.name,
                "number": each.number,
                "address": each.address,
                "token": each.token,
                "what": each.what,
            }
            for each in ALL
        ]
        return json_answer(list_view(found, len(found)))
