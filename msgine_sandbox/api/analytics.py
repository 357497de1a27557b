"""`/developers/analytics`: what became of the messages, in all and day by day."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.routing import Route

from msgine_sandbox.api.outbox import notice_unknown, require
from msgine_sandbox.domain.analytics import Analytics, by_channel, day_of, total
from msgine_sandbox.edge.fields import Fields, wrong
from msgine_sandbox.edge.reply import Reply, reply
from msgine_sandbox.edge.resource import resource
from msgine_sandbox.edge.visit import visit_of
from msgine_sandbox.model.account import DEVELOPER_CURRENCY, Account, Scope
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.tally import NOTHING, Tally
from msgine_sandbox.storage.tallies import Day, Place

MAX_DAYS: Final = 90
DEFAULT_DAYS: Final = 30

_EPOCH: Final = date(1970, 1, 1)
_FIRST: Final = (date.min - _EPOCH).days


class AnalyticsApi:
    """Sums over days in UTC, on the account's clock."""

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics

    @property
    def routes(self) -> list[Route]:
        """The paths, below the base URL."""
        return [
            resource("/developers/analytics/overview", GET=self.overview),
            resource("/developers/analytics/daily", GET=self.daily),
        ]

    async def overview(self, request: Request) -> Reply:
        """Sum up from one day to another, both included. Source: seen in SDKs."""
        account, today, query = _asked(request, {"from", "to"})
        first, last = _period(query, today)
        sums = by_channel(await self._analytics.between(account.id, first, last))
        period = {"from": _written(first), "to": _written(last)}
        return reply({"period": period, "totals": _totals(sums), "channels": _channels(sums)})

    async def daily(self, request: Request) -> Reply:
        """Give each of the latest days, the oldest first and today last. Source: seen in SDKs."""
        account, today, query = _asked(request, {"days"})
        days = query.whole("days", default=DEFAULT_DAYS, most=MAX_DAYS)
        first = today - days + 1
        found = await self._analytics.between(account.id, first, today)
        data = [_day(account, day, found) for day in range(first, today + 1)]
        return reply({"days": days, "data": data})


def _asked(request: Request, known: Collection[str]) -> tuple[Account, Day, Fields]:
    visit = visit_of(request.scope)
    require(visit.client, Scope.READ_MESSAGES)
    query = Fields(request.query_params)
    notice_unknown(visit, query, known, "query")
    return visit.client, day_of(visit.now), query


def _period(query: Fields, today: Day) -> tuple[Day, Day]:
    """Read from when to when; by default the thirty days up to the end, which is today."""
    last = _read(query, "to", today)
    first = _read(query, "from", max(last - DEFAULT_DAYS + 1, _FIRST))
    if first <= last:
        return first, last
    raise InvalidRequest(
        "from must not be after to",
        field="from",
        value=query.get("from"),
        expected=f"a date up to {_written(last)}",
    )


def _read(query: Fields, name: str, default: Day) -> Day:
    """Read a date, or the date in UTC of a time with its offset."""
    text = query.text(name)
    if text is None:
        return default
    try:
        return (_date(text) - _EPOCH).days
    except (ValueError, OverflowError) as error:
        raise wrong(name, text, "a date such as 2026-01-31") from error


def _date(text: str) -> date:
    if len(text) == len("2026-01-31"):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("It has no offset")
    return moment.astimezone(UTC).date()


def _written(day: Day) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _totals(sums: Mapping[Channel, Tally]) -> dict[str, Any]:
    """Add the channels up; of a push that is partial, something was sent."""
    summed = total(sums.values())
    return {
        "sent": summed.sent + summed.partial,
        "delivered": summed.delivered,
        "failed": summed.failed,
        "cost": _cost(summed),
        "currency": DEVELOPER_CURRENCY,
    }


def _channels(sums: Mapping[Channel, Tally]) -> dict[str, Any]:
    push = sums[Channel.PUSH]
    return {
        "sms": _texts(sums[Channel.SMS]),
        "email": _texts(sums[Channel.EMAIL]),
        "push": {"sent": push.sent, "failed": push.failed, "partial": push.partial},
    }


def _day(account: Account, day: Day, found: Mapping[Place, Tally]) -> dict[str, Any]:
    sms, email, push = (
        found.get(Place(account.id, day, channel), NOTHING)
        for channel in (Channel.SMS, Channel.EMAIL, Channel.PUSH)
    )
    return {
        "date": _written(day),
        "sms": _texts(sms),
        "email": _texts(email),
        "push": {"sent": push.sent + push.partial, "failed": push.failed},
    }


def _texts(tally: Tally) -> dict[str, Any]:
    return {
        "sent": tally.sent,
        "delivered": tally.delivered,
        "failed": tally.failed,
        "cost": _cost(tally),
    }


def _cost(tally: Tally) -> Any:
    return Money(tally.cost, DEVELOPER_CURRENCY).amount
