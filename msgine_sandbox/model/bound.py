"""A bound on what is kept: in entries, and in bytes, because entries have no common size."""

from typing import Final

import msgspec

MEGABYTE: Final = 1024 * 1024


class Bound(msgspec.Struct, frozen=True):
    """How much is kept at most."""

    entries: int
    size: int
    """In bytes."""
