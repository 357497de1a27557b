"""`/_sandbox/account`: what an account may do, and what it pays."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Final

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace
from starlette.requests import Request

from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import context_of
from msgine_sandbox.asgi.fields import ControlQuery, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.control.bodies import Body, read_body_as
from msgine_sandbox.control.views import ListView, View
from msgine_sandbox.model.account import TIERS, Account, Limits
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.choices import Answers, Tier
from msgine_sandbox.model.clock import SECOND, Clock, Instant, iso_micros
from msgine_sandbox.model.message import AnswerForm
from msgine_sandbox.model.money import MICROS, Money
from msgine_sandbox.services.accounts import Accounts
from msgine_sandbox.services.rate_limit import RateLimit
from msgine_sandbox.services.sms import checked_sender
from msgine_sandbox.services.time_travel import TimeTravel


class LimitsView(View, frozen=True, kw_only=True):
    """Requests allowed in any minute and in any second; null is without limit."""

    per_minute: int | None
    per_second: int | None


class WindowView(View, frozen=True, kw_only=True):
    """What a rate-limit window has left."""

    limit: int
    remaining: int


class WindowsView(View, frozen=True, kw_only=True):
    """An account's rate-limit windows; null where there is no limit."""

    minute: WindowView | None
    second: WindowView | None


class ClockView(View, frozen=True, kw_only=True):
    """A clock with its time and the real time."""

    now: str
    real_now: str
    frozen: bool
    ahead_seconds: float


class AccountView(View, frozen=True, kw_only=True):
    """An account, with its token masked."""

    id: str | UnsetType = UNSET
    """Only in the list of accounts, as `windows` and `clock` are."""
    token: str
    name: str | None
    """What people call it; null where it has no name."""
    tier: Tier
    limits: LimitsView
    scopes: Sequence[Scope]
    sender_id: str
    currency: str
    price: Decimal
    developer_prices: Mapping[Channel, Decimal]
    answers: Answers
    """Of the whole sandbox: the form of its answers."""
    windows: WindowsView | UnsetType = UNSET
    clock: ClockView | UnsetType = UNSET


def account_view(account: Account, answers: Answers) -> AccountView:
    """Return an account as its own calls show it."""
    limits = account.limits
    return AccountView(
        token=account.token_hint,
        name=account.name,
        tier=account.tier,
        limits=LimitsView(per_minute=limits.per_minute, per_second=limits.per_second),
        scopes=account.scopes,
        sender_id=account.sender_id,
        currency=account.price.currency,
        price=account.price.amount,
        developer_prices={channel: account.developer_price(channel).amount for channel in Channel},
        answers=answers,
    )


def windows_view(limits: Limits, remaining: tuple[int, int]) -> WindowsView:
    """Return what the windows have left, in the minute and in the second."""
    return WindowsView(
        minute=_window_view(limits.per_minute, remaining[0]),
        second=_window_view(limits.per_second, remaining[1]),
    )


def clock_view(clock: Clock, now: Instant, real: Instant) -> ClockView:
    """Return a clock at its time and at the real time."""
    return ClockView(
        now=iso_micros(now),
        real_now=iso_micros(real),
        frozen=clock.frozen_at is not None,
        ahead_seconds=(now - real) / SECOND,
    )


def _window_view(limit: int | None, remaining: int) -> WindowView | None:
    return None if limit is None else WindowView(limit=limit, remaining=remaining)


DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_MAX_PRICE: Final = 1_000_000
_MAX_RATE: Final = 1_000_000
_MAX_NAME: Final = 64
_PRICE: Final = f"from 0 to {_MAX_PRICE:,}, with at most six decimals"
Price = Annotated[float, Meta(ge=0, le=_MAX_PRICE, description=_PRICE)]
_NAME: Final = f"1 to {_MAX_NAME} printable characters, with no space at either end"


class LimitsBody(Body, frozen=True, kw_only=True):
    """Rate limits to set; a limit that is absent stays as it is."""

    per_minute: Annotated[int, Meta(ge=1, le=_MAX_RATE)] | None = None
    per_second: Annotated[int, Meta(ge=1, le=_MAX_RATE)] | None = None


class AccountBody(Body, frozen=True, kw_only=True):
    """Settings to change; what is absent stays as it is, and so does what is null but the name."""

    name: str | UnsetType | None = UNSET
    """What people call the account: 1 to 64 printable characters. Null removes it."""
    tier: Tier | None = None
    """It also sets the limits to its own."""
    limits: (
        Annotated[
            LimitsBody,
            Meta(description="an object with perMinute, perSecond or both: 1 to 1,000,000"),
        ]
        | None
    ) = None
    scopes: list[Scope] | None = None
    sender_id: str | None = None
    currency: (
        Annotated[
            str,
            Meta(pattern=r"^[A-Z]{3}\Z", description="three capital letters, as in ISO 4217"),
        ]
        | None
    ) = None
    price: Price | None = None
    developer_prices: dict[Channel, Price | None] | None = None


