"""Deleting messages with all that belongs to them, and the sums of what is stored."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec

from msgine_sandbox.model.clock import FOREVER, Clocks
from msgine_sandbox.storage.columns import Row
from msgine_sandbox.storage.database import Database, of_account
from msgine_sandbox.storage.sequences import Sequences, Series
from msgine_sandbox.storage.webhooks import WebhookRows

_AT_ONCE: Final = 2000
"""Messages that are counted together."""
_ADD_TO_TOTALS = "UPDATE message_totals SET count = count + ?, bytes = bytes + ?, until = ?"
_NOT_COUNTED = (
    "SELECT count(*), coalesce(sum(size), 0), max(id)"
    " FROM (SELECT id, size FROM messages WHERE id > ? ORDER BY id LIMIT ?)"
)

_STORED = (
    "SELECT id, account, channel, sequence, size, created_at, ends_at,"
    " EXISTS (SELECT 1 FROM steps WHERE message = messages.id) FROM messages"
)
_DELETE_STEPS = "DELETE FROM steps WHERE message = ?"
# At most so many rows, because a message can have thousands of these. A row identifier in the
# subquery, so that none of the rows is read twice.
_DELETE_EVENTS = (
    "DELETE FROM webhook_events WHERE id IN"
    " (SELECT id FROM webhook_events WHERE message = ? LIMIT ?)"
)


class StoredMessage(msgspec.Struct, frozen=True):
    """A message, as far as its deletion is concerned."""

    id: int
    account: int
    channel: str
    sequence: int
    size: int
    """About how many bytes it takes."""
    is_under_way: bool
    """Whether something is still to happen to it."""


class Totals(msgspec.Struct, frozen=True):
    """How much is stored."""

    messages: int
    bytes: int


class _Counted(msgspec.Struct, frozen=True):
    messages: int
    bytes: int
    until: int
    """Later messages are not counted."""


class Removal:
    """Finds messages that can be deleted, and deletes them; each call takes a bounded time."""

    def __init__(self, database: Database, webhooks: WebhookRows, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks
        self._webhooks = webhooks
        self._sequences = Sequences(database)

    async def totals(self) -> Totals:
        """Return how many messages are stored, and the sum of their sizes.

        They are not counted where they are stored, because that would make every send slower.
        """
        counted = self._counted()
        count, size, _ = self._not_counted(counted.until)
        return Totals(counted.messages + count, counted.bytes + size)

    async def must_count(self) -> bool:
        """Return whether there are messages that `totals` leaves out, so that `count` is due."""
        return self._not_counted(self._counted().until)[0] >= _AT_ONCE

    async def count(self) -> None:
        """Count the next messages for good, inside a write transaction."""
        count, size, last = self._not_counted(self._counted().until)
        if count:
            self._database.execute(_ADD_TO_TOTALS, (count, size, last))

    def _counted(self) -> "_Counted":
        row = self._database.execute("SELECT count, bytes, until FROM message_totals").fetchone()
        return _Counted(*row)

    def _not_counted(self, until: int) -> tuple[int, int, int]:
        found = self._database.execute(_NOT_COUNTED, (until, _AT_ONCE)).fetchone()
        return tuple(found)

    async def newest(self, account: int | None) -> int:
        """Return the largest id of the messages of an account, or of all; 0 without messages."""
        found = self._database.execute(
            "SELECT max(id) FROM messages WHERE account = ?"
            if account is not None
            else "SELECT max(id) FROM messages WHERE ? IS NULL",
            (account,),
        ).fetchone()
        return found[0] or 0

    async def oldest(
        self, account: int | None, *, after: int = 0, until: int = FOREVER, limit: int
    ) -> list[StoredMessage]:
        """Return the first messages of an account, or of all, whose ids are in a range."""
        where, values = of_account(account)
        rows = self._database.execute(
            f"{_STORED}{where or ' WHERE true'} AND id > ? AND id <= ? ORDER BY id LIMIT ?",
            (*values, after, until, limit),
        )
        return list(map(self._stored, rows))

    async def find(self, message: int) -> StoredMessage | None:
        """Return a message, or None if it is gone."""
        row = self._database.execute(f"{_STORED} WHERE id = ?", (message,)).fetchone()
        return None if row is None else self._stored(row)

    def _stored(self, row: Row) -> StoredMessage:
        message, account, channel, sequence, size, created_at, ends_at, has_steps = row
        is_to_change = ends_at > max(created_at, self._clocks.seen(account))
        is_under_way = bool(has_steps) or is_to_change
        return StoredMessage(message, account, channel, sequence, size, is_under_way)

    async def delete_steps(self, account: int | None, until: int, *, limit: int) -> int:
        """Delete steps of messages up to an id, at most so many; return how many they were."""
        # By the order of the table for one account, and by the index of messages for all.
        where, values = of_account(account)
        deleted = self._database.execute(
            "DELETE FROM steps WHERE (account, lane, due, id) IN (SELECT account, lane, due, id"
            f" FROM steps{where or ' WHERE true'} AND message <= ? LIMIT ?)",
            (*values, until, limit),
        )
        return deleted.rowcount

    async def delete_parts(self, message: int, *, limit: int) -> bool:
        """Delete what belongs to a message, or a part of it; return whether nothing is left."""
        self._database.execute(_DELETE_STEPS, (message,))
        if await self._webhooks.delete_attempts(message, limit=limit) == limit:
            return False
        return self._database.execute(_DELETE_EVENTS, (message, limit)).rowcount < limit

    async def delete(self, messages: Iterable[StoredMessage]) -> None:
        """Delete messages of which nothing else is left, and count the gaps that they leave."""
        sequences: defaultdict[Series, list[int]] = defaultdict(list)
        count = size = 0
        until = self._counted().until
        for each in messages:
            sequences[each.account, each.channel].append(each.sequence)
            self._database.execute("DELETE FROM messages WHERE id = ?", (each.id,))
            if each.id <= until:  # else it has not been counted
                count, size = count + 1, size + each.size
        if count:
            self._database.execute(_ADD_TO_TOTALS, (-count, -size, until))
        for series, deleted in sequences.items():
            self._sequences.recount(series, deleted)
