"""Messages and their deliveries as rows."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import msgspec
from msgspec.structs import astuple

from msgine_sandbox.model.account import DEVELOPER_CURRENCY
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import FOREVER, Instant
from msgine_sandbox.model.message import NEXT, Delivery, Message, Parts, Status, StatusChange
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.segments import Encoding
from msgine_sandbox.storage.columns import Columns, Row, to_json
from msgine_sandbox.storage.database import Database, of_account
from msgine_sandbox.storage.filter import CONTENT, Filter, fits, in_range
from msgine_sandbox.storage.sequences import Sequences, Series


class MessageRow(msgspec.Struct, frozen=True, array_like=True):
    """A message without its deliveries; enums and JSON are text already."""

    id: int
    account: int
    channel: str
    sender: str
    text: str
    encoding: str
    segments: int
    price_micros: int
    currency: str
    callback_url: str | None
    request_id: str
    created_at: Instant
    title: str | None
    parts: str | None
    scheduled_at: Instant | None
    developer_micros: int


class DeliveryRow(msgspec.Struct, frozen=True, array_like=True):
    """A delivery in the table of all deliveries."""

    message: int
    position: int
    recipient: str
    status: str
    history: str
    """Such as `pending@1700000000000000 sent@1700000000500000`; a change appends to it."""
    reason: str | None


_MESSAGE = Columns(MessageRow)
_DELIVERY = Columns(DeliveryRow)
_INSERT = (
    f"INSERT INTO messages ({_MESSAGE.names}, size, sequence) VALUES ({_MESSAGE.marks}, ?,"
    " (SELECT coalesce(max(sequence), 0) + 1 FROM messages WHERE account = ? AND channel = ?))"
)
_INSERT_DELIVERY = _DELIVERY.insert("deliveries")
_APPLY = (
    "UPDATE deliveries SET status = ?, history = history || ?, reason = ?"
    " WHERE message = ? AND position = ? AND status IN (?, ?)"
)
COUNTED_TOGETHER = 50_000
"""Messages that are counted at a time by an index alone, in about 2 ms."""
# Members by value: a look-up takes a third of the time of calling the enum.
_CHANNELS = {str(channel): channel for channel in Channel}
_STATUSES = {str(status): status for status in Status}
_parts: msgspec.json.Decoder[Parts] = msgspec.json.Decoder(Parts)

# The statuses that each may follow, padded to the two placeholders of `_APPLY`.
_BEFORE = {
    status: (*[str(each) for each in Status if status in NEXT[each]], None, None)[:2]
    for status in Status
}


class MessageRows:
    """Stores messages with their deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sequences = Sequences(database)

    async def add(self, message: Message) -> None:
        """Store a new message with its deliveries."""
        row = _row(message)
        size = _size(row, message)
        self._database.defer(_INSERT, [(*astuple(row), size, row.account, row.channel)])
        self._database.defer(_INSERT_DELIVERY, _delivery_rows(message))

    async def apply(self, changes: Sequence[StatusChange]) -> Sequence[StatusChange]:
        """Change the statuses of deliveries, and return the changes that had an effect.

        A change that the lifecycle forbids has none: its row does not match.
        """
        with self._database.savepoint() as savepoint:
            done = self._database.executemany(_APPLY, map(_values, changes))
            if done.rowcount == len(changes):
                return changes
            # SQLite says how many rows it changed, not which. A change without effect is rare, so
            # only then they are all run again, one by one.
            savepoint.undo()
        return [
            change for change in changes if self._database.execute(_APPLY, _values(change)).rowcount
        ]

    async def origins(self, messages: Iterable[int]) -> dict[int, tuple[Channel, Instant]]:
        """Return the channels of messages and when they were accepted, by id."""
        rows = self._database.execute(
            "SELECT id, channel, created_at FROM messages"
            " WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(messages)),),
        )
        return {message: (_CHANNELS[channel], at) for message, channel, at in rows}

    async def callback_urls(self, messages: Iterable[int]) -> dict[int, str]:
        """Return the callback URLs of those messages that have one, by id."""
        return dict(
            self._database.execute(
                "SELECT id, callback_url FROM messages"
                " WHERE id IN (SELECT value FROM json_each(?)) AND callback_url IS NOT NULL",
                (json.dumps(list(messages)),),
            ).fetchall()
        )

    async def get(self, message_id: int, account: int | None = None) -> Message | None:
        """Return a message, if it belongs to the account; None stands for any account."""
        rows = self._database.execute(
            f"SELECT {_MESSAGE.names} FROM messages"
            " WHERE id = ? AND account = coalesce(?, account)",
            (message_id, account),
        ).fetchall()
        return next(iter(self._messages(rows)), None)

    async def page(
        self, account: int, channel: Channel, page: int, limit: int
    ) -> tuple[list[int], int]:
        """Return the ids of a page of messages, newest first, and how many messages there are."""
        series, skipped = Series(account, str(channel)), (page - 1) * limit
        start, total = self._sequences.locate(series, skipped)
        if skipped >= total:
            return [], total
        rows = self._database.execute(
            "SELECT id FROM messages WHERE account = ? AND channel = ? AND sequence <= ?"
            " ORDER BY sequence DESC LIMIT ? OFFSET ?",
            (*series, start.sequence, limit, start.offset),
        )
        return [message for (message,) in rows], total

    async def count(self, account: int | None) -> int:
        """Return how many messages there are of an account, or of all."""
        found = self._database.execute(f"SELECT count(*) FROM messages{of_account(account)}")
        return int(found.fetchone()[0])

    def count_some(self, wanted: Filter, below: int) -> tuple[int, int | None]:
        """Count the next messages of a filter that is a range, below an id and newest first.

        Return how many they are, and the last one's id; None where there are no more.
        """
        where, values = in_range(wanted, below)
        count, last = self._database.execute(
            f"SELECT count(*), min(id) FROM (SELECT id FROM messages WHERE {where}"
            " ORDER BY id DESC LIMIT ?)",
            (*values, COUNTED_TOGETHER),
        ).fetchone()
        return int(count), last if count == COUNTED_TOGETHER else None

    def scan(
        self, wanted: Filter, below: int = FOREVER, *, with_content: bool = False
    ) -> sqlite3.Cursor:
        """Return the ids in a filter's range below an id, newest first, each with its content.

        It is None where the message does not match, and empty unless `with_content` is set. SQLite
        looks at one message for each row that is taken, so the caller can stop at any row; the
        caller closes it before others run.
        """
        where, values = in_range(wanted, below)
        condition, tested = fits(wanted)
        content = CONTENT if with_content else "''"
        return self._database.execute(
            f"SELECT id, CASE WHEN {condition} THEN {content} END FROM messages WHERE {where}"
            " ORDER BY id DESC",
            (*tested, *values),
        )

    async def matching(
        self, wanted: Filter, messages: Collection[int], *, with_content: bool = False
    ) -> list[tuple[int, str]]:
        """Return those of some messages that match, newest first, each with its content."""
        where, values = in_range(wanted, FOREVER)
        condition, tested = fits(wanted)
        content = CONTENT if with_content else "''"
        return self._database.execute(
            f"SELECT id, {content} FROM messages WHERE {where}"
            f" AND id IN (SELECT value FROM json_each(?)) AND {condition} ORDER BY id DESC",
            (*values, json.dumps(list(messages)), *tested),
        ).fetchall()

    async def get_all(self, messages: Collection[int]) -> list[Message]:
        """Return those of some messages that there are, newest first."""
        rows = self._database.execute(
            f"SELECT {_MESSAGE.names} FROM messages"
            " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC",
            (json.dumps(list(messages)),),
        ).fetchall()
        return self._messages(rows)

    async def deliveries(self, messages: Iterable[int]) -> dict[int, tuple[Delivery, ...]]:
        """Return the deliveries of those messages that still exist, by id."""
        return self._deliveries(messages)

    def _messages(self, rows: Sequence[Row]) -> list[Message]:
        found = [msgspec.convert(row, MessageRow) for row in rows]
        by_message = self._deliveries(row.id for row in found)
        return [_message(row, by_message[row.id]) for row in found]

    def _deliveries(self, messages: Iterable[int]) -> dict[int, tuple[Delivery, ...]]:
        rows = self._database.execute(
            f"SELECT {_DELIVERY.names} FROM deliveries"
            " WHERE message IN (SELECT value FROM json_each(?)) ORDER BY message, position",
            (json.dumps(list(messages)),),
        )
        return {
            message: tuple(map(_delivery, group))
            for message, group in groupby(rows, key=itemgetter(0))
        }


