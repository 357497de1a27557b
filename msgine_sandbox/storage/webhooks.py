"""Notices and the attempts to give them as rows."""

from typing import Any

import msgspec

from msgine_sandbox.model.webhook import Attempt, Event, Exchange, Notice, NoticeState, Telling
from msgine_sandbox.storage.database import Database

_NOTICE = "id, account, message, position, event, url, at, tries, state, telling"
_ATTEMPT = (
    "id, account, notice, message, event, url, number, at, status, duration_ms, error,"
    " request, response"
)
_exchange = msgspec.json.Decoder(Exchange)


class WebhookRows:
    """Keeps what endpoints are to hear, and every try to tell them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, notice: Notice) -> None:
        """Store a notice that is to be given."""
        self._database.execute(
            f"INSERT INTO notices ({_NOTICE}) VALUES ({', '.join('?' * 10)})",
            (
                notice.id,
                notice.account,
                notice.message,
                notice.position,
                notice.event,
                notice.url,
                notice.at,
                notice.tries,
                notice.state,
                notice.telling,
            ),
        )

    async def get(self, number: int) -> Notice | None:
        """Give a notice, or None when it is gone."""
        row = self._database.execute(
            f"SELECT {_NOTICE} FROM notices WHERE id = ?", (number,)
        ).fetchone()
        return None if row is None else _notice(row)

    async def release(self, message: int, position: int) -> list[int]:
        """Let a recipient's notices that were held back be given, and tell which they are."""
        held = f"message = ? AND position = ? AND state = '{NoticeState.HELD}'"
        rows = self._database.execute(
            f"SELECT id FROM notices WHERE {held} ORDER BY id", (message, position)
        ).fetchall()
        if rows:
            self._database.execute(
                f"UPDATE notices SET state = '{NoticeState.DUE}' WHERE {held}", (message, position)
            )
        return [row[0] for row in rows]

    async def record(self, attempt: Attempt, notice: Notice) -> None:
        """Store a try, and how far its notice has come with it."""
        self._database.execute(
            "UPDATE notices SET tries = ?, state = ? WHERE id = ?",
            (notice.tries, notice.state, notice.id),
        )
        self._database.execute(
            f"INSERT INTO attempts ({_ATTEMPT}) VALUES ({', '.join('?' * 13)})", _row(attempt)
        )

    async def tries(self, notice: Notice) -> int:
        """Tell how often a notice has been sent, by plan or by hand."""
        (count,) = self._database.execute(
            "SELECT count(*) FROM attempts WHERE message = ? AND notice = ?",
            (notice.message, notice.id),
        ).fetchone()
        return int(count)

    async def attempt(self, number: int, account: int | None) -> Attempt | None:
        """Give a try; of one account only, where one is named."""
        row = self._database.execute(
            f"SELECT {_ATTEMPT} FROM attempts WHERE id = ? AND account = coalesce(?, account)",
            (number, account),
        ).fetchone()
        return None if row is None else _attempt(row)

    async def attempts(
        self, account: int | None, message: int | None = None, limit: int = -1
    ) -> tuple[list[Attempt], int]:
        """Give an account's, all, or one message's tries, newest first, and how many there are."""
        asked = {"account": account, "message": message}
        where = " AND ".join(
            f"{name} = {value}" for name, value in asked.items() if value is not None
        )
        source = "attempts" + (f" WHERE {where}" if where else "")
        rows = self._database.execute(
            f"SELECT {_ATTEMPT} FROM {source} ORDER BY id DESC LIMIT ?", (limit,)
        )
        found = [_attempt(row) for row in rows]
        (total,) = self._database.execute(f"SELECT count(*) FROM {source}").fetchone()
        return found, total

    async def clear(self, account: int | None) -> None:
        """Forget an account's, or all, notices and tries."""
        where = "" if account is None else f" WHERE account = {account}"
        self._database.execute(f"DELETE FROM notices{where}")
        self._database.execute(f"DELETE FROM attempts{where}")


def _notice(row: tuple[Any, ...]) -> Notice:
    return Notice(
        id=row[0],
        account=row[1],
        message=row[2],
        position=row[3],
        event=Event(row[4]),
        url=row[5],
        at=row[6],
        tries=row[7],
        state=NoticeState(row[8]),
        telling=Telling(row[9]),
    )


def _row(attempt: Attempt) -> tuple[Any, ...]:
    return (
        attempt.id,
        attempt.account,
        attempt.notice,
        attempt.message,
        attempt.event,
        attempt.url,
        attempt.number,
        attempt.at,
        attempt.status,
        attempt.duration_ms,
        attempt.error,
        msgspec.json.encode(attempt.request).decode(),
        None if attempt.response is None else msgspec.json.encode(attempt.response).decode(),
    )


def _attempt(row: tuple[Any, ...]) -> Attempt:
    return Attempt(
        id=row[0],
        account=row[1],
        notice=row[2],
        message=row[3],
        event=Event(row[4]),
        url=row[5],
        number=row[6],
        at=row[7],
        status=row[8],
        duration_ms=row[9],
        error=row[10],
        request=_exchange.decode(row[11]),
        response=None if row[12] is None else _exchange.decode(row[12]),
    )
