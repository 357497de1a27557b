"""Messages as rows, each with the timelines of its deliveries."""

import json
from collections.abc import AsyncIterator, Collection, Iterable, Sequence

import msgspec

from msgine_sandbox.model.account import DEVELOPER_CURRENCY
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import FOREVER, Clocks, Instant
from msgine_sandbox.model.delivery import (
    Delivery,
    Timelines,
    known_at_acceptance,
    stored_timelines,
)
from msgine_sandbox.model.message import Message, Parts
from msgine_sandbox.model.money import Money
from msgine_sandbox.model.segments import Encoding
from msgine_sandbox.storage.columns import Columns, Row, to_json
from msgine_sandbox.storage.database import Database, of_account
from msgine_sandbox.storage.sequences import PageStart, Sequences


class MessageRow(msgspec.Struct, frozen=True, array_like=True):
    """A message; enums and JSON are text already."""

    id: int
    account: int
    channel: str
    created_at: Instant
    recipients: str
    """One in each line."""
    timelines: str
    """As JSON; see `StoredForm` in `model.delivery`."""
    sender: str
    text: str
    encoding: str
    segments: int
    price_micros: int
    currency: str
    callback_url: str | None
    request_id: str
    title: str | None
    parts: str | None
    scheduled_at: Instant | None
    developer_micros: int
    traceparent: str | None


class Changing(msgspec.Struct, frozen=True):
    """A message as far as its statuses are concerned: its timelines, and who is told of them."""

    id: int
    account: int
    channel: Channel
    recipients: Sequence[str]
    timelines: Timelines
    callback_url: str | None


Version = tuple[int, str]
"""The id of a message, and its timelines as they are stored.

Nothing else of its row changes after it was added: `ShownMessages` relies on that.
"""

_MESSAGE = Columns(MessageRow)
_ACCOUNT = MessageRow.__struct_fields__.index("account")
_SELECT = f"SELECT {_MESSAGE.names} FROM messages"
# Columns that most messages lack are given as 0, which equals no text: sqlite3 looks for an adapter
# for each None, and that of five takes a sixth of what the row takes.
_LACKED = {"callback_url", "title", "parts", "scheduled_at", "traceparent"}
_MARKS = ", ".join(
    "nullif(?, 0)" if name in _LACKED else "?" for name in MessageRow.__struct_fields__
)
# Besides, each has columns for queries: when its last status begins, which that is, and others.
_INSERT = (
    f"INSERT INTO messages ({_MESSAGE.names}, ends_at, end_status, size, sequence)"
    f" VALUES ({_MARKS}, ?, ?, ?,"
    " (SELECT coalesce(max(sequence), 0) + 1 FROM messages WHERE account = ? AND channel = ?))"
)
_TIMELINES = (
    "SELECT id, account, channel, recipients, created_at, timelines, callback_url, scheduled_at"
    " FROM messages"
)
BEGUN_TOGETHER = 2_000
"""Messages whose statuses are counted at a time, in some milliseconds."""
_SAME_END, _LATER_END = "ends_at = ? AND id > ?", "ends_at > ?"
"""Two conditions in place of one on both: an index with equal ends would be read from its start."""
_END_OF_PART = (
    "SELECT ends_at, id FROM messages WHERE account = ? AND {0}"
    " ORDER BY ends_at, id LIMIT 1 OFFSET ?"
)
_TIMELINES_BY_NUMBER = (
    # Of recipients only the number matters, which is that of the lines.
    "SELECT created_at, timelines,"
    " CASE WHEN instr(recipients, char(10)) THEN recipients ELSE '' END AS lines, count(*)"
    " FROM messages WHERE account = ? AND {0}"
    " GROUP BY created_at, timelines, lines"
)
_READ_TOGETHER = 100
_OVERHEAD = 200
"""About how many bytes a message takes besides its texts, indexes included.

It is measured; schema/0007_timelines.sql has it, too.
"""
# Members by value: a look-up takes a third of the time of calling the enum.
_CHANNELS = {str(channel): channel for channel in Channel}
_ENCODINGS = {"": None, **{str(encoding): encoding for encoding in Encoding}}
_parts: msgspec.json.Decoder[Parts] = msgspec.json.Decoder(Parts)


