"""The journal: every request of the API with its response, the newest of each account.

It is kept in memory, because a row for each request would cost more than the request.
"""

from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import msgspec

from msgine_sandbox.model.bound import MEGABYTE, Bound
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.journal import JournalEntry
from msgine_sandbox.model.slices import Slices
from msgine_sandbox.model.warning import ClientWarning, WarningCode
from msgine_sandbox.services.bus import Bus, RequestAnswered, RequestWarned

PER_ACCOUNT: Final = Bound(10_000, 16 * MEGABYTE)
WITHOUT_ACCOUNT: Final = Bound(1_000, 2 * MEGABYTE)
"""Of requests that belong to no account: anybody can send them, without a credential."""
IN_ALL: Final = Bound(100_000, 32 * MEGABYTE)
"""Beyond it, the accounts that have been idle longest lose their oldest entries first."""
_OVERHEAD: Final = 300
"""Bytes that an entry takes besides its content: its key, two objects, its place in the order."""


class RequestOutcome(StrEnum):
    """What became of a request, as its client sees it."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class JournalFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries to look for: all given fields must match."""

    account: int | None = None
    method: str | None = None
    path: str | None = None
    """A part of the path."""
    statuses: range | None = None
    outcome: RequestOutcome | None = None
    warning: WarningCode | None = None
    since: Instant | None = None
    before: str | None = None
    """Only requests that came before the one with this id, whether it is kept or not."""

    def matches(self, entry: JournalEntry) -> bool:
        """Return whether an entry of the account matches."""
        return (
            self.method in {None, entry.method}
            and (self.path is None or self.path in entry.path)
            and (self.statuses is None or entry.status in self.statuses)
            and self.outcome in {None, outcome_of(entry)}
            and (self.since is None or entry.at >= self.since)
            and (self.warning is None or any(w.code is self.warning for w in entry.warnings))
        )


def outcome_of(entry: JournalEntry) -> RequestOutcome:
    """Return what became of a request: refused, if it was answered with an error or not at all."""
    is_refused = entry.status is None or entry.status >= HTTPStatus.BAD_REQUEST
    return RequestOutcome.REFUSED if is_refused else RequestOutcome.ACCEPTED


