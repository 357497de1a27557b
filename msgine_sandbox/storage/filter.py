"""Which messages a caller looks for, and the SQL conditions for them."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.message import Recipient, Status
from msgine_sandbox.storage.columns import Row


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a message must have in order to match; None and an empty sequence mean anything."""

    account: int | None = None
    id: int | None = None
    before: int | None = None
    """Only messages that were accepted before the one with this id."""
    channel: Channel | None = None
    to: Sequence[Recipient] = ()
    """One of these is a recipient, exactly."""
    status: Status | None = None
    """The present status of the recipient in `to`; without `to`, of the message as a whole."""
    contains: Sequence[str] = ()
    """One of these is a part of the title or text, in the same case."""
    anywhere: Sequence[str] = ()
    """One of these is a part of the title, text, sender or a recipient, in any case."""
    since: Instant | None = None
    """When it was accepted at the earliest."""

    @property
    def is_range(self) -> bool:
        """Whether it is about account and id only, which an index has."""
        return self == Filter(account=self.account, before=self.before)


Condition = tuple[str, Row]
"""An SQL expression and the values of its placeholders."""

CONTENT: Final = "coalesce(title || ' ', '') || text"
"""What `contains` and regular expressions are looked for in."""
_SOME_DELIVERY: Final = "EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id AND %s)"
_ANYWHERE: Final = f"instr(lower({CONTENT} || ' ' || sender), lower(?)) OR " + (
    _SOME_DELIVERY % "instr(lower(recipient), lower(?))"
)
_SUMMARY: Final = (
    "SELECT CASE WHEN min(status) = max(status) THEN min(status)"
    " WHEN min(status IN ('delivered', 'failed')) THEN 'delivered'"
    " WHEN min(status IN ('sent', 'delivered', 'failed')) THEN 'sent' ELSE 'pending' END"
    " FROM deliveries WHERE message = messages.id"
)
"""The status of a message as a whole, as `model.message.summary` has it."""


def in_range(wanted: Filter, below: int) -> Condition:
    """Return the condition for the messages of the account with ids below one."""
    first = below if wanted.before is None else min(below, wanted.before)
    possible = [("account = ?", wanted.account), ("id < ?", first), ("id = ?", wanted.id)]
    chosen = [(sql, value) for sql, value in possible if value is not None]
    return " AND ".join(sql for sql, _ in chosen), tuple(value for _, value in chosen)


def fits(wanted: Filter) -> Condition:
    """Return the condition for the rest: it has to be looked at for each message in the range."""
    possible: list[tuple[Any, Condition]] = [
        (wanted.channel, ("channel = ?", (str(wanted.channel),))),
        (wanted.since, ("created_at >= ?", (wanted.since,))),
        (wanted.to or None, (_SOME_DELIVERY % _is_one_of(wanted.to), tuple(wanted.to))),
        (wanted.status, _has_status(wanted)),
        (wanted.contains or None, _any_of(f"instr({CONTENT}, ?)", wanted.contains)),
        (wanted.anywhere or None, _any_of(_ANYWHERE, wanted.anywhere)),
    ]
    chosen = [condition for value, condition in possible if value is not None]
    sql = " AND ".join(f"({each})" for each, _ in chosen) or "true"
    return sql, tuple(value for _, values in chosen for value in values)


def _any_of(sql: str, texts: Sequence[str]) -> Condition:
    """Return the condition that one with placeholders for a text holds for one of some texts."""
    values = tuple(text for text in texts for _ in range(sql.count("?")))
    return " OR ".join([sql] * len(texts)), values


def _is_one_of(recipients: Sequence[Recipient]) -> str:
    return f"recipient IN ({', '.join('?' * len(recipients))})"


def _has_status(wanted: Filter) -> Condition:
    status = str(wanted.status)
    if not wanted.to:
        return f"({_SUMMARY}) = ?", (status,)
    return _SOME_DELIVERY % f"{_is_one_of(wanted.to)} AND status = ?", (*wanted.to, status)