class MessageRows:
    """Stores messages with the timelines of their deliveries."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks
        self._sequences = Sequences(database)

    async def add(self, message: Message) -> None:
        """Store a new message."""
        self._database.defer(_INSERT, [_values(message)])

    async def change(self, message: int, timelines: Timelines) -> None:
        """Store other timelines of a message."""
        form = timelines.form
        self._database.execute(
            "UPDATE messages SET timelines = ?, ends_at = ?, end_status = ? WHERE id = ?",
            (form.text, timelines.ends_at, str(form.end_status), message),
        )

    async def timelines(self, messages: Iterable[int]) -> dict[int, Changing]:
        """Return the timelines of those messages that still exist, by id."""
        rows = self._database.execute(
            f"{_TIMELINES} WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(messages)),),
        )
        return {row[0]: _changing(row) for row in rows}

    async def accounts_under_way(self, account: int | None) -> list[int]:
        """Return an account, or all, if something is still to come of a message of it."""
        rows = self._database.execute(
            "SELECT id FROM accounts WHERE id = coalesce(?, id)"
            " AND (SELECT max(ends_at) FROM messages WHERE account = accounts.id) > seen_of(id)",
            (account,),
        )
        return [found for (found,) in rows]

    async def under_way(self, account: int, now: Instant) -> AsyncIterator[Changing]:
        """Return the messages of which something is still to come at an instant.

        Those that are accepted meanwhile are left out. The caller lets others have their turn.
        """
        newest, condition = self._sequences.newest(), _LATER_END
        place: tuple[int, ...] = (now,)
        while True:
            rows = self._database.execute(
                f"{_TIMELINES} WHERE account = ? AND {condition} AND id <= ?"
                " ORDER BY ends_at, id LIMIT ?",
                (account, *place, newest, _READ_TOGETHER),
            ).fetchall()
            found = list(map(_changing, rows))
            for each in found:
                yield each
            if found:
                condition, place = _SAME_END, (found[-1].timelines.ends_at, found[-1].id)
            elif condition is _SAME_END:
                condition, place = _LATER_END, place[:1]
            else:
                return

    async def begun(self, account: int, after: Instant, until: Instant) -> AsyncIterator[int]:
        """Return how many statuses have begun after an instant, up to another one, in parts.

        The caller adds them up, and lets others have their turn in between. What is accepted
        meanwhile is left out.
        """
        newest, condition = self._sequences.newest(), _LATER_END
        place: tuple[int, ...] = (after,)
        while True:
            end = self._database.execute(
                _END_OF_PART.format(condition), (account, *place, BEGUN_TOGETHER - 1)
            ).fetchone()
            # One bound for each column, which the index has: what follows is not looked at.
            if condition is _SAME_END:
                part = f"{condition} AND id <= ?"
                bounds = [newest if end is None else min(end[1], newest)]
            else:
                part = f"{condition} AND ends_at < ? AND id <= ?"
                bounds = [FOREVER if end is None else end[0], newest]
            count = 0
            for created_at, text, lines, messages in self._database.execute(
                _TIMELINES_BY_NUMBER.format(part), (account, *place, *bounds)
            ):
                timelines = stored_timelines(created_at, 1, lines.count("\n") + 1, text)
                count += messages * timelines.count(after, until)
            yield count
            if condition is _SAME_END:
                condition, place = (_LATER_END, place[:1]) if end is None else (_SAME_END, end)
            elif end is None:
                return
            else:
                condition, place = _SAME_END, (end[0], 0)

    async def get(self, message_id: int, account: int | None = None) -> Message | None:
        """Return a message, if it belongs to the account; None stands for any account."""
        rows = self._database.execute(f"{_SELECT} WHERE id = ?", (message_id,))
        found = next(iter(self._messages(rows)), None)
        return found if found is not None and account in {None, found.account} else None

    async def page(
        self, account: int, channel: Channel, page: int, limit: int
    ) -> tuple[PageStart, int]:
        """Return where a page of messages, newest first, starts, and how many there are in all."""
        return self._sequences.locate((account, str(channel)), (page - 1) * limit)

    async def next_of_page(
        self, account: int, channel: Channel, start: PageStart, limit: int, *, below: int = FOREVER
    ) -> tuple[list[Version], Instant]:
        """Return the first messages from the start of a page on, or the next ones below an id.

        With them it returns up to when their statuses have begun.
        """
        offset = start.offset if below == FOREVER else 0
        rows = self._database.execute(
            "SELECT id, timelines FROM messages"
            " WHERE account = ? AND channel = ? AND sequence <= ? AND id < ?"
            " ORDER BY sequence DESC LIMIT ? OFFSET ?",
            (account, str(channel), start.sequence, below, limit, offset),
        )
        return rows.fetchall(), self._clocks.seen(account)

    async def count(self, account: int | None) -> int:
        """Return how many messages there are of an account, or of all."""
        where, values = of_account(account)
        found = self._database.execute(f"SELECT count(*) FROM messages{where}", values)
        return int(found.fetchone()[0])

    async def get_all(self, messages: Collection[int]) -> list[Message]:
        """Return those of some messages that there are, newest first."""
        rows = self._database.execute(
            f"{_SELECT} WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC",
            (json.dumps(list(messages)),),
        )
        return self._messages(rows)

    async def deliveries(self, message: int) -> tuple[Delivery, ...]:
        """Return the deliveries of a message as they are now; none if it is gone."""
        found = await self.timelines([message])
        return tuple(
            delivery
            for each in found.values()
            for delivery in each.timelines.deliveries_at(
                each.recipients, self._clocks.seen(each.account)
            )
        )

    def _messages(self, rows: Iterable[Row]) -> list[Message]:
        seen: dict[int, Instant] = {}
        messages = []
        for row in rows:
            account = row[_ACCOUNT]
            now = seen.get(account)
            if now is None:
                now = seen[account] = self._clocks.seen(account)
            messages.append(_message(row, now))
        return messages


def _values(message: Message) -> Row:
    # In the order of the fields of MessageRow, and without one, because this is a part of every
    # send. Text for enums, for the same reason.
    timelines, channel, parts = message.timelines, str(message.channel), message.parts
    form, recipients = timelines.form, "\n".join(message.recipients)
    text, title = message.text, message.title
    encoded_parts = None if parts is None else to_json(parts)
    size = _OVERHEAD + len(recipients) + len(form.text) + _bytes_of(text)
    if title is not None:
        size += _bytes_of(title)
    if encoded_parts is not None:
        size += _bytes_of(encoded_parts)
    return (
        message.id,
        message.account,
        channel,
        timelines.created_at,
        recipients,
        form.text,
        message.sender,
        text,
        "" if message.encoding is None else str(message.encoding),
        message.segments,
        message.price.micros,
        message.price.currency,
        message.callback_url or 0,
        message.request_id,
        0 if title is None else title,
        encoded_parts or 0,
        message.scheduled_at or 0,
        message.developer_price.micros,
        message.traceparent or 0,
        timelines.ends_at,
        str(form.end_status),
        size,
        message.account,
        channel,
    )


def _message(row: Row, now: Instant) -> Message:
    # In the order of the fields of MessageRow, as in `_values`.
    (
        row_id,
        account,
        channel,
        created_at,
        lines,
        timelines,
        sender,
        text,
        encoding,
        segments,
        price,
        currency,
        callback_url,
        request_id,
        title,
        parts,
        scheduled_at,
        developer_price,
        traceparent,
    ) = row
    recipients, known = lines.split("\n"), known_at_acceptance(channel, scheduled_at)
    # Some by position, because Python makes a dictionary of more than fifteen keywords.
    return Message(
        row_id,
        account,
        _CHANNELS[channel],
        recipients,
        stored_timelines(created_at, known, len(recipients), timelines),
        now,
        sender,
        text,
        encoding=_ENCODINGS[encoding],
        segments=segments,
        price=Money(price, currency),
        callback_url=callback_url,
        request_id=request_id,
        title=title,
        parts=None if parts is None else _parts.decode(parts),
        scheduled_at=scheduled_at,
        developer_price=Money(developer_price, DEVELOPER_CURRENCY),
        traceparent=traceparent,
    )


def changing(message: Message) -> Changing:
    """Return a new message as far as its statuses are concerned."""
    return Changing(
        message.id,
        message.account,
        message.channel,
        message.recipients,
        message.timelines,
        message.callback_url,
    )


def _changing(row: Row) -> Changing:
    message, account, channel, lines, created_at, text, callback_url, scheduled_at = row
    recipients, known = lines.split("\n"), known_at_acceptance(channel, scheduled_at)
    timelines = stored_timelines(created_at, known, len(recipients), text)
    return Changing(message, account, _CHANNELS[channel], recipients, timelines, callback_url)


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