class Journal:
    """Keeps entries by account; those of requests without one, such as a 401, under None."""

    def __init__(
        self,
        bus: Bus,
        *,
        per_account: Bound = PER_ACCOUNT,
        without_account: Bound = WITHOUT_ACCOUNT,
        in_all: Bound = IN_ALL,
    ) -> None:
        self._bus = bus
        self._per_account = per_account
        self._without_account = without_account
        self._in_all = in_all
        # The account with the latest request is the last.
        self._kept: OrderedDict[int | None, _Entries] = OrderedDict()
        self._count = 0
        self._size = 0
        self._buffer = bytearray()
        """In which an entry is packed; not shared with other sandboxes, which may be in threads."""
        self._dropped: Counter[int | None] = Counter()
        self.statuses: Counter[int | None] = Counter()
        """How many requests were answered with each status, those that are gone included."""

    def record(self, entry: JournalEntry) -> None:
        """Keep an entry, in place of the oldest where there is too much."""
        self._keep(entry)
        self.statuses[entry.status] += 1
        self._bus.announce(RequestAnswered(entry))

    async def oldest_first(self, account: int | None) -> AsyncIterator[JournalEntry]:
        """Return the entries of an account, or of one account after the other, by request id."""
        slices = Slices()
        for owner in list(self._kept) if account is None else [account]:
            entries = self._kept.get(owner)  # they may be gone by now
            for _, packed in sorted(entries.packed.items()) if entries is not None else ():
                yield _unpack(packed)
                await slices.pause()

    def dropped(self, account: int | None) -> int:
        """Return how many entries of an account, or of all, were dropped for newer ones."""
        return self._dropped.total() if account is None else self._dropped[account]

    async def search(self, wanted: JournalFilter) -> AsyncIterator[JournalEntry]:
        """Return the entries that match, newest first, as they are when the search begins."""
        slices = Slices()
        for packed in self._newest_first(wanted):
            entry = _unpack(packed)
            if wanted.matches(entry):
                yield entry
            await slices.pause()

    def count(self, wanted: JournalFilter) -> int | None:
        """Return how many entries match, or None where that takes a search."""
        if wanted == JournalFilter(account=wanted.account):
            return sum(len(each.packed) for each in self._entries_of(wanted.account))
        if wanted == JournalFilter(account=wanted.account, before=wanted.before):
            return len(self._newest_first(wanted))
        return None

    def get(self, account: int | None, request_id: str) -> JournalEntry | None:
        """Return the entry of a request, for None of any account; None if it is gone."""
        for entries in self._entries_of(account):
            if request_id in entries.packed:
                return _unpack(entries.packed[request_id])
        return None

    def entry_of(self, owner: int | None, request_id: str) -> JournalEntry | None:
        """Return the entry of a request of an account, or of none; None if it is gone."""
        packed = self._packed(owner, request_id)
        return None if packed is None else _unpack(packed)

    def warnings_of(self, owner: int, request_id: str) -> Sequence[ClientWarning]:
        """Return the warnings of a request of an account; none if it is gone."""
        packed = self._packed(owner, request_id)
        return () if packed is None else _unpack_beginning(packed).warnings

    def _packed(self, owner: int | None, request_id: str) -> bytes | None:
        entries = self._kept.get(owner)
        return None if entries is None else entries.packed.get(request_id)

    def warn(self, account: int, request_id: str, warning: ClientWarning) -> None:
        """Add a warning to the entry of an earlier request, once for each code."""
        # First without unpacking the entry: of a receiver that fails, each webhook of a message
        # warns, and all but the first in vain.
        if any(known.code is warning.code for known in self.warnings_of(account, request_id)):
            return
        entry = self.entry_of(account, request_id)
        if entry is not None:
            warned = msgspec.structs.replace(entry, warnings=[*entry.warnings, warning])
            self._keep(warned)
            self._bus.announce(RequestWarned(warned))

    def forget(self, account: int | None) -> int:
        """Drop the entries of an account, or all; return how many there were."""
        dropped = self._entries_of(account)
        count = sum(len(entries.packed) for entries in dropped)
        self._count -= count
        self._size -= sum(entries.size for entries in dropped)
        if account is None:
            self._kept.clear()
            self._dropped.clear()
        else:
            self._kept.pop(account, None)
            self._dropped.pop(account, None)
        return count

    def _entries_of(self, account: int | None) -> Sequence["_Entries"]:
        if account is None:
            return list(self._kept.values())
        return [self._kept[account]] if account in self._kept else []

    def _newest_first(self, wanted: JournalFilter) -> Sequence[bytes]:
        """Return packed entries in the order of their request ids, which grow with time."""
        # A copy, because entries are added and dropped while a search pauses. Sorted, because a
        # request that took long is kept after those that came later.
        kept = [
            item
            for entries in self._entries_of(wanted.account)
            for item in entries.packed.items()
            if wanted.before is None or item[0] < wanted.before
        ]
        return [packed for _, packed in sorted(kept, reverse=True)]

    def _keep(self, entry: JournalEntry) -> None:
        account, request_id = entry.account, entry.request_id
        # `encode` grows its result in steps and cuts it at the end; malloc cannot use the pieces
        # that are cut off, which would be a quarter of the memory.
        _encode_into(entry, self._buffer)
        packed = bytes(self._buffer)
        entries = self._kept.get(account)
        if entries is None:
            entries = self._kept[account] = _Entries()
        growth = len(packed) + _OVERHEAD
        replaced = entries.packed.get(request_id)
        if replaced is None:
            self._count += 1
            self._kept.move_to_end(account)
        else:
            growth -= len(replaced) + _OVERHEAD
        entries.packed[request_id] = packed
        entries.size += growth
        self._size += growth
        bound = self._without_account if account is None else self._per_account
        while len(entries.packed) > bound.entries or entries.size > bound.size:
            self._drop_oldest(account)
        while self._count > self._in_all.entries or self._size > self._in_all.size:
            self._drop_oldest(next(iter(self._kept)))

    def _drop_oldest(self, account: int | None) -> None:
        entries = self._kept[account]
        _, packed = entries.packed.popitem(last=False)
        entries.size -= len(packed) + _OVERHEAD
        self._size -= len(packed) + _OVERHEAD
        self._count -= 1
        self._dropped[account] += 1
        if not entries.packed:
            del self._kept[account]


class _Beginning(msgspec.Struct, frozen=True, array_like=True):
    """An entry as far as its warnings, which takes a sixth of the time of unpacking all of it."""

    warnings: Sequence[ClientWarning]


class _Entries:
    """The entries of one account, the oldest first, and the bytes that they take."""

    def __init__(self) -> None:
        # Each entry as one byte string: as objects they would take twice the memory.
        self.packed: OrderedDict[str, bytes] = OrderedDict()
        self.size = 0


_encode_into = msgspec.msgpack.Encoder().encode_into
_unpack = msgspec.msgpack.Decoder(JournalEntry).decode
_unpack_beginning = msgspec.msgpack.Decoder(_Beginning).decode
