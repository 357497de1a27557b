"""The journal: every request of the API with its answer, the newest of each account.

It is kept in memory, because a row for each request would cost more than the request.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Final

import msgspec

from msgine_sandbox.bus import Bus
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.entry import Entry
from msgine_sandbox.model.events import RequestAnswered, RequestWarned
from msgine_sandbox.model.warning import ClientWarning, Code

NEWEST: Final = 10_000
"""Entries that are kept of each account."""
MOST: Final = 100_000
"""Entries that are kept in all: those of accounts that have been idle longest go first."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to look for; None leaves a question out."""

    account: int | None = None
    method: str | None = None
    path: str | None = None
    """A part of the path."""
    statuses: range | None = None
    warning: Code | None = None
    since: Instant | None = None

    def fits(self, entry: Entry) -> bool:
        """Tell whether an entry is meant."""
        return (
            self.method in {None, entry.method}
            and (self.path is None or self.path in entry.path)
            and (self.statuses is None or entry.status in self.statuses)
            and (self.since is None or entry.at >= self.since)
            and (self.warning is None or any(w.code is self.warning for w in entry.warnings))
        )


class Journal:
    """Remembers requests by account; those of nobody, as a 401 is, are under None."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        # Packed, each in one piece: ten thousand of them would otherwise take twice the memory.
        # The account that asked for something last is the last.
        self._packed: OrderedDict[int | None, OrderedDict[str, bytes]] = OrderedDict()
        self._count = 0

    def record(self, entry: Entry) -> None:
        """Keep an entry, in place of the oldest where there are too many."""
        entries = self._packed.setdefault(entry.account, OrderedDict())
        self._packed.move_to_end(entry.account)
        entries[entry.request_id] = _pack(entry)
        self._count += 1
        if len(entries) > NEWEST:
            self._drop_oldest(entry.account)
        elif self._count > MOST:
            self._drop_oldest(next(iter(self._packed)))
        self._bus.announce(RequestAnswered(entry))

    def first(self, asking: Asking, limit: int) -> tuple[list[Entry], int]:
        """Give the newest entries that are meant, and how many there are in all."""
        chosen = self._chosen(asking.account)
        entries = map(_unpack, _newest_first(chosen))
        if asking == Asking(account=asking.account):
            return list(islice(entries, limit)), sum(map(len, chosen))
        fitting = filter(asking.fits, entries)
        found = list(islice(fitting, limit))
        return found, len(found) + sum(1 for _ in fitting)

    def get(self, account: int | None, request_id: str) -> Entry | None:
        """Give the entry of a request, of one account only where one is named, while it is kept."""
        for entries in self._chosen(account):
            if request_id in entries:
                return _unpack(entries[request_id])
        return None

    def warn(self, account: int, request_id: str, warning: ClientWarning) -> None:
        """Add a warning to a request whose consequences brought it about, once for each code."""
        entry = self.get(account, request_id)
        if entry is not None and all(known.code is not warning.code for known in entry.warnings):
            warned = msgspec.structs.replace(entry, warnings=(*entry.warnings, warning))
            self._packed[account][request_id] = _pack(warned)
            self._bus.announce(RequestWarned(warned))

    def _chosen(self, account: int | None) -> Sequence[OrderedDict[str, bytes]]:
        if account is None:
            return list(self._packed.values())
        return [self._packed[account]] if account in self._packed else []

    def _drop_oldest(self, account: int | None) -> None:
        entries = self._packed[account]
        entries.popitem(last=False)
        self._count -= 1
        if not entries:
            del self._packed[account]

    def forget(self, account: int | None) -> int:
        """Drop an account's, or all, entries; tell how many there were."""
        count = sum(map(len, self._chosen(account)))
        self._count -= count
        if account is None:
            self._packed.clear()
        else:
            self._packed.pop(account, None)
        return count


def _newest_first(chosen: Sequence[OrderedDict[str, bytes]]) -> Iterator[bytes]:
    """Give packed entries in the order of their request ids, which grow with time."""
    merged = merge(*[reversed(entries.items()) for entries in chosen], reverse=True)
    return (packed for _, packed in merged)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Entry).decode
