"""The journal: every request of the API with its response, the newest of each account.

It is kept in memory, because a row for each request would cost more than the request.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Final

import msgspec

from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.warning import ClientWarning, WarningCode
from msgine_sandbox.services.bus import Bus, RequestAnswered, RequestWarned

MAX_PER_ACCOUNT: Final = 10_000
MAX_ENTRIES: Final = 100_000
"""Entries that are kept in all: those of the accounts that have been idle longest are dropped."""


class JournalFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to look for: all given fields must match."""

    account: int | None = None
    method: str | None = None
    path: str | None = None
    """A part of the path."""
    statuses: range | None = None
    warning: WarningCode | None = None
    since: Instant | None = None

    def matches(self, entry: JournalEntry) -> bool:
        """Return whether an entry of the account matches."""
        return (
            self.method in {None, entry.method}
            and (self.path is None or self.path in entry.path)
            and (self.statuses is None or entry.status in self.statuses)
            and (self.since is None or entry.at >= self.since)
            and (self.warning is None or any(w.code is self.warning for w in entry.warnings))
        )


class Journal:
    """Keeps entries by account; those of requests without one, such as a 401, under None."""

    def __init__(
        self, bus: Bus, *, max_per_account: int = MAX_PER_ACCOUNT, max_entries: int = MAX_ENTRIES
    ) -> None:
        self._bus = bus
        self._max_per_account = max_per_account
        self._max_entries = max_entries
        # Each entry as one byte string: as objects they would take twice the memory. The account
        # with the latest request is the last.
        self._packed: OrderedDict[int | None, OrderedDict[str, bytes]] = OrderedDict()
        self._count = 0

    def record(self, entry: JournalEntry) -> None:
        """Keep an entry, in place of the oldest where there are too many."""
        entries = self._packed.setdefault(entry.account, OrderedDict())
        self._packed.move_to_end(entry.account)
        entries[entry.request_id] = _pack(entry)
        self._count += 1
        if len(entries) > self._max_per_account:
            self._drop_oldest(entry.account)
        elif self._count > self._max_entries:
            self._drop_oldest(next(iter(self._packed)))
        self._bus.announce(RequestAnswered(entry))

    def search(self, wanted: JournalFilter, limit: int) -> tuple[list[JournalEntry], int]:
        """Return the newest entries that match, and how many match in all."""
        chosen = self._entries_of(wanted.account)
        entries = map(_unpack, _newest_first(chosen))
        if wanted == JournalFilter(account=wanted.account):
            # Without other conditions, only the entries that are returned need be unpacked.
            return list(islice(entries, limit)), sum(map(len, chosen))
        matching = filter(wanted.matches, entries)
        found = list(islice(matching, limit))
        return found, len(found) + sum(1 for _ in matching)

    def get(self, account: int | None, request_id: str) -> JournalEntry | None:
        """Return the entry of a request, for None of any account; None if it is gone."""
        for entries in self._entries_of(account):
            if request_id in entries:
                return _unpack(entries[request_id])
        return None

    def warn(self, account: int, request_id: str, warning: ClientWarning) -> None:
        """Add a warning to the entry of an earlier request, once for each code."""
        entry = self.get(account, request_id)
        if entry is not None and all(known.code is not warning.code for known in entry.warnings):
            warned = msgspec.structs.replace(entry, warnings=(*entry.warnings, warning))
            self._packed[account][request_id] = _pack(warned)
            self._bus.announce(RequestWarned(warned))

    def forget(self, account: int | None) -> int:
        """Drop the entries of an account, or all; return how many there were."""
        count = sum(map(len, self._entries_of(account)))
        self._count -= count
        if account is None:
            self._packed.clear()
        else:
            self._packed.pop(account, None)
        return count

    def _entries_of(self, account: int | None) -> Sequence[OrderedDict[str, bytes]]:
        if account is None:
            return list(self._packed.values())
        return [self._packed[account]] if account in self._packed else []

    def _drop_oldest(self, account: int | None) -> None:
        entries = self._packed[account]
        entries.popitem(last=False)
        self._count -= 1
        if not entries:
            del self._packed[account]


def _newest_first(chosen: Sequence[OrderedDict[str, bytes]]) -> Iterator[bytes]:
    """Return packed entries in the order of their request ids, which grow with time."""
    merged = merge(*[reversed(entries.items()) for entries in chosen], reverse=True)
    return (packed for _, packed in merged)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(JournalEntry).decode