def _values(change: StatusChange) -> Row:
    return (
        str(change.status),
        f" {change.status}@{change.at}",
        change.reason,
        change.message,
        change.position,
        *_BEFORE[change.status],
    )


def _row(message: Message) -> MessageRow:
    # By position, in the order of the fields, because this is a part of every send: with sixteen
    # keywords it takes three times as long. Text for enums, for the same reason.
    return MessageRow(
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
        None if message.parts is None else to_json(message.parts),
        message.scheduled_at,
        message.developer_price.micros,
    )


def _message(row: MessageRow, deliveries: tuple[Delivery, ...]) -> Message:
    return Message(
        id=row.id,
        account=row.account,
        channel=_CHANNELS[row.channel],
        sender=row.sender,
        text=row.text,
        encoding=Encoding(row.encoding) if row.encoding else None,
        segments=row.segments,
        price=Money(row.price_micros, row.currency),
        callback_url=row.callback_url,
        request_id=row.request_id,
        created_at=row.created_at,
        title=row.title,
        parts=None if row.parts is None else _parts.decode(row.parts),
        scheduled_at=row.scheduled_at,
        developer_price=Money(row.developer_micros, DEVELOPER_CURRENCY),
        deliveries=deliveries,
    )


def _size(row: MessageRow, message: Message) -> int:
    """Return about how many bytes a message and its deliveries take, indexes included."""
    # The constants are measured; schema/0006_retention.sql has them, too.
    size = 150 + _bytes_of(row.text) + 135 * len(message.deliveries)
    if row.title is not None:
        size += _bytes_of(row.title)
    if row.parts is not None:
        size += _bytes_of(row.parts)
    return size


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _delivery_rows(message: Message) -> list[Row]:
    # Tuples in the order of DeliveryRow's fields, because this is a part of every send, too.
    return [
        (message.id, position, d.recipient, str(d.status), _history(d), d.reason)
        for position, d in enumerate(message.deliveries)
    ]


def _history(delivery: Delivery) -> str:
    return " ".join([f"{status}@{at}" for status, at in delivery.history])


def _delivery(values: Row) -> Delivery:
    row = msgspec.convert(values, DeliveryRow)
    entries = [entry.split("@") for entry in row.history.split(" ")]
    return Delivery(
        recipient=row.recipient,
        status=_STATUSES[row.status],
        history=tuple([(_STATUSES[status], int(at)) for status, at in entries]),
        reason=row.reason,
    )
