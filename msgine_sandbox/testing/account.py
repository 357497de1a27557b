"""One account on a sandbox: the object that a test works with, and the account's settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgine_sandbox.testing.client import AccountClient, without_none
from msgine_sandbox.testing.clock import Clock
from msgine_sandbox.testing.coverage import Coverage, coverage_of
from msgine_sandbox.testing.faults import Faults
from msgine_sandbox.testing.journal import Requests
from msgine_sandbox.testing.messages import Message, Messages
from msgine_sandbox.testing.report import Report, parse_report
from msgine_sandbox.testing.webhooks import Webhooks

if TYPE_CHECKING:
    from msgine_sandbox.testing.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What an account may do and what it pays.

    Limits are in requests; None means unlimited.
    """

    name: str | None
    """What people call the account, as the page shows it."""
    tier: str
    per_minute: int | None
    per_second: int | None
    scopes: tuple[str, ...]
    sender_id: str
    price: Decimal
    """Price of an SMS in the Messages API, for one recipient and one segment."""
    currency: str
    """Currency of `price`, as an ISO 4217 code."""
    developer_prices: Mapping[str, Decimal]
    """Price in the Developers API, in UGX, by channel."""
    answers: str
    """Which form of answers the sandbox gives: "documented" or "observed"."""


class Account:
    """One account: its own messages, clock, faults, webhooks and journal.

    Configure the code under test with `base_url` and `token`. Nothing is cached: every access asks
    the sandbox. Safe to use from several threads.
    """

    def __init__(self, server: Server, token: str, *, starts_frozen: bool = False) -> None:
        """Freeze the account's clock, now and after each reset, if it `starts_frozen`."""
        self.server = server
        self.token = token
        self.starts_frozen = starts_frozen
        """Whether waits move the clock unless they say otherwise."""
        self._client = AccountClient(server.wire, token)
        self.messages = Messages(self._client)
        self.clock = Clock(self._client)
        self.faults = Faults(self._client)
        self.webhooks = Webhooks(self._client)
        self.requests = Requests(self._client, server.ignored_warnings)
        self._start()

    @property
    def origin(self) -> str:
        """Origin of the sandbox, such as `http://127.0.0.1:8256`."""
        return self.server.origin

    @property
    def base_url(self) -> str:
        """Base URL of the API, for the client under test."""
        return self.server.base_url

    @property
    def coverage(self) -> Coverage:
        """Which documented behaviours the account's client has met."""
        return coverage_of(self._client.get("/coverage"))

    @property
    def report(self) -> Report:
        """What the journal proves about the account's client: retries, keys, polling, webhooks."""
        return parse_report(self._client.get("/report"), self.origin)

    @property
    def settings(self) -> AccountSettings:
        """Tier, limits, scopes, sender ID and prices, as they are now."""
        return _parse_settings(self._client.get("/account"))

    def change(
        self,
        *,
        name: str | None = None,
        tier: str | None = None,
        per_minute: int | None = None,
        per_second: int | None = None,
        scopes: Iterable[str] | None = None,
        sender_id: str | None = None,
        price: Decimal | float | None = None,
        currency: str | None = None,
        developer_prices: Mapping[str, Decimal | float] | None = None,
    ) -> AccountSettings:
        """Change the given settings, all of them or none, and return the settings after that.

        `price` and `currency` belong to the Messages API, `developer_prices` to the Developers
        API: in UGX, by channel. An empty `name` removes it.

        Raises:
            SandboxError: the sandbox rejects a value.
        """
        limits = without_none({"perMinute": per_minute, "perSecond": per_second})
        change = without_none(
            {
                "name": name,
                "tier": tier,
                "limits": limits or None,
                "scopes": None if scopes is None else list(scopes),
                "senderId": sender_id,
                "price": None if price is None else float(price),
                "currency": currency,
                "developerPrices": _format_prices(developer_prices),
            }
        )
        if name == "":
            change["name"] = None
        return _parse_settings(self._client.patch("/account", change))

    @property
    def scenario(self) -> dict[str, Any]:
        """The account as a scenario: settings, endpoints, faults, messages, whether it is frozen.

        It can be written to a file as JSON, and loaded by `load` or `--scenario`.
        """
        scenario: dict[str, Any] = self._client.get("/scenario")
        return scenario

    def load(self, scenario: Mapping[str, Any] | str | PathLike[str]) -> None:
        """Replace all that the account has by a scenario with one account, or by that of a file.

        Raises:
            SandboxError: the sandbox refuses a part of it, and nothing has changed; the field in
                the details is the path of that part.
        """
        if not isinstance(scenario, Mapping):
            scenario = json.loads(Path(scenario).read_bytes())
        with self._remembered():
            self._client.put("/scenario", scenario)

    def wait_for_message(
        self,
        *,
        id: str | None = None,  # noqa: A002  (its name in the API)
        channel: str | None = None,
        to: str | None = None,
        contains: str | None = None,
        matches: str | None = None,
        status: str | None = None,
        jump: bool | None = None,
        timeout: float = 5,
    ) -> Message:
        """Return the newest message that matches, waiting for one if there is none yet.

        `id` is the id that the API gave a message; `contains` and `matches`, a regular expression,
        search text and title. With `jump`, a message that fits all but `status` is not waited for:
        its account's clock moves to its next status, until it fits. None means to do so if the
        account starts frozen. The timeout is in seconds of real time.

        Raises:
            MessageNotFound: no such message arrived in time, or no step leads such a message to the
                status; the error lists those that did arrive, and what differs.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test that waits
        return self.messages.wait(
            timeout,
            jump=self.starts_frozen if jump is None else jump,
            id=id,
            channel=channel,
            to=to,
            contains=contains,
            matches=matches,
            status=status,
        )

    def reset(self) -> None:
        """Make the account new: no messages, keys, faults or endpoints, and real time.

        If it starts frozen, its clock is frozen again.
        """
        with self._remembered():
            self._client.post("/reset")
        self._start()

    def another(self, token: str | None = None) -> Account:
        """Return another account on the same sandbox: that of the token, or a fresh one."""
        return self.server.account(token)

    def control(self, method: str, path: str, /, json: Any = None, **params: object) -> Any:
        """Call a path below `/_sandbox` as this account and return the JSON of the response.

        For calls that have no method here. Keyword arguments are the query parameters.

        Raises:
            SandboxError: the sandbox answers with an error.
        """
        return self.server.wire.call(method, path, self.token, json=json, params=params)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        """Keep what the session reports of the account, which the sandbox forgets in the block."""
        self.server.remember(self.coverage)
        report_file = self.server.report_file
        with nullcontext() if report_file is None else report_file.emptying(self):
            yield

    def _start(self) -> None:
        if self.starts_frozen:
            self.clock.freeze()

    def __repr__(self) -> str:
        return f"<Account {self.token} at {self.origin}>"


def _parse_settings(raw: Mapping[str, Any]) -> AccountSettings:
    return AccountSettings(
        name=raw.get("name"),  # an earlier sandbox has none
        tier=raw["tier"],
        per_minute=raw["limits"]["perMinute"],
        per_second=raw["limits"]["perSecond"],
        scopes=tuple(raw["scopes"]),
        sender_id=raw["senderId"],
        # By way of `str`, so that a price of 0.05 is exactly that.
        price=Decimal(str(raw["price"])),
        currency=raw["currency"],
        developer_prices={
            channel: Decimal(str(price)) for channel, price in raw["developerPrices"].items()
        },
        answers=raw.get("answers", "documented"),  # an earlier sandbox has no other
    )


def _format_prices(prices: Mapping[str, Decimal | float] | None) -> dict[str, float] | None:
    if prices is None:
        return None
    return {channel: float(price) for channel, price in prices.items()}
