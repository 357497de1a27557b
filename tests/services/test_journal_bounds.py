"""The journal's bounds, for any sequence of requests, warnings and deletions."""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from msgine_sandbox.model.bound import Bound
from msgine_sandbox.model.ids import format_id
from msgine_sandbox.model.journal import JournalEntry, recorded
from msgine_sandbox.model.warning import ClientWarning, WarningCode
from msgine_sandbox.services.bus import Bus
from msgine_sandbox.services.journal import Journal, JournalFilter

PER_ACCOUNT, WITHOUT, IN_ALL = Bound(4, 5_000), Bound(2, 3_000), Bound(6, 8_000)
OWNERS = st.sampled_from([None, 1, 2, 3])
REQUESTS = st.tuples(st.just("record"), OWNERS, st.integers(0, 3_500))
WARNINGS = st.tuples(st.just("warn"), OWNERS, st.integers(0, 2_000))
DELETIONS = st.tuples(st.just("forget"), OWNERS, st.just(0))


def entry(request_id: str, owner: int | None, size: int) -> JournalEntry:
    return JournalEntry(
        request_id=request_id,
        account=owner,
        at=1,
        method="GET",
        path="/",
        query="",
        status=200,
        code=None,
        duration_ms=1.0,
        request=recorded([], b"x" * size),
        response=None,
    )


async def kept(journal: Journal) -> list[JournalEntry]:
    return [each async for each in journal.search(JournalFilter())][::-1]


def size_of(entries: list[JournalEntry]) -> int:
    """Return a part of the bytes that entries take: their bodies and their warnings."""
    return sum(
        len(each.request.body) + sum(len(warning.message) for warning in each.warnings)
        for each in entries
    )


@given(st.lists(st.one_of(REQUESTS, REQUESTS, WARNINGS, DELETIONS), max_size=30))
def test_the_journal_keeps_the_newest_and_never_more_than_its_bounds(
    calls: list[tuple[str, int | None, int]],
) -> None:
    journal = Journal(Bus(), per_account=PER_ACCOUNT, without_account=WITHOUT, in_all=IN_ALL)
    recorded_ids: defaultdict[int | None, list[str]] = defaultdict(list)
    for number, (call, owner, size) in enumerate(calls):
        if call == "record":
            recorded_ids[owner].append(format_id("req", number))
            journal.record(entry(recorded_ids[owner][-1], owner, size))
        elif call == "warn" and owner is not None and recorded_ids[owner]:
            warning = ClientWarning(WarningCode.WEBHOOK_SLOW, "w" * size)
            journal.warn(owner, recorded_ids[owner][-1], warning)
        elif call == "forget":
            journal.forget(owner)
            if owner is None:
                recorded_ids.clear()
            recorded_ids.pop(owner, None)
        everything = asyncio.run(kept(journal))
        assert journal.count(JournalFilter()) == len(everything) <= IN_ALL.entries
        assert size_of(everything) <= IN_ALL.size
        for each in (None, 1, 2, 3):
            own = [entry for entry in everything if entry.account == each]
            bound = WITHOUT if each is None else PER_ACCOUNT
            assert len(own) <= bound.entries
            assert size_of(own) <= bound.size
            ids = [entry.request_id for entry in own]
            assert ids == recorded_ids[each][len(recorded_ids[each]) - len(ids) :]
        if call == "record" and size < 2_000:
            assert everything[-1].request_id == format_id("req", number)
