"""Searching messages: which of them have to be looked at, and how many match.

Each query takes a bounded time, or can be left at every row.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import FOREVER, Clocks, Instant
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.storage.columns import Condition
from msgine_sandbox.storage.database import Database
from msgine_sandbox.storage.filter import CONTENT, Filter, fits, in_range
from msgine_sandbox.storage.sequences import Sequences

MOST_COUNTED: Final = 1000
"""Matches that are counted where each has to be looked at."""
_COUNTED_TOGETHER: Final = 25_000
"""Messages that are counted at a time by an index alone, in some 2 ms."""
_UNDER_WAY: Final = 2000
"""Messages under way that a search by status looks at besides those that have ended."""
_LARGE: Final = 10_000
"""Bytes of a message that it takes long to look at."""
_UNDER_WAY_IDS = "SELECT id FROM messages WHERE account = ? AND ends_at > ? LIMIT ?"
# SQLite uses the partial index only where the query repeats its condition.
_ENDED = "end_status = ? AND end_status <> 'delivered'"
_ENDS_AS = (
    f"SELECT count(*) FROM (SELECT 1 FROM messages WHERE account = ? AND {_ENDED} AND id <= ?"
    " LIMIT ?)"
)
_UNDER_WAY_ENDS_AS = (
    "SELECT count(*) FROM messages WHERE account = ? AND ends_at > ? AND end_status = ?"
)
_EVERYTHING: Final[Condition] = ("", ())
_BY_ID: Final[Condition] = ("+", ())
"""The beginning of a condition on the account, for which its index is not used."""


class Matches(msgspec.Struct, frozen=True):
    """How many messages match: exactly, or at least."""

    total: int
    is_minimum: bool = False


class Subset(msgspec.Struct, frozen=True):
    """Messages among which some match; those of all subsets of a search are all that can."""

    condition: Condition = _EVERYTHING
    """What leads to them; another one follows."""
    ids: Sequence[int] | None = None
    """Its messages, where they are known."""
    count: Matches | None = None
    """How many match, where that is known without looking at them."""


class Searches:
    """Finds and counts messages."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks
        self._sequences = Sequences(database)

    def count(self, accounts: Sequence[int], channel: Channel | None) -> int:
        """Return how many messages accounts have, of one channel or of all."""
        channels = Channel if channel is None else [channel]
        return self._sequences.total(accounts, [*map(str, channels)])

    def newest(self) -> int:
        """Return the largest id of a message, or 0."""
        return self._sequences.newest()

    def count_some(self, account: int | None, first: int, below: int) -> tuple[int, int | None]:
        """Count the next messages of an account, or of all, from one id to below another.

        Return how many they are, and the last one's id; None where there are no more.
        """
        where, values = in_range(Filter(account=account), below)
        count, last = self._database.execute(
            f"SELECT count(*), min(id) FROM (SELECT id FROM messages WHERE {where} AND id >= ?"
            " ORDER BY id DESC LIMIT ?)",
            (*values, first, _COUNTED_TOGETHER),
        ).fetchone()
        return int(count), last if count == _COUNTED_TOGETHER else None

    def subsets(self, wanted: Filter, *, with_count: bool) -> list[Subset]:
        """Return the subsets in which to look for a filter's messages.

        Most messages have ended, and an index has those that did not end as delivered. So a search
        for another status looks at the few that are under way, and at those that ended with it.
        """
        account, status, now = wanted.account, wanted.status, self._now(wanted)
        if now is None or status in {None, Status.DELIVERED} or wanted.to or wanted.id is not None:
            return [Subset()]
        rows = self._database.execute(_UNDER_WAY_IDS, (account, now, _UNDER_WAY + 1))
        under_way = sorted([message for (message,) in rows], reverse=True)
        if len(under_way) > _UNDER_WAY:
            return [Subset()]
        newest = self.newest()  # those that are accepted during the search are left out
        # The plus: for two limits of the id, SQLite 3.49 and later walks through the account.
        ended = (f"{_ENDED} AND ends_at <= ? AND +id <= ? AND", (str(status), now, newest))
        count = None
        if with_count and wanted == Filter(account=account, status=status):
            count = self._ended(account, status, now, newest, len(under_way))
        return [Subset(ids=under_way), Subset(ended, count=count)]

    def _ended(
        self, account: int | None, status: Status | None, now: Instant, newest: int, under_way: int
    ) -> Matches:
        """Count the messages that have ended with a status, without reading them."""
        still = self._database.execute(_UNDER_WAY_ENDS_AS, (account, now, str(status)))
        most = MOST_COUNTED + 1 + under_way
        found = self._database.execute(_ENDS_AS, (account, str(status), newest, most))
        count = found.fetchone()[0] - still.fetchone()[0]
        return Matches(count, is_minimum=count > MOST_COUNTED)

    def scan(
        self, wanted: Filter, subset: Subset, below: int, *, every: int, with_content: bool = False
    ) -> sqlite3.Cursor:
        """Return the ids in a subset below an id, newest first, each with its content.

        It is None where the message does not match, and empty unless `with_content` is set. About
        one message of `every` comes where it does not match, too, and each large one, so that the
        caller can stop soon; the caller closes it before others run.
        """
        where, values = in_range(wanted, below)
        condition, tested = fits(wanted, self._now(wanted))
        content = CONTENT if with_content else "''"
        if subset.ids is not None:
            chosen, chosen_by = _among(subset.ids)
        elif subset.condition == _EVERYTHING and self._is_alone(wanted.account):
            chosen, chosen_by = _BY_ID
        else:
            chosen, chosen_by = subset.condition
        return self._database.execute(
            f"SELECT id, CASE WHEN {condition} THEN {content} END FROM messages WHERE {chosen}"
            f" {where} AND (id % ? = 0 OR size > ? OR {condition}) ORDER BY id DESC",
            (*tested, *chosen_by, *values, every, _LARGE, *tested),
        )

    def matching(
        self, wanted: Filter, messages: Collection[int], *, with_content: bool = False
    ) -> list[tuple[int, str]]:
        """Return those of some messages that match, newest first, each with its content."""
        where, values = in_range(wanted, FOREVER)
        condition, tested = fits(wanted, self._now(wanted))
        content = CONTENT if with_content else "''"
        chosen, chosen_by = _among(messages)
        return self._database.execute(
            f"SELECT id, {content} FROM messages WHERE {chosen} {where} AND {condition}"
            " ORDER BY id DESC",
            (*chosen_by, *values, *tested),
        ).fetchall()

    def _is_alone(self, account: int | None) -> bool:
        """Return whether an account is the only one, so that all messages are its own.

        Its index would then lead to each of them in the order of the table itself, which takes
        longer than what is looked at in most messages.
        """
        return account is not None and len(self._clocks.of) == 1

    def _now(self, wanted: Filter) -> Instant | None:
        return None if wanted.account is None else self._clocks.seen(wanted.account)


def _among(messages: Collection[int]) -> Condition:
    """Return the beginning of a condition: some messages, which are found by their ids.

    The plus takes the next one from SQLite's planner, which would walk through the account by it.
    """
    return "id IN (SELECT value FROM json_each(?)) AND +", (json.dumps(list(messages)),)
