"""Which messages a caller looks for, and the SQL condition for them."""

from typing import Any

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.message import Recipient
from msgine_sandbox.storage.columns import Row


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What a message must have in order to match; None means anything."""

    account: int | None = None
    id: int | None = None
    before: int | None = None
    """Only messages that were accepted before the one with this id."""
    channel: Channel | None = None
    to: Recipient | None = None
    """One of the recipients, exactly."""
    contains: str | None = None
    """Part of the title or text, in the same case."""
    anywhere: str | None = None
    """Part of the title, text, sender or a recipient, in any case."""
    since: Instant | None = None
    """When it was accepted at the earliest."""


def conditions(wanted: Filter) -> tuple[str, Row]:
    """Return the condition of a query on messages, and the values of its placeholders."""
    some_delivery = "EXISTS (SELECT 1 FROM deliveries WHERE message = messages.id AND %s)"
    recipient_has = "instr(lower(recipient), lower(?))"
    content = "coalesce(title || ' ', '') || text"
    # A condition with two placeholders takes its value twice.
    possible: list[tuple[str, Any]] = [
        ("account = ?", wanted.account),
        ("channel = ?", None if wanted.channel is None else str(wanted.channel)),
        ("id = ?", wanted.id),
        ("id < ?", wanted.before),
        (some_delivery % "recipient = ?", wanted.to),
        (f"instr({content}, ?)", wanted.contains),
        (
            f"instr(lower({content} || ' ' || sender), lower(?))"
            f" OR {some_delivery % recipient_has}",
            wanted.anywhere,
        ),
        ("created_at >= ?", wanted.since),
    ]
    chosen = [(sql, value) for sql, value in possible if value is not None]
    where = " AND ".join(f"({sql})" for sql, _ in chosen) or "true"
    return where, tuple(value for sql, value in chosen for _ in range(sql.count("?")))
