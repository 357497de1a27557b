"""`/_sandbox/account`: what the account may do, and what it pays."""

import re
from decimal import Decimal, InvalidOperation

from msgspec.structs import replace
from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.control.scope import chosen, needed
from msgine_sandbox.control.shapes import (
    Json,
    account_shape,
    clock_shape,
    list_shape,
    windows_shape,
)
from msgine_sandbox.domain.accounts import Accounts
from msgine_sandbox.domain.clocks import Clocks
from msgine_sandbox.domain.rate_limit import RateLimit
from msgine_sandbox.domain.sms import checked_sender
from msgine_sandbox.edge.body import read_json
from msgine_sandbox.edge.fields import Fields, wrong
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.model.account import TIERS, Account, DeveloperPrices, Limits, Scope, Tier
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.money import MICROS, Money

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_MAX_PRICE = 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
SETTABLE = {"tier", "limits", "scopes", "senderId", "currency", "price", "developerPrices"}


class AccountControl:
    """Reads and changes the account."""

    def __init__(self, accounts: Accounts, clocks: Clocks, rate_limit: RateLimit) -> None:
        self._accounts = accounts
        self._clocks = clocks
        self._rate_limit = rate_limit

    @property
    def routes(self) -> list[Route]:
        """The paths, below `/_sandbox`."""
        return [
            resource("/account", GET=self.read, PATCH=self.change),
            resource("/accounts", GET=self.list),
        ]

    async def read(self, request: Request) -> Reply:
        """Give the account."""
        return reply(account_shape(needed(request)))

    async def list(self, request: Request) -> Reply:
        """List the accounts that are open, or the one that is named, the newest first."""
        query = Fields(request.query_params)
        query.only({"limit"}, "The list of accounts")
        limit = query.whole("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        only = chosen(request)
        found = [each for each in self._accounts.all() if only in {None, each.id}]
        return reply(list_shape(list(map(self._listed, found[: -limit - 1 : -1])), len(found)))

    async def change(self, request: Request) -> Reply:
        """Change the fields that are given, all or none of them."""
        account = changed(needed(request), read_json(request))
        await self._accounts.save(account)
        return reply(account_shape(account))

    def _listed(self, account: Account) -> Json:
        left = self._rate_limit.left(account, self._accounts.now(account.id))
        windows = windows_shape(account.limits, left)
        time = clock_shape(*self._clocks.read(account.id))
        return {
            "id": account.public_id,
            **account_shape(account),
            "windows": windows,
            "clock": time,
        }


def changed(account: Account, body: Fields) -> Account:
    """Give the account with the fields of a request changed.

    Raises:
        InvalidRequest: a field is unknown, or its value is none that an account can have.
    """
    body.only(SETTABLE, "An account")
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
        raise wrong("limits", given, "an object with perMinute, perSecond or both")
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return limits
    for value in given.values():
        if type(value) is not int or not 1 <= value <= 1_000_000:
            raise wrong("limits", given, "whole numbers from 1 to a million")
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
        raise wrong("scopes", given, "an array of " + ", ".join(Scope))
    return tuple(dict.fromkeys(map(Scope, given)))


def _price(price: Money, body: Fields) -> Money:
    given = body.text("currency")
    currency = price.currency if given is None else given
    if not _CURRENCY.fullmatch(currency):
        raise wrong("currency", currency, "three capital letters, as in ISO 4217")
    amount = body.number("price")
    if amount is None:
        return Money(price.micros, currency)
    return Money(_price_in_micros("price", amount), currency)


def _developer_prices(prices: DeveloperPrices, body: Fields) -> DeveloperPrices:
    given = body.object("developerPrices")
    if given is None:
        return prices
    given.only(set(Channel), "developerPrices, which are in UGX,")
    said = {channel: given.number(channel) for channel in Channel}
    return replace(
        prices,
        **{
            str(channel): _price_in_micros(f"developerPrices.{channel}", amount)
            for channel, amount in said.items()
            if amount is not None
        },
    )


def _price_in_micros(name: str, amount: float) -> int:
    micros = _micros(amount)
    if micros is None:
        raise wrong(name, amount, "0 to a million, with at most six decimals")
    return micros


def _micros(amount: float) -> int | None:
    try:
        micros = Decimal(repr(amount)) * MICROS
    except InvalidOperation:
        return None
    exact = micros == micros.to_integral_value() and 0 <= micros <= _MAX_PRICE * MICROS
    return int(micros) if exact else None
