"""`/_sandbox/scenario`: an account as a scenario, which can be loaded again."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import content_of
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.credentials import credential
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.lists import MAX_BYTES
from msgine_sandbox.control.views import StatusView
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import RealTime
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.drafts import ChannelService
from msgine_sandbox.services.reset import Reset
from msgine_sandbox.storage.store import Store


class ScenarioControl:
    """Exports the account, and makes it what a scenario says."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        channels: Mapping[Channel, ChannelService[Any]],
        reset: Reset,
        ids: Ids,
        real: RealTime,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._channels = channels
        self._reset = reset
        self._ids = ids
        self._real = real

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [resource("/_sandbox/scenario", max_body=MAX_BYTES, GET=self.export, PUT=self.load)]

    async def export(self, request: Request) -> Answer:
        """Return the account as a scenario, with its token if the call has sent it."""
        from msgine_sandbox.control.scenario_views import scenario_view  # here, as it is rare

        context = context_of(request)
        account, token = context.require_account(), credential(context, strict=False)
        now = self._accounts.now(account.id)
        return json_answer(await scenario_view(account, token, now, self._store))

    async def load(self, request: Request) -> Answer:
        """Replace all that the account has by a scenario, unless it cannot be loaded."""
        from msgine_sandbox.control.scenario_bodies import ScenarioReader, scenario_of

        context = context_of(request)
        account = context.require_account()
        scenario = scenario_of(content_of(context))
        if len(scenario.accounts) != 1:
            raise InvalidRequest(
                "accounts must have one account, which is loaded into that of this call",
                field="accounts",
                value=len(scenario.accounts),
                expected="one account",
            )
        reader = ScenarioReader(self._channels, self._ids)
        renewed, real = self._accounts.as_opened(account.id), self._real.now()
        contents = await reader.contents(scenario.accounts[0], renewed, real, "accounts[0]")
        await self._reset.replace(contents)
        return json_answer(StatusView())
