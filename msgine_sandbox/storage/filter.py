"""Which messages are looked for, and how that is asked of the rows."""

from typing import Any

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.message import Recipient


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to look for; None leaves a question out."""

    account: int | None = None
    number: int | None = None
    before: int | None = None
    """Only messages that were accepted before the one of that number."""
    channel: Channel | None = None
    to: Recipient | None = None
    contains: str | None = None
    anywhere: str | None = None
    since: Instant | None = None


def conditions(wanted: Filter) -> tuple[str, tuple[Any, ...]]:
    """Give the condition of a query, and its values."""
    sent_to = "EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id AND %s)"
    found = "instr(lower(recipient), lower(?))"
    said = "coalesce(title || ' ', '') || text"
    conditions: list[tuple[str, Any]] = [
        ("account = ?", wanted.account),
        ("channel = ?", None if wanted.channel is None else str(wanted.channel)),
        ("id = ?", wanted.number),
        ("id < ?", wanted.before),
        (sent_to % "recipient = ?", wanted.to),
        (f"instr({said}, ?)", wanted.contains),
        (f"instr(lower({said} || ' ' || sender), lower(?)) + {sent_to % found}", wanted.anywhere),
        ("created_at >= ?", wanted.since),
    ]
    asked = [(sql, value) for sql, value in conditions if value is not None]
    where = " AND ".join(f"({sql})" for sql, _ in asked) or "true"
    return where, tuple(value for sql, value in asked for _ in range(sql.count("?")))
