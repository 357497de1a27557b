"""Page numbers: where a page begins among the sequence numbers of an account and channel.

A sequence number never changes. Deleting a message leaves a gap, and instead of numbering all later
messages anew, it is counted how many of each thousand numbers are missing. To find a page, the
thousands with gaps are passed over as a whole, from the newest on.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from msgine_sandbox.storage.database import Database

Series = tuple[int, str]
"""An account and a channel, whose messages are numbered together."""

_BLOCK: Final = 1000
"""Sequence numbers that are counted together."""

_SERIES = "account = ? AND channel = ?"
# Two queries in one: each reads one entry of the index, while one for both ends would read all.
_ENDS = (
    f"SELECT (SELECT min(sequence) FROM messages WHERE {_SERIES}),"
    f" (SELECT max(sequence) FROM messages WHERE {_SERIES})"
)
_GAPS = (
    f"SELECT block, missing FROM sequence_gaps WHERE {_SERIES} AND block >= ? ORDER BY block DESC"
)
# The same without the place of a page, for some accounts and one channel or all.
_TOTAL = f"""
SELECT coalesce(sum(last - lowest * {_BLOCK} - (
    SELECT coalesce(sum(missing), 0) FROM sequence_gaps AS gaps
    WHERE gaps.account = ends.account AND gaps.channel = ends.channel AND block >= lowest
)), 0) FROM (
    SELECT accounts.value AS account, channels.value AS channel,
        (SELECT (min(sequence) - 1) / {_BLOCK} FROM messages
         WHERE account = accounts.value AND channel = channels.value) AS lowest,
        (SELECT max(sequence) FROM messages
         WHERE account = accounts.value AND channel = channels.value) AS last
    FROM json_each(?) AS accounts, json_each(?) AS channels
) AS ends
"""
_FORGET = f"DELETE FROM sequence_gaps WHERE {_SERIES} AND block NOT BETWEEN ? AND ?"
_COUNT = (
    "INSERT OR REPLACE INTO sequence_gaps SELECT ?, ?, ?, ? - count(*) FROM messages"
    f" WHERE {_SERIES} AND sequence BETWEEN ? AND ?"
)


class PageStart(msgspec.Struct, frozen=True):
    """Where a page begins: so many messages below a sequence number."""

    sequence: int
    offset: int
    """Less than a thousand, so that it costs little to pass over them."""


class Sequences:
    """Finds pages, and keeps count of the gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def locate(self, series: Series, skipped: int) -> tuple[PageStart, int]:
        """Return where a page starts that comes after so many newer messages, and the total."""
        first, last = self._ends(series)
        if last == 0:
            return PageStart(0, 0), 0
        lowest = _block_of(first)
        gaps = self._database.execute(_GAPS, (*series, lowest)).fetchall()
        total = last - lowest * _BLOCK - sum(missing for _, missing in gaps)
        return _start(last, skipped, gaps), total

    def total(self, accounts: Sequence[int], channels: Sequence[str]) -> int:
        """Return how many messages of some accounts and channels there are."""
        keys = (json.dumps(accounts), json.dumps(channels))
        return int(self._database.execute(_TOTAL, keys).fetchone()[0])

    def newest(self) -> int:
        """Return the largest id of a message of any series, or 0."""
        return self._database.execute("SELECT max(id) FROM messages").fetchone()[0] or 0

    def recount(self, series: Series, deleted: Iterable[int]) -> None:
        """Count the gaps again where sequence numbers were deleted, in the same transaction."""
        first, last = self._ends(series)
        lowest, highest = _block_of(first), _block_of(last)
        self._database.execute(_FORGET, (*series, lowest, highest))
        if last == 0:
            return
        # The last number is given away again if its message is deleted, so what is above the
        # remaining last one is no gap: its block is counted up to there.
        for block in {highest, *map(_block_of, deleted)}:
            if lowest <= block <= highest:
                start, end = block * _BLOCK + 1, min((block + 1) * _BLOCK, last)
                count = end - start + 1
                self._database.execute(_COUNT, (*series, block, count, *series, start, end))

    def _ends(self, series: Series) -> tuple[int, int]:
        """Return the first and the last sequence number, or 0 where there are no messages."""
        first, last = self._database.execute(_ENDS, (*series, *series)).fetchone()
        return first or 0, last or 0


def _block_of(sequence: int) -> int:
    return (sequence - 1) // _BLOCK


def _start(last: int, skipped: int, gaps: Iterable[tuple[int, int]]) -> PageStart:
    sequence = last - skipped  # where it would be without gaps
    for block, missing in gaps:
        end = min((block + 1) * _BLOCK, last)
        if sequence >= end:
            break
        offset = end - sequence
        if offset < end - block * _BLOCK - missing:
            return PageStart(end, offset)
        sequence -= missing
    return PageStart(sequence, 0)
