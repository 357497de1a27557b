"""Webhook events and the attempts to send them as rows."""

from msgine_sandbox.model.webhook import Attempt, EventState, WebhookEvent
from msgine_sandbox.storage.columns import Columns
from msgine_sandbox.storage.database import Database, of_account

_EVENT = Columns(WebhookEvent)
_ATTEMPT = Columns(Attempt, json=("request", "response"))
_INSERT_EVENT = _EVENT.insert("webhook_events")


class WebhookRows:
    """Stores events, one for each URL that receives it, and every attempt to send them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, event: WebhookEvent) -> None:
        """Store an event that is to be sent."""
        self._database.defer(_INSERT_EVENT, [_EVENT.to_row(event)])

    async def get(self, event_id: int) -> WebhookEvent | None:
        """Return an event, or None when it is gone."""
        row = self._database.execute(
            f"SELECT {_EVENT.names} FROM webhook_events WHERE id = ?", (event_id,)
        ).fetchone()
        return None if row is None else _EVENT.from_row(row)

    async def release(self, message: int, position: int) -> list[int]:
        """Make a recipient's held events due, and return their ids in order."""
        held = f"message = ? AND position = ? AND state = '{EventState.HELD}'"
        rows = self._database.execute(
            f"SELECT id FROM webhook_events WHERE {held} ORDER BY id", (message, position)
        ).fetchall()
        if rows:
            self._database.execute(
                f"UPDATE webhook_events SET state = '{EventState.DUE}' WHERE {held}",
                (message, position),
            )
        return [event_id for (event_id,) in rows]

    async def record(self, attempt: Attempt, event: WebhookEvent) -> None:
        """Store an attempt, and the state and the number of tries of its event."""
        self._database.execute(
            "UPDATE webhook_events SET tries = ?, state = ? WHERE id = ?",
            (event.tries, event.state, event.id),
        )
        self._database.execute(_ATTEMPT.insert("attempts"), _ATTEMPT.to_row(attempt))

    async def tries(self, event: WebhookEvent) -> int:
        """Return how many attempts an event has had, those that a call has sent again included."""
        # By message as well, because that is what the index has.
        (count,) = self._database.execute(
            "SELECT count(*) FROM attempts WHERE message = ? AND webhook_event = ?",
            (event.message, event.id),
        ).fetchone()
        return int(count)

    async def attempt(self, attempt_id: int, account: int | None) -> Attempt | None:
        """Return an attempt, if it belongs to the account; None stands for any account."""
        row = self._database.execute(
            f"SELECT {_ATTEMPT.names} FROM attempts"
            " WHERE id = ? AND account = coalesce(?, account)",
            (attempt_id, account),
        ).fetchone()
        return None if row is None else _ATTEMPT.from_row(row)

    async def attempts(
        self, account: int | None, message: int | None = None, limit: int = -1
    ) -> tuple[list[Attempt], int]:
        """Return the newest attempts of an account or of all, and how many there are in all.

        With `message`, only those of that message; a negative `limit` is none.
        """
        wanted = {"account": account, "message": message}
        where = " AND ".join(
            f"{name} = {value}" for name, value in wanted.items() if value is not None
        )
        source = "attempts" + (f" WHERE {where}" if where else "")
        rows = self._database.execute(
            f"SELECT {_ATTEMPT.names} FROM {source} ORDER BY id DESC LIMIT ?", (limit,)
        )
        found = _ATTEMPT.from_rows(rows)
        (total,) = self._database.execute(f"SELECT count(*) FROM {source}").fetchone()
        return found, total

    async def clear(self, account: int | None) -> None:
        """Delete the events and attempts of an account, or of all."""
        self._database.execute(f"DELETE FROM webhook_events{of_account(account)}")
        self._database.execute(f"DELETE FROM attempts{of_account(account)}")