class AccountsControl:
    """Reads and changes the account."""

    def __init__(
        self,
        accounts: Accounts,
        time_travel: TimeTravel,
        rate_limit: RateLimit,
        form: AnswerForm,
    ) -> None:
        self._accounts = accounts
        self._time_travel = time_travel
        self._rate_limit = rate_limit
        self._form = form

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the root."""
        return [
            resource("/_sandbox/account", GET=self.read, PATCH=self.change),
            resource("/_sandbox/accounts", has_query=True, GET=self.list),
        ]

    async def read(self, request: Request) -> Answer:
        """Return the account."""
        return json_answer(account_view(context_of(request).require_account(), self._form.answers))

    async def list(self, request: Request) -> Answer:
        """List the open accounts, newest first, or only the account that the call names.

        `q` is a text that their name or masked token has.
        """
        query = ControlQuery(request.query_params, {"limit", "q"}, "The list of accounts")
        limit = query.query_int("limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
        only, text = context_of(request).account_id, query.words("q") or ""
        found = [
            each
            for each in self._accounts.all()
            if only in {None, each.id} and (not text or _has_text(each, text.casefold()))
        ]
        views = [self._listed(each) for each in found[: -limit - 1 : -1]]
        return json_answer(ListView(data=views, total=len(found)))

    async def change(self, request: Request) -> Answer:
        """Change the fields that are given, all or none of them."""
        account = context_of(request).require_account()
        account = changed(account, read_body_as(request, AccountBody))
        await self._accounts.save(account)
        return json_answer(account_view(account, self._form.answers))

    def _listed(self, account: Account) -> AccountView:
        remaining = self._rate_limit.remaining(account, self._accounts.now(account.id))
        return replace(
            account_view(account, self._form.answers),
            id=account.public_id,
            windows=windows_view(account.limits, remaining),
            clock=clock_view(*self._time_travel.read(account.id)),
        )


def changed(account: Account, body: AccountBody) -> Account:
    """Return the account with the settings of a body changed.

    Raises:
        InvalidSenderId: the sender ID is not 1 to 11 letters and digits.
        InvalidRequest: the name cannot be shown, or a price is out of range, or has more than six
            decimals.
    """
    if body.tier is not None:
        account = replace(account, tier=body.tier, limits=TIERS[body.tier])
    sender = body.sender_id
    return replace(
        account,
        name=account.name if body.name is UNSET else _checked_name(body.name),
        limits=_limits(account.limits, body.limits),
        scopes=account.scopes if body.scopes is None else tuple(dict.fromkeys(body.scopes)),
        sender_id=account.sender_id if sender is None else checked_sender(sender, "senderId"),
        price=_price(account.price, body),
        developer_prices=_developer_prices(account.developer_prices, body),
    )


def _has_text(account: Account, text: str) -> bool:
    return text in account.token_hint.casefold() or text in (account.name or "").casefold()


def _checked_name(name: str | None) -> str | None:
    is_shown = name is None or (name.isprintable() and name == name.strip())
    if is_shown and (name is None or 1 <= len(name) <= _MAX_NAME):
        return name
    raise invalid_field("name", name, _NAME)


def _limits(limits: Limits, body: LimitsBody | None) -> Limits:
    if body is None or body == LimitsBody():
        return limits
    # An account without limits that is given one of the two gets the other at its maximum.
    return Limits(
        body.per_minute or limits.per_minute or _MAX_RATE,
        body.per_second or limits.per_second or _MAX_RATE,
    )


def _price(price: Money, body: AccountBody) -> Money:
    micros = price.micros if body.price is None else _price_in_micros("price", body.price)
    return Money(micros, body.currency or price.currency)


def _developer_prices(prices: Mapping[Channel, int], body: AccountBody) -> Mapping[Channel, int]:
    given = body.developer_prices or {}
    return {
        **prices,
        **{
            channel: _price_in_micros(f"developerPrices.{channel}", amount)
            for channel, amount in given.items()
            if amount is not None
        },
    }


def _price_in_micros(field: str, amount: float) -> int:
    micros = Decimal(repr(amount)) * MICROS
    if micros == micros.to_integral_value():
        return int(micros)
    raise invalid_field(field, amount, _PRICE)
