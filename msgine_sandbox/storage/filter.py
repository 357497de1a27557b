"""Which messages a caller looks for, and the SQL conditions for them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Clocks, Instant
from msgine_sandbox.model.delivery import (
    Recipient,
    Status,
    known_at_acceptance,
    stored_timelines,
)
from msgine_sandbox.storage.columns import Condition


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
    """One of these is a part of the title, text, sender or a recipient, in any case.

    They are one text, read with its pluses and with spaces in place of some.
    """
    since: Instant | None = None
    """When it was accepted at the earliest."""

    @property
    def is_counted(self) -> bool:
        """Whether its messages are counted by their numbers, without looking at each."""
        return self in (
            Filter(account=self.account, before=self.before),
            Filter(account=self.account, channel=self.channel),
        )


CONTENT: Final = "coalesce(title || ' ', '') || text"
"""What `contains` and regular expressions are looked for in."""
_SEARCHED: Final = ("text", "title", "sender", "recipients")
"""The columns in which `anywhere` is looked for."""
# One by one: to join them takes as long as to look through them.
_ANYWHERE: Final = " OR ".join(f"instr(lower({name}), lower(?))" for name in _SEARCHED)
_ROUGHLY_ANYWHERE: Final = (
    " OR ".join(f"{name} LIKE ?" for name in _SEARCHED)
    + " OR instr(text, char(0)) OR instr(title, char(0))"
)
_BEGINNING: Final = 20
"""Characters of a text that are compared roughly; LIKE can take so many times longer."""
_LINES: Final = "char(10) || recipients || char(10)"


def functions(clocks: Clocks) -> Mapping[str, Callable[..., Any]]:
    """Return the functions that the conditions call, by name.

    A message's status is not stored but follows from its timelines and its account's time.
    """
    return {"seen_of": clocks.seen, "status_at": _status_at, "recipient_at": _recipient_at}


def in_range(wanted: Filter, below: int) -> Condition:
    """Return the condition for the messages of the account with ids below one."""
    first = below if wanted.before is None else min(below, wanted.before)
    possible = [("account = ?", wanted.account), ("id < ?", first), ("id = ?", wanted.id)]
    chosen = [(sql, value) for sql, value in possible if value is not None]
    return " AND ".join(sql for sql, _ in chosen), tuple(value for _, value in chosen)


def fits(wanted: Filter, now: Instant | None) -> Condition:
    """Return the condition for the rest: it has to be looked at for each message in the range.

    `now` is the time of the account, or None where there is none, because accounts' times differ.
    """
    possible: list[tuple[Any, Condition]] = [
        (wanted.channel, ("channel = ?", (str(wanted.channel),))),
        (wanted.since, ("created_at >= ?", (wanted.since,))),
        (wanted.to or None, _any_of(f"instr({_LINES}, ?)", [f"\n{to}\n" for to in wanted.to])),
        (wanted.status, _has_status(wanted, now)),
        (wanted.contains or None, _any_of(f"instr({CONTENT}, ?)", wanted.contains)),
        (wanted.anywhere or None, _any_case(wanted.anywhere)),
    ]
    chosen = [condition for value, condition in possible if value is not None]
    sql = " AND ".join(f"({each})" for each, _ in chosen) or "true"
    return sql, tuple(value for _, values in chosen for value in values)


def _any_of(sql: str, texts: Sequence[str]) -> Condition:
    """Return the condition that one with placeholders for a text holds for one of some texts."""
    values = tuple(text for text in texts for _ in range(sql.count("?")))
    return " OR ".join([sql] * len(texts)), values


def _any_case(texts: Sequence[str]) -> Condition:
    """Return the condition that one of some texts is anywhere in a message, in any case."""
    sql, values = _any_of(_ANYWHERE, texts)
    # LIKE passes over most messages in less time than lower() takes. It looks for the beginning,
    # which is one for all texts with any character in place of spaces and pluses. It ends at a NUL.
    beginning = re.sub("[+ %_]", "_", "".join(texts[:1])[:_BEGINNING])
    return f"({_ROUGHLY_ANYWHERE}) AND ({sql})", (*[f"%{beginning}%"] * len(_SEARCHED), *values)


def _has_status(wanted: Filter, now: Instant | None) -> Condition:
    status = str(wanted.status)
    time, times = ("seen_of(account)", ()) if now is None else ("?", (now,))
    if not wanted.to:
        # What has ended has the status in a column, so that no timeline of most need be read.
        sql = (
            f"CASE WHEN ends_at <= {time} THEN end_status"
            f" ELSE status_at(channel, scheduled_at, created_at, timelines, {time}) END = ?"
        )
        return sql, (*times, *times, status)
    sql = f"recipient_at(channel, scheduled_at, created_at, timelines, recipients, ?, {time}) = ?"
    values = [value for to in wanted.to for value in (to, *times, status)]
    return " OR ".join([sql] * len(wanted.to)), values


def _status_at(
    channel: str, scheduled_at: Instant | None, created_at: Instant, timelines: str, now: Instant
) -> str:
    """Return a message's status; for that it does not matter how many have the same timeline."""
    known = known_at_acceptance(channel, scheduled_at)
    return str(stored_timelines(created_at, known, 1, timelines).status_at(now))


def _recipient_at(
    channel: str,
    scheduled_at: Instant | None,
    created_at: Instant,
    timelines: str,
    recipients: str,
    recipient: str,
    now: Instant,
) -> str | None:
    """Return the status of one recipient's delivery, or None where it is not among them."""
    every, known = recipients.split("\n"), known_at_acceptance(channel, scheduled_at)
    if recipient not in every:
        return None
    statuses = stored_timelines(created_at, known, len(every), timelines).statuses_at(now)
    return str(statuses[every.index(recipient)])
