"""What is still to come of an account, found by the indexes of messages and of steps."""

from collections.abc import AsyncIterator
from typing import Final

from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.delivery import known_at_acceptance, stored_timelines
from msgine_sandbox.model.step import SEND, Lane
from msgine_sandbox.storage.database import Database
from msgine_sandbox.storage.sequences import Sequences

READ_TOGETHER: Final = 500
"""Messages that are read at a time, in some 2 ms."""
_COLUMNS: Final = "SELECT ends_at, id, channel, scheduled_at, created_at, timelines FROM messages"
_SAME_END, _LATER_END = "ends_at = ? AND id > ?", "ends_at > ?"
"""Two conditions in place of one on both, as in `storage.messages`."""

_FIRST_WEBHOOK: Final = (
    "SELECT due, steps.message, event, 1 + coalesce((SELECT max(number) FROM attempts"
    " WHERE message = steps.message AND webhook_event = steps.subject), 0)"
    " FROM steps JOIN webhook_events ON webhook_events.id = steps.subject"
    f" WHERE steps.account = ? AND lane = {int(Lane.WEBHOOK)} ORDER BY due, steps.id LIMIT 1"
)

NextStatus = tuple[Instant, int]
"""When the next status of a message begins, and the message's id."""


class UpcomingRows:
    """Finds when statuses begin and webhooks are due, first and last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sequences = Sequences(database)

    def newest(self) -> int:
        """Return the largest id of a message, or 0."""
        return self._sequences.newest()

    def last_end(self, account: int, until: Instant = FOREVER) -> Instant:
        """Return when the last status begins of the messages that end up to an instant, or 0.

        Without an instant, no status of the account begins later than that.
        """
        sql = "max(ends_at) FROM messages WHERE account = ? AND ends_at <= ?"
        return self._latest(sql, account, until)

    def last_webhook(self, account: int, until: Instant) -> Instant:
        """Return when the last webhook up to an instant is due, or 0."""
        sql = f"max(due) FROM steps WHERE account = ? AND lane = {int(Lane.WEBHOOK)} AND due <= ?"
        return self._latest(sql, account, until)

    def first_send(self, account: int, before: Instant) -> NextStatus | None:
        """Return when the first scheduled push before an instant is sent, and which it is.

        Other steps about statuses are left out: before the first status that begins, they have lost
        their effect.
        """
        found: NextStatus | None = self._database.execute(
            "SELECT due, message FROM steps WHERE account = ? AND lane = ? AND due < ?"
            " AND detail = ? ORDER BY due LIMIT 1",
            (account, int(Lane.STATUS), before, SEND),
        ).fetchone()
        return found

    def first_webhook(self, account: int) -> tuple[Instant, int, str, int] | None:
        """Return when the first webhook is due, its message, its event, and which attempt it is."""
        found: tuple[Instant, int, str, int] | None = self._database.execute(
            _FIRST_WEBHOOK, (account,)
        ).fetchone()
        return found

    async def under_way(self, account: int, now: Instant) -> AsyncIterator[list[NextStatus]]:
        """Return the messages of which something is to come at an instant, in parts.

        The caller lets others have their turn in between. What is accepted meanwhile is left out.
        """
        newest, condition = self.newest(), _LATER_END
        place: tuple[int, ...] = (now,)
        while True:
            rows = self._database.execute(
                f"{_COLUMNS} WHERE account = ? AND {condition} AND id <= ?"
                " ORDER BY ends_at, id LIMIT ?",
                (account, *place, newest, READ_TOGETHER),
            ).fetchall()
            yield _next_statuses(rows, now)
            if rows:
                condition, place = _SAME_END, rows[-1][:2]
            elif condition is _SAME_END:
                condition, place = _LATER_END, place[:1]
            else:
                return

    async def accepted_after(
        self, account: int, message: int, now: Instant
    ) -> AsyncIterator[list[NextStatus]]:
        """Return those that were accepted after a message, in parts, as `under_way` does."""
        newest = self.newest()
        while message < newest:
            rows = self._database.execute(
                f"{_COLUMNS} WHERE account = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?",
                (account, message, newest, READ_TOGETHER),
            ).fetchall()
            yield _next_statuses(rows, now)
            message = rows[-1][1] if len(rows) == READ_TOGETHER else newest

    def _latest(self, sql: str, account: int, until: Instant) -> Instant:
        (found,) = self._database.execute(f"SELECT {sql}", (account, until)).fetchone()
        return found or 0


def _next_statuses(
    rows: list[tuple[Instant, int, str, Instant | None, Instant, str]], now: Instant
) -> list[NextStatus]:
    found = []
    for ends_at, message, channel, scheduled_at, created_at, text in rows:
        if ends_at > now:
            known = known_at_acceptance(channel, scheduled_at)
            # How many recipients have the same timeline does not matter.
            at = stored_timelines(created_at, known, 1, text).next_after(now)
            if at is not None:
                found.append((at, message))
    return found
