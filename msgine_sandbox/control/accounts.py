"""`/_sandbox/account`: what the account may do, and what it pays."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.body import read_json
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import Fields, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.views import (
    Json,
    account_view,
    clock_view,
    list_view,
    windows_view,
)
from msgine_sandbox.model.account import TIERS, Account, Limits, Tier
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.money import MICROS, Money
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.sms import checked_sender
from msgine_sandbox.services.time_travel import TimeTravel

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_MAX_PRICE = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
SETTABLE = {"tier", "limits", "scopes", "senderId", "currency", "price", "developerPrices"}


class AccountsControl:
    """Reads and changes the account."""

    def __init__(self, accounts: Accounts, time_travel: TimeTravel, rate_limit: RateLimit) -> None:
        self._accounts = accounts
        self._time_travel = time_travel
        self._rate_limit = rate_limit

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/account", GET=self.read, PATCH=self.change),
            resource("/_sandbox/accounts", GET=self.list),
        ]

    async def read(self, request: Request) -> Answer:
        """Give the account."""
        return json_answer(account_view(context_of(request).require_account()))

    async def list(self, request: Request) -> Answer:
        """List the accounts that are open, or the one that is named, the newest first."""
        query = Fields(request.query_params)
        query.forbid_unknown({"limit"}, "The list of accounts")
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        only = context_of(request).account_id
        found = [each for each in self._accounts.all() if only in {None, each.id}]
        return json_answer(list_view(list(map(self._listed, found[: -limit - 1 : -1])), len(found)))

    async def change(self, request: Request) -> Answer:
        """Change the fields that are given, all or none of them."""
        account = changed(context_of(request).require_account(), read_json(request))
        await self._accounts.save(account)
        return json_answer(account_view(account))

    def _listed(self, account: Account) -> Json:
        remaining = self._rate_limit.remaining(account, self._accounts.now(account.id))
        windows = windows_view(account.limits, remaining)
        time = clock_view(*self._time_travel.read(account.id))
        return {
            "id": account.public_id,
            **account_view(account),
            "windows": windows,
            "clock": time,
        }


def changed(account: Account, body: Fields) -> Account:
    """Give the account with the fields of a request changed.

    Raises:
        InvalidRequest: a field is unknown, or its value is none that an account can have.
    """
    body.forbid_unknown(SETTABLE, "An account")
    tier = body.choice("tier", Tier)
    if tier is not None:
        account = replace(account, tier=tier, limits=TIERS[tier])
    sender = body.text("senderId")
    return replace(
        account,
        limits=_limits(account.limits, body),
        scopes=_scopes(account.scopes, body),
        sender_id=account.sender_id if sender is None else checked_sender(sender, "senderId"),
        price=_price(account.price, body),
        developer_prices=_developer_prices(account.developer_prices, body),
    )


def _limits(limits: Limits, body: Fields) -> Limits:
    given = body.get("limits")
    if given is None:
        return limits
    if not isinstance(given, dict) or not given.keys() <= {"perMinute", "perSecond"}:
        raise invalid_field("limits", given, "an object with perMinute, perSecond or both")
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return limits
    for value in given.values():
        if type(value) is not int or not 1 <= value <= 1_000_000:
            raise invalid_field("limits", given, "whole numbers from 1 to a million")
    # An account without limits that is given one of the two gets the other as wide as can be.
    widest = Limits(limits.per_minute or 1_000_000, limits.per_second or 1_000_000)
    return Limits(
        given.get("perMinute", widest.per_minute), given.get("perSecond", widest.per_second)
    )


def _scopes(scopes: tuple[Scope, ...], body: Fields) -> tuple[Scope, ...]:
    given = body.get("scopes")
    if given is None:
        return scopes
    if not isinstance(given, list) or not all(each in list(Scope) for each in given):
        raise invalid_field("scopes", given, "an array of " + ", ".join(Scope))
    return tuple(dict.fromkeys(map(Scope, given)))


def _price(price: Money, body: Fields) -> Money:
    given = body.text("currency")
    currency = price.currency if given is None else given
    if not _CURRENCY.fullmatch(currency):
        raise invalid_field("currency", currency, "three capital letters, as in ISO 4217")
    amount = body.number("price")
    if amount is None:
        return Money(price.micros, currency)
    return Money(_price_in_micros("price", amount), currency)


def _developer_prices(prices: Mapping[Channel, int], body: Fields) -> Mapping[Channel, int]:
    given = body.object("developerPrices")
    if given is None:
        return prices
    given.forbid_unknown(set(Channel), "developerPrices, which are in UGX,")
    amounts = {channel: given.number(channel) for channel in Channel}
    return {
        **prices,
        **{
            channel: _price_in_micros(f"developerPrices.{channel}", amount)
            for channel, amount in amounts.items()
            if amount is not None
        },
    }


def _price_in_micros(name: str, amount: float) -> int:
    micros = _micros(amount)
    if micros is None:
        raise invalid_field(name, amount, "0 to a million, with at most six decimals")
    return micros


def _micros(amount: float) -> int | None:
    try:
        micros = Decimal(repr(amount)) * MICROS
    except InvalidOperation:
        return None
    exact = micros == micros.to_integral_value() and 0 <= micros <= _MAX_PRICE * MICROS
    return int(micros) if exact else None
