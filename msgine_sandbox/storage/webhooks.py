"""Webhook events and the attempts to send them as rows; of the attempts, the newest."""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.bound import MEGABYTE, Bound
from msgine_sandbox.model.clock import FOREVER
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.webhook import (
    Attempt,
    EventState,
    EventType,
    WebhookEvent,
    WebhookMode,
)
from msgine_sandbox.storage.columns import Columns, Condition, Row
from msgine_sandbox.storage.database import Database, of_account

PER_ACCOUNT: Final = Bound(10_000, 16 * MEGABYTE)
IN_ALL: Final = Bound(100_000, 64 * MEGABYTE)

_EVENT = Columns(WebhookEvent)
_ATTEMPT = Columns(Attempt, json=("request", "response"))
_INSERT_EVENT = _EVENT.insert("webhook_events")
_INSERT_ATTEMPT = _ATTEMPT.insert("attempts")
_SIZED = [Attempt.__struct_fields__.index(name) for name in ("url", "error", "request", "response")]
_ALL_ACCOUNTS = 0  # their row among the totals
_OVERHEAD = 300
_SIZE = (
    f"{_OVERHEAD} + length("
    "CAST(url || coalesce(error, '') || request || coalesce(response, '') AS BLOB))"
)
_ADD_TO_TOTALS = (
    # Without numbers for the placeholders, of which Python 3.12.0 to 3.12.3 warns.
    f"INSERT INTO attempt_totals VALUES (?, ?, ?), ({_ALL_ACCOUNTS}, ?, ?)"
    " ON CONFLICT (account) DO UPDATE"
    " SET entries = entries + excluded.entries, size = size + excluded.size"
)
_TOTALS = (
    "SELECT account, entries, size FROM attempt_totals"
    f" WHERE account IN (?, {_ALL_ACCOUNTS}) ORDER BY account"
)
_SUCCEEDED = "error IS NULL AND coalesce(status BETWEEN 200 AND 299, FALSE)"
"""As `Attempt.succeeded` has it."""
_MAX_ROWS: Final = 20
_MAX_LOOKED_AT: Final = 500
_MAX_RESULTS: Final = 200
_MAX_SIZE: Final = 1024 * 1024
"""Characters of the rows that are read at a time: one row can have a megabyte."""
_MOST_DROPPED = 100  # at one attempt; a file that has more than the bound comes down step by step


class AttemptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempts to look for; None means anything."""

    account: int | None = None
    message: int | None = None
    before: int | None = None
    """Only attempts before the one with this id, whether it is kept or not."""
    event: EventType | None = None
    url: str | None = None
    """A part of the URL, in any case."""
    statuses: range | None = None
    """The status of the response is one of these; where there are none, there was no response."""
    succeeded: bool | None = None

    @property
    def condition(self) -> Condition:
        """The condition of a query on attempts, as far as the indexes decide it."""
        possible = (
            ("id < ?", self.before),
            ("account = ?", self.account),
            ("message = ?", self.message),
        )
        chosen = [(sql, value) for sql, value in possible if value is not None]
        return " AND ".join(["true", *(sql for sql, _ in chosen)]), tuple(
            value for _, value in chosen
        )

    @property
    def rest(self) -> Sequence[Condition]:
        """The other conditions, for which each attempt has to be looked at, with their values."""
        statuses = self.statuses or range(0)
        possible: list[tuple[object, str, Row]] = [
            (self.event, "event = ?", (str(self.event),)),
            (self.url, "instr(lower(url), lower(?))", (self.url or "",)),
            (self.statuses, "status BETWEEN ? AND ?", (statuses.start, statuses.stop - 1))
            if statuses
            else (self.statuses, "status IS NULL", ()),
            (self.succeeded, f"({_SUCCEEDED}) = ?", (int(bool(self.succeeded)),)),
        ]
        return [(sql, values) for wanted, sql, values in possible if wanted is not None]


class EndedAttempt(msgspec.Struct, frozen=True):
    """How an attempt ended."""

    url: str
    status: int | None
    error: str | None
    mode: WebhookMode


class WebhookRows:
    """Stores events, one for each URL that receives it, and the newest attempts to send them."""

    def __init__(
        self, database: Database, *, per_account: Bound = PER_ACCOUNT, in_all: Bound = IN_ALL
    ) -> None:
        self._database = database
        self._per_account = per_account
        self._in_all = in_all

    async def add(self, events: Iterable[WebhookEvent]) -> None:
        """Store events that are to be sent."""
        self._database.defer(_INSERT_EVENT, map(_EVENT.to_row, events))

    async def get(self, event_id: int) -> WebhookEvent | None:
        """Return an event, or None when it is gone."""
        row = self._database.execute(
            f"SELECT {_EVENT.names} FROM webhook_events WHERE id = ?", (event_id,)
        ).fetchone()
        return None if row is None else _EVENT.from_row(row)

    async def release(
        self, deliveries: Collection[tuple[int, int]]
    ) -> dict[tuple[int, int], list[int]]:
        """Make the held events of deliveries due, and return their ids in order, by delivery.

        A delivery is named by its message and the position of its recipient.
        """
        messages = json.dumps([message for message, _ in deliveries])
        rows = self._database.execute(
            "SELECT id, message, position FROM webhook_events"
            f" WHERE message IN (SELECT value FROM json_each(?)) AND state = '{EventState.HELD}'"
            " ORDER BY id",
            (messages,),
        )
        held: dict[tuple[int, int], list[int]] = {}
        for event_id, message, position in rows:
            if (message, position) in deliveries:
                held.setdefault((message, position), []).append(event_id)
        if held:
            self._database.executemany(
                f"UPDATE webhook_events SET state = '{EventState.DUE}' WHERE id = ?",
                [(event_id,) for ids in held.values() for event_id in ids],
            )
        return held

    async def record(self, attempt: Attempt, event: WebhookEvent) -> None:
        """Store an attempt, and the state and the number of tries of its event.

        It takes the place of the oldest attempts where there are too many: of its account, and
        then of all accounts.
        """
        self._database.execute(
            "UPDATE webhook_events SET tries = ?, state = ? WHERE id = ?",
            (event.tries, event.state, event.id),
        )
        row = _ATTEMPT.to_row(attempt)
        self._database.execute(_INSERT_ATTEMPT, row)
        self._add_to_totals(attempt.account, 1, _size(row))
        self._drop_oldest(attempt.account)

    async def tries(self, event: WebhookEvent) -> int:
        """Return how many attempts an event has had, those that a call has sent again included."""
        if event.tries == 0:  # no attempt has ended, and so none is sent again
            return 0
        # Their numbers, because the oldest attempts may be gone. By message as well, because that
        # is what the index has.
        (number,) = self._database.execute(
            "SELECT max(number) FROM attempts WHERE message = ? AND webhook_event = ?",
            (event.message, event.id),
        ).fetchone()
        return max(number or 0, event.tries)

    async def attempt(self, attempt_id: int, account: int | None) -> Attempt | None:
        """Return an attempt, if it belongs to the account; None stands for any account."""
        row = self._database.execute(
            f"SELECT {_ATTEMPT.names} FROM attempts"
            " WHERE id = ? AND account = coalesce(?, account)",
            (attempt_id, account),
        ).fetchone()
        return None if row is None else _ATTEMPT.from_row(row)

    async def search(self, wanted: AttemptFilter) -> AsyncIterator[Attempt]:
        """Return the attempts that match, newest first."""
        if wanted.rest:
            async for attempt_ids in self._matching(wanted):
                for attempt_id in attempt_ids:
                    attempt = await self.attempt(attempt_id, None)
                    if attempt is not None:  # else it was deleted meanwhile
                        yield attempt
            return
        (where, chosen), below = wanted.condition, FOREVER
        while True:
            rows, has_more = _read_some(
                self._database.execute(
                    f"SELECT {_ATTEMPT.names} FROM attempts WHERE {where} AND id < ?"
                    " ORDER BY id DESC LIMIT ?",
                    (*chosen, below, _MAX_ROWS),
                )
            )
            for row in rows:
                yield _ATTEMPT.from_row(row)
            if not has_more:
                return
            below = rows[-1][0]

    async def results(self, account: int | None) -> AsyncIterator[EndedAttempt]:
        """Return how each attempt of an account, or of all, ended; the oldest first.

        The requests and responses are not read, which are most of what is stored.
        """
        last = 0
        owned, values = ("", ()) if account is None else (" AND attempts.account = ?", (account,))
        while True:
            rows = self._database.execute(
                "SELECT attempts.id, attempts.url, attempts.status, attempts.error,"
                f" coalesce(webhook_events.mode, '{WebhookMode.PLAIN}')"
                " FROM attempts LEFT JOIN webhook_events"
                " ON webhook_events.id = attempts.webhook_event"
                f" WHERE attempts.id > ?{owned} ORDER BY attempts.id LIMIT ?",
                (last, *values, _MAX_RESULTS),
            ).fetchall()
            for _, url, status, error, mode in rows:
                yield EndedAttempt(url, status, error, WebhookMode(mode))
            if len(rows) < _MAX_RESULTS:
                return
            last = rows[-1][0]

    async def count(self, wanted: AttemptFilter) -> int:
        """Return how many attempts match."""
        if wanted.rest:
            return sum([len(attempt_ids) async for attempt_ids in self._matching(wanted)])
        where, chosen = wanted.condition
        found = self._database.execute(f"SELECT count(*) FROM attempts WHERE {where}", chosen)
        return int(found.fetchone()[0])

    async def _matching(self, wanted: AttemptFilter) -> AsyncIterator[Sequence[int]]:
        """Return the ids of attempts that match, some at a time, while others have their turn."""
        fits = " AND ".join(sql for sql, _ in wanted.rest)
        values = [value for _, values in wanted.rest for value in values]
        where, chosen = wanted.condition
        slices, below = Slices(), FOREVER
        while True:
            rows = self._database.execute(
                f"SELECT id, {fits} FROM attempts WHERE {where} AND id < ?"
                " ORDER BY id DESC LIMIT ?",
                (*values, *chosen, below, _MAX_LOOKED_AT),
            ).fetchall()
            yield [attempt_id for attempt_id, is_match in rows if is_match]
            if len(rows) < _MAX_LOOKED_AT:
                return
            below = rows[-1][0]
            await slices.pause()

    async def delete_attempts(self, message: int, *, limit: int) -> int:
        """Delete attempts of a message, at most so many; return how many they were."""
        rows = self._database.execute(
            f"SELECT id, account, {_SIZE} FROM attempts WHERE message = ? LIMIT ?", (message, limit)
        ).fetchall()
        if rows:
            self._database.executemany(
                "DELETE FROM attempts WHERE id = ?", [(attempt,) for attempt, _, _ in rows]
            )
            account = rows[0][1]
            self._add_to_totals(account, -len(rows), -sum(size for _, _, size in rows))
        return len(rows)

    def _drop_oldest(self, account: int) -> None:
        """Delete the oldest attempts of an account, and then of all, while they exceed a bound."""
        for _ in range(_MOST_DROPPED):
            totals = self._database.execute(_TOTALS, (account,)).fetchall()
            over = [owner for owner, *kept in totals if self._is_over(owner, *kept)]
            if not over:
                return
            where, values = of_account(over[-1] or None)
            oldest = self._database.execute(
                f"SELECT account, {_SIZE}, id FROM attempts{where} ORDER BY id LIMIT 1", values
            ).fetchone()
            if oldest is None:
                return
            owner, size, attempt_id = oldest
            self._database.execute("DELETE FROM attempts WHERE id = ?", (attempt_id,))
            self._add_to_totals(owner, -1, -size)

    def _is_over(self, account: int, entries: int, size: int) -> bool:
        bound = self._in_all if account == _ALL_ACCOUNTS else self._per_account
        return entries > bound.entries or size > bound.size

    def _add_to_totals(self, account: int, entries: int, size: int) -> None:
        self._database.execute(_ADD_TO_TOTALS, (account, entries, size, entries, size))


def _size(row: Row) -> int:
    """Return what `_SIZE` is of a row that is about to be stored."""
    texts = [row[index] for index in _SIZED]
    return _OVERHEAD + sum([len(text.encode()) for text in texts if text is not None])


def _read_some(rows: Iterable[Row]) -> tuple[list[Row], bool]:
    """Return the first rows of a query, and whether there may be more.

    It reads no row more than it returns, so that others wait for a bounded time.
    """
    some: list[Row] = []
    size = 0
    for row in rows:
        some.append(row)
        size += sum([len(value) for value in row if isinstance(value, str)])
        if size > _MAX_SIZE:
            return some, True
    return some, len(some) == _MAX_ROWS
