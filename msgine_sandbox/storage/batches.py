"""Reading rows in batches that are bounded in bytes, because a row can be a megabyte."""

from collections.abc import Iterable
from typing import Final

from msgine_sandbox.storage.columns import Row

MAX_ROWS: Final = 20
"""Rows of a batch: twenty messages with a hundred recipients each take some milliseconds."""
_MAX_SIZE: Final = 1024 * 1024


def read_batch(rows: Iterable[Row]) -> tuple[list[Row], bool]:
    """Return the first rows of a query, and whether there may be more.

    It reads no row more than it returns, and no batch is much larger than a megabyte or its last
    row.
    """
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum([len(value) for value in row if isinstance(value, str)])
        if size > _MAX_SIZE:
            return batch, True
    return batch, len(batch) == MAX_ROWS
