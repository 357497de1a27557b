"""Messages and their deliveries as rows."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from msgine_sandbox.model.account import DEVELOPER_CURRENCY
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.lifecycle import NEXT, Status
from msgine_sandbox.model.message import Delivery, Message, Move
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.parts import Parts
from msgine_sandbox.model.segments import Encoding
from msgine_sandbox.storage.database import Database
from msgine_sandbox.storage.filter import Filter, conditions

_COLUMNS = (
    "id, account, channel, sender, text, encoding, segments, price_micros, currency,"
    " callback_url, request_id, created_at, title, parts, scheduled_at, developer_micros"
)
_INSERT = (
    f"INSERT INTO messages ({_COLUMNS}, place) VALUES ({'?, ' * 16}"
    " (SELECT coalesce(max(place), 0) + 1 FROM messages WHERE account = ? AND channel = ?))"
)
_MOVE = (
    "UPDATE deliveries SET status = ?, history = history || ?, reason = ?"
    " WHERE message = ? AND position = ? AND status IN (?, ?)"
)
_BATCH = 200
_CHANNELS = {str(channel): channel for channel in Channel}
_parts: msgspec.json.Decoder[Parts] = msgspec.json.Decoder(Parts)

# The statuses that come before each, of which the lifecycle has two at the most.
_BEFORE = {
    status: (*[str(each) for each in Status if status in NEXT[each]], None, None)[:2]
    for status in Status
}


class MessageRows:
    """Keeps messages, newest last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, message: Message) -> None:
        """Store a new message with its deliveries."""
        self._database.gather(_INSERT, [(*_row(message), message.account, str(message.channel))])
        self._database.gather(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)",
            [
                (message.id, position, d.recipient, str(d.status), _written(d.history), d.reason)
                for position, d in enumerate(message.deliveries)
            ],
        )

    async def move(self, moves: Sequence[Move]) -> Sequence[Move]:
        """Take deliveries on, where the lifecycle lets them; give the moves that were taken."""
        with self._database.attempt() as attempt:
            done = self._database.executemany(_MOVE, map(_step, moves))
            if done.rowcount == len(moves):
                return moves
            attempt.undo()
        # Some were not, which is rare: the rows tell one by one.
        return [move for move in moves if self._database.execute(_MOVE, _step(move)).rowcount]

    async def origins(self, messages: Iterable[int]) -> dict[int, tuple[Channel, Instant]]:
        """Give the channels of messages, and when they were accepted."""
        rows = self._database.execute(
            "SELECT id, channel, created_at FROM messages"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(messages)),),
        )
        return {number: (_CHANNELS[channel], at) for number, channel, at in rows}

    async def callback_urls(self, messages: Iterable[int]) -> dict[int, str]:
        """Give the callback URLs of those messages that have one."""
        return dict(
            self._database.execute(
                "SELECT id, callback_url FROM messages"
                " WHERE id IN (SELECT value FROM json_each(?)) AND callback_url IS NOT NULL",
                (json.dumps(list(messages)),),
            ).fetchall()
        )

    async def get(self, number: int, account: int | None = None) -> Message | None:
        """Give a message; of one account only, where one is named."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM messages WHERE id = ? AND account = coalesce(?, account)",
            (number, account),
        ).fetchall()
        return next(iter(self._messages(rows)), None)

    async def page(
        self, account: int, channel: Channel, page: int, limit: int
    ) -> tuple[list[Message], int]:
        """Give a page of an account's messages, newest first, and how many there are in all."""
        (total,) = self._database.execute(
            "SELECT coalesce(max(place), 0) FROM messages WHERE account = ? AND channel = ?",
            (account, str(channel)),
        ).fetchone()
        top = max(total - (page - 1) * limit, 0)
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM messages"
            " WHERE account = ? AND channel = ? AND place > ? AND place <= ? ORDER BY place DESC",
            (account, str(channel), top - limit, top),
        ).fetchall()
        return self._messages(rows), total

    async def count(self, wanted: Filter) -> int:
        """Tell how many messages fit."""
        where, values = conditions(wanted)
        found = self._database.execute(f"SELECT count(*) FROM messages WHERE {where}", values)
        return int(found.fetchone()[0])

    async def search(self, wanted: Filter) -> AsyncIterator[Message]:
        """Give the messages that fit, newest first."""
        where, values = conditions(wanted)
        below = FOREVER
        while True:
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM messages WHERE {where} AND id < ?"
                " ORDER BY id DESC LIMIT ?",
                (*values, below, _BATCH),
            ).fetchall()
            for message in self._messages(rows):
                yield message
            if len(rows) < _BATCH:
                return
            below = rows[-1][0]

    async def clear(self, account: int | None) -> int:
        """Delete an account's, or all, messages; tell how many there were."""
        count = await self.count(Filter(account=account))
        mine = "" if account is None else f" WHERE account = {account}"
        self._database.execute(
            f"DELETE FROM deliveries WHERE message IN (SELECT id FROM messages{mine})"
        )
        self._database.execute(f"DELETE FROM messages{mine}")
        return count

    def _messages(self, rows: Sequence[tuple[Any, ...]]) -> list[Message]:
        found = self._database.execute(
            "SELECT message, recipient, status, history, reason FROM deliveries"
            " WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, position",
            (json.dumps([row[0] for row in rows]),),
        )
        deliveries = {
            message: tuple(map(_delivery, group))
            for message, group in groupby(found, key=itemgetter(0))
        }
        return [_message(row, deliveries[row[0]]) for row in rows]


def _step(move: Move) -> tuple[Any, ...]:
    return (
        str(move.status),
        f" {move.status}@{move.at}",
        move.reason,
        move.message,
        move.position,
        *_BEFORE[move.status],
    )


def _row(message: Message) -> tuple[Any, ...]:
    return (
        message.id,
        message.account,
        str(message.channel),
        message.sender,
        message.text,
        str(message.encoding or ""),
        message.segments,
        message.price.micros,
        message.price.currency,
        message.callback_url,
        message.request_id,
        message.created_at,
        message.title,
        None if message.parts is None else msgspec.json.encode(message.parts).decode(),
        message.scheduled_at,
        message.developer_price.micros,
    )


def _message(row: tuple[Any, ...], deliveries: tuple[Delivery, ...]) -> Message:
    return Message(
        id=row[0],
        account=row[1],
        channel=Channel(row[2]),
        sender=row[3],
        text=row[4],
        encoding=Encoding(row[5]) if row[5] else None,
        segments=row[6],
        price=Money(row[7], row[8]),
        callback_url=row[9],
        request_id=row[10],
        created_at=row[11],
        title=row[12],
        parts=None if row[13] is None else _parts.decode(row[13]),
        scheduled_at=row[14],
        developer_price=Money(row[15], DEVELOPER_CURRENCY),
        deliveries=deliveries,
    )


def _delivery(row: tuple[Any, ...]) -> Delivery:
    _, recipient, status, history, reason = row
    return Delivery(
        recipient=recipient, status=Status(status), history=_read(history), reason=reason
    )


def _written(history: tuple[tuple[Status, Instant], ...]) -> str:
    return " ".join(f"{status}@{at}" for status, at in history)


def _read(history: str) -> tuple[tuple[Status, Instant], ...]:
    steps = (step.split("@") for step in history.split(" "))
    return tuple((Status(status), int(at)) for status, at in steps)
