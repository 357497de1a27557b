"""One account on a sandbox: what a test holds in its hands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgine_sandbox.testing.client import AccountClient
from msgine_sandbox.testing.clock import Clock
from msgine_sandbox.testing.coverage import Coverage, coverage_of
from msgine_sandbox.testing.faults import Faults
from msgine_sandbox.testing.inbox import Messages
from msgine_sandbox.testing.journal import Requests
from msgine_sandbox.testing.message import Message
from msgine_sandbox.testing.terms import AccountSettings, change_of, settings_of
from msgine_sandbox.testing.webhooks import Webhooks

if TYPE_CHECKING:
    from msgine_sandbox.testing.server import Server


class Account:
    """One account: its own messages, clock, faults, webhooks and journal.

    Give `base_url` and `token` to the code under test. Nothing is kept here: every look asks the
    sandbox. Safe to use from several threads.
    """

    def __init__(self, server: Server, token: str) -> None:
        self.server = server
        self.token = token
        self._client = AccountClient(server.wire, token)
        self.messages = Messages(self._client)
        self.clock = Clock(self._client)
        self.faults = Faults(self._client)
        self.webhooks = Webhooks(self._client)
        self.requests = Requests(self._client)

    @property
    def origin(self) -> str:
        """Where the sandbox is, as `http://127.0.0.1:8256`."""
        return self.server.origin

    @property
    def base_url(self) -> str:
        """The base URL of the API, as a client is given it."""
        return self.server.base_url

    @property
    def coverage(self) -> Coverage:
        """Which documented behaviours the account's client has met."""
        return coverage_of(self._client.get("/coverage"))

    @property
    def settings(self) -> AccountSettings:
        """What the account may do and what it pays."""
        return settings_of(self._client.get("/account"))

    def change(
        self,
        *,
        tier: str | None = None,
        per_minute: int | None = None,
        per_second: int | None = None,
        scopes: Iterable[str] | None = None,
        sender_id: str | None = None,
        price: Decimal | float | None = None,
        currency: str | None = None,
        developer_prices: Mapping[str, Decimal | float] | None = None,
    ) -> AccountSettings:
        """Change what is given, all of it or nothing; give the terms as they are then.

        `developer_prices` are the second generation's, in UGX by channel.
        """
        change = change_of(tier, per_minute, per_second, scopes, sender_id, price, currency)
        if developer_prices is not None:
            change["developerPrices"] = {
                channel: float(amount) for channel, amount in developer_prices.items()
            }
        return settings_of(self._client.patch("/account", change))

    def wait_for_message(
        self,
        *,
        channel: str | None = None,
        to: str | None = None,
        contains: str | None = None,
        matches: str | None = None,
        status: str | None = None,
        timeout: float = 5,
    ) -> Message:
        """Give the newest message that fits, at once or as soon as there is one.

        `contains` and `matches`, a regular expression, look in text and title; the timeout is in
        seconds of real time.

        Raises:
            MessageNotFound: none came in time; it lists those that did.
        """
        __tracebackhide__ = True  # a failed test shows its own line
        return self.messages.wait(
            timeout, channel=channel, to=to, contains=contains, matches=matches, status=status
        )

    def reset(self) -> None:
        """Make the account as new: no messages, keys, faults or endpoints, and real time."""
        self.server.remember(self.coverage)
        self._client.post("/reset")

    def another(self, token: str | None = None) -> Account:
        """Give another account on the same sandbox, a fresh one without a token."""
        return self.server.account(token)

    def control(self, method: str, path: str, /, json: Any = None, **params: object) -> Any:
        """Make a call below `/_sandbox` that has no method of its own here; give its JSON."""
        return self.server.wire.call(method, path, self.token, json=json, params=params)

    def __repr__(self) -> str:
        return f"<Account {self.token} at {self.origin}>"
