"""Calls about the sandbox as a whole: health, definitions, reset, coverage, magic recipients."""

from typing import Final

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import Json, list_view
from msgine_sandbox.model.account import Tier
from msgine_sandbox.model.channel import TRAITS, Scope
from msgine_sandbox.model.magic import ALL
from msgine_sandbox.model.message import NEXT, Status
from msgine_sandbox.model.warning import ADVICE
from msgine_sandbox.model.webhook import EventType
from msgine_sandbox.services.coverage import Coverage
from msgine_sandbox.services.deliveries import FAILED_BY_HAND
from msgine_sandbox.services.reset import Reset
from msgine_sandbox.version import __version__


async def _health(request: Request) -> Answer:  # noqa: ARG001
    return json_answer({"status": "ok", "version": __version__})


HEALTH = resource("/_sandbox/health", GET=_health)
"""Whether the sandbox answers; it needs no credential, and no control token."""


_DEFINITIONS: Final[Json] = {
    "channels": [{"name": name, "title": traits.title} for name, traits in TRAITS.items()],
    "tiers": list(Tier),
    "scopes": list(Scope),
    "events": list(EventType),
    # In the order of the lifecycle: the first of the next statuses leads to delivery.
    "statuses": {status: [each for each in Status if each in NEXT[status]] for status in Status},
    "reasons": {"byHand": FAILED_BY_HAND},
    "warnings": [{"code": code, "advice": advice} for code, advice in ADVICE.items()],
}


class SandboxControl:
    """Resets accounts, reports coverage, lists definitions and magic recipients."""

    def __init__(self, reset: Reset, coverage: Coverage) -> None:
        self._reset = reset
        self._coverage = coverage

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/definitions", GET=self.definitions),
            resource("/_sandbox/reset", POST=self.reset),
            resource("/_sandbox/coverage", GET=self.coverage),
            resource("/_sandbox/magic", GET=self.magic),
        ]

    async def definitions(self, request: Request) -> Answer:  # noqa: ARG002
        """Return the names that requests and responses use; they are the same for all accounts."""
        return json_answer(_DEFINITIONS)

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
