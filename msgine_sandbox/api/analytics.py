"""`/developers/analytics`: messages by status, as totals of a period and by day."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from msgine_sandbox.api.handlers import account_with
from msgine_sandbox.api.schema import warn_of_unknown
from msgine_sandbox.asgi.answers import Answer, json_answer
from msgine_sandbox.asgi.context import RequestContext
from msgine_sandbox.asgi.fields import TIME, Fields, invalid_field
from msgine_sandbox.asgi.routing import Resource, resource
from msgine_sandbox.model.account import DEVELOPER_CURRENCY, Account
from msgine_sandbox.model.channel import Channel, Scope
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.tally import NOTHING, Tally, total
from msgine_sandbox.services.analytics import Analytics, by_channel, day_of
from msgine_sandbox.storage.tallies import Day, TallyKey

MAX_DAYS: Final = 90
DEFAULT_DAYS: Final = 30

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH: Final = date(1970, 1, 1)
_FIRST_DAY: Final = (date.min - _EPOCH).days


class AnalyticsApi:
    """Sums over days in UTC, on the account's clock."""

    def __init__(self, analytics: Analytics) -> None:
        self._analytics = analytics

    @property
    def resources(self) -> list[Resource]:
        """The paths, below the base URL."""
        return [
            resource("/developers/analytics/overview", GET=self.overview),
            resource("/developers/analytics/daily", GET=self.daily),
        ]

    async def overview(self, context: RequestContext) -> Answer:
        """Return the sums from one day to another, both included. Source: seen in SDKs."""
        account, today, query = _parse(context, ("from", "to"))
        first, last = _period(query, today)
        # Before the sums, which are those of the time when they are asked for.
        used = await self._analytics.used(account.id)
        sums = by_channel(await self._analytics.between(account.id, first, last))
        period = {"from": _iso(first), "to": _iso(last)}
        channels = _channels(sums, used)
        return json_answer({"period": period, "totals": _totals(sums), "channels": channels})

    async def daily(self, context: RequestContext) -> Answer:
        """Return each of the latest days, the oldest first and today last. Source: seen in SDKs."""
        account, today, query = _parse(context, ("days",))
        days = query.query_int("days", default=DEFAULT_DAYS, most=MAX_DAYS)
        first = today - days + 1
        found = await self._analytics.between(account.id, first, today)
        data = [_day(account, day, found) for day in range(first, today + 1)]
        return json_answer({"days": days, "data": data})


def _parse(context: RequestContext, known: Sequence[str]) -> tuple[Account, Day, Fields]:
    account = account_with(Scope.READ_MESSAGES, context)
    query = context.query
    warn_of_unknown(context, query, known, "query")
    return account, day_of(context.entry.at), Fields(query)


def _period(query: Fields, today: Day) -> tuple[Day, Day]:
    """Return the days of `from` and `to`: by default, `to` is today and the period thirty days.

    Source of the default: seen in SDKs.
    """
    last = _day_in(query, "to", today)
    first = _day_in(query, "from", max(last - DEFAULT_DAYS + 1, _FIRST_DAY))
    if first <= last:
        return first, last
    raise InvalidRequest(
        "from must not be after to",
        field="from",
        value=query.get("from"),
        expected=f"a date up to {_iso(last)}",
    )


def _day_in(query: Fields, name: str, default: Day) -> Day:
    """Return the day of a date, or of a time with an offset, in UTC."""
    text = query.text(name)
    if text is None:
        return default
    try:
        return (_date(text) - _EPOCH).days
    except (ValueError, OverflowError) as error:
        raise invalid_field(name, text, "a date such as 2026-01-31") from error


def _date(text: str) -> date:
    # Python would read other forms of ISO 8601, too, such as the week date 2026-W05-6.
    if _DATE.fullmatch(text):
        return date.fromisoformat(text)
    moment = datetime.fromisoformat(text) if re.fullmatch(TIME, text) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("neither a date nor a time with an offset")
    return moment.astimezone(UTC).date()


def _iso(day: Day) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _totals(sums: Mapping[Channel, Tally]) -> dict[str, Any]:
    """Return the sums of all channels; a partial push counts as sent."""
    summed = total(sums.values())
    return {
        "sent": summed.sent + summed.partial,
        "delivered": summed.delivered,
        "failed": summed.failed,
        "cost": _cost(summed),
        "currency": DEVELOPER_CURRENCY,
    }


def _channels(sums: Mapping[Channel, Tally], used: Collection[Channel]) -> dict[str, Any]:
    """Return the counts of the channels that were ever used. Source: seen in SDKs."""
    return {
        channel: _counts(tally)
        if channel is not Channel.PUSH
        else {"sent": tally.sent, "failed": tally.failed, "partial": tally.partial}
        for channel, tally in sums.items()
        if channel in used
    }


def _day(account: Account, day: Day, found: Mapping[TallyKey, Tally]) -> dict[str, Any]:
    tallies = {
        channel: found.get(TallyKey(account.id, day, channel), NOTHING) for channel in Channel
    }
    counts: dict[str, Any] = {
        channel: _counts(tally)
        if channel is not Channel.PUSH
        else {"sent": tally.sent + tally.partial, "failed": tally.failed}
        for channel, tally in tallies.items()
    }
    return {"date": _iso(day), **counts}


def _counts(tally: Tally) -> dict[str, Any]:
    """Return what is counted of every channel but push, whose members differ in the SDKs."""
    return {
        "sent": tally.sent,
        "delivered": tally.delivered,
        "failed": tally.failed,
        "cost": _cost(tally),
    }


def _cost(tally: Tally) -> Any:
    return Money(tally.cost, DEVELOPER_CURRENCY).amount
