"""Searches find and count what a plain filter over all messages finds."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from box import Box, boxed
from hypothesis import given, settings
from hypothesis import strategies as st
from iterations import iterations
from msgspec.structs import replace
from sync_box import sync_sandbox

from msgine_sandbox.model.clock import FOREVER, Clock, Clocks, RealTime
from msgine_sandbox.model.delivery import Status
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.sandbox import Bounds, Sandbox
from msgine_sandbox.settings import Settings
from msgine_sandbox.storage.columns import Row
from msgine_sandbox.storage.filter import Filter
from msgine_sandbox.storage.searches import MOST_COUNTED, Subset
from msgine_sandbox.storage.store import Store

STATUSES = ["queued", "pending", "sent", "delivered", "failed"]
NUMBERS = ["+256701234567", "+256700000001", "+256700000002", "+256700000003", "+256700000005"]
TEXTS = [
    "Hello",
    "Your CODE is 12",
    "your code",
    "Bye 100%",
    "a_b\0code",
    "Énkya 1+1 of a long TEXT",
]

SENDS = st.tuples(
    st.just("send"),
    st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3, unique=True),
    st.sampled_from(TEXTS),
)
ACTIONS = st.one_of(
    SENDS,
    SENDS,
    st.tuples(st.just("schedule"), st.sampled_from(NUMBERS), st.sampled_from(TEXTS)),
    st.tuples(st.just("mail"), st.sampled_from(TEXTS[:4])),
    st.tuples(st.just("advance"), st.sampled_from([0.6, 3.0, 7200.0])),
    st.tuples(
        st.integers(0, 9),
        st.just("POST"),
        st.just("/status"),
        st.builds(dict, status=st.sampled_from(STATUSES)),
    ),
    st.tuples(st.integers(0, 9), st.just("DELETE"), st.just(""), st.none()),
    st.tuples(
        st.just("call"),
        st.just("POST"),
        st.sampled_from(["/clock/freeze", "/clock/resume"]),
        st.none(),
    ),
)


async def act(box: Box, action: tuple[Any, ...]) -> None:
    match action:
        case "send", to, text:
            await box.accepted(to, text)
        case "schedule", to, text:
            body = {"to": to, "message": text, "scheduledFor": "2099-01-01T00:00:00Z"}
            await box.developers("POST", "/sms", body)
        case "mail", text:
            body = {"from": "a@b.example", "to": "c@d.example", "subject": text, "text": "Mail"}
            await box.developers("POST", "/email", body)
        case "advance", seconds:
            await box.advance(seconds=seconds)
        case "call", method, path, body:
            await box.call(method, f"/_sandbox{path}", json=body)
        case number, *call:
            for message in (await box.message_ids())[number : number + 1]:
                method, path, body = call
                # The lifecycle may refuse a status.
                await box.call(method, f"/_sandbox/messages/{message}{path}", json=body)


def lower(text: str) -> str:
    return text.encode().lower().decode()  # letters of ASCII only


def shows(message: dict[str, Any], query: dict[str, str]) -> bool:
    """Whether a message, as a list shows it, is one that a query is about."""
    title = message.get("subject") or message.get("title")
    content = f"{title} {message['message']}" if title else message["message"]
    statuses = {each["to"]: each["status"] for each in message["recipients"]}
    to, status = query.get("to"), query.get("status")
    anywhere = "\n".join([message["message"], title or "", message["from"], *statuses])
    return (
        query.get("channel", message["channel"]) == message["channel"]
        and (to is None or to in statuses)
        and (status is None or status == (statuses[to] if to else message["status"]))
        and query.get("contains", "") in content
        and lower(query.get("q", "")) in lower(anywhere)
        and message["id"] < query.get("before", "msg_z")
        and message["createdAt"] >= query.get("since", "")
    )


QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(STATUSES),
        "channel": st.sampled_from(["sms", "email", "push"]),
        "to": st.sampled_from(NUMBERS),
        "contains": st.sampled_from(["code", "CODE", "%", "H"]),
        "q": st.sampled_from(
            [
                "code",
                "2567",
                "100%",
                "mail",
                "a_b",
                "%",
                "B\0C",
                "Énkya",
                "énkya",
                "1+1",
                "12 msgine",
                "Énkya 1+1 of a long text",
                "Énkya 1 1",
                "Énkya 1+1 of a long test",
            ]
        ),
    },
)


@settings(max_examples=40)  # each is many calls
@given(
    st.lists(ACTIONS, min_size=1, max_size=12),
    st.lists(st.tuples(QUERIES, st.integers(0, 9), st.booleans()), min_size=3, max_size=8),
)
def test_a_search_finds_and_counts_what_a_plain_filter_does(
    actions: list[tuple[Any, ...]], queries: list[tuple[dict[str, str], int, bool]]
) -> None:
    with sync_sandbox(delivery="auto") as sync:
        box, run = sync.box, sync.run
        other = box.other()
        run(box.control("POST", "/clock/freeze"))
        run(other.control("POST", "/clock/freeze"))
        run(other.accepted("+256700000002", "Your code"))
        run(other.advance(seconds=1))
        for action in actions:
            run(act(box, action))
        run(box.control("POST", "/clock/freeze"))  # or statuses would begin between two searches
        for asked in (box, box.anonymous):
            shown = run(asked.get("/_sandbox/messages"))["data"]
            for filters, place, is_older in queries:
                query = dict(filters)
                if shown:
                    chosen = shown[place % len(shown)]
                    query |= {"before": chosen["id"]} if is_older else {}
                    query |= {"since": chosen["createdAt"]} if place % 3 == 1 else {}
                expected = [each["id"] for each in shown if shows(each, query)]
                for limit in (1, 1000):
                    found = run(asked.get("/_sandbox/messages", limit=limit, **query))
                    assert [each["id"] for each in found["data"]] == expected[:limit], query
                    assert (found["total"], found.keys()) == (len(expected), {"data", "total"})
                params = query | {"timeout": "0"}
                waited = run(asked.call("GET", "/_sandbox/messages/wait", params=params)).json()
                assert waited.get("id") == (expected[0] if expected else None), query


@asynccontextmanager
async def filled(*groups: tuple[int, str, float], **bounds: float) -> AsyncIterator[Box]:
    """A sandbox with groups of messages: how many, to which number, and seconds since then."""
    built = Sandbox(Settings(tier="unlimited"), bounds=Bounds(**bounds))
    async with boxed(built) as box:
        await box.freeze()
        for count, to, seconds in groups:
            sent = await box.accepted(to)
            await box.advance(seconds=seconds)
            message = await built.store.messages.get(parse_id("msg", sent["id"]) or 0)
            assert message is not None
            async with built.store.write():
                for number in range(1, count):
                    await built.store.messages.add(replace(message, id=message.id + number))
        yield box


NUMBER, FAILING = NUMBERS[0], NUMBERS[1]
MANY = MOST_COUNTED + 600  # more than are compared with an expression at once after that


@pytest.mark.parametrize(
    "query", [{"status": "failed"}, {"q": "hello"}, {"contains": "Hello"}, {"matches": "^H"}]
)
@pytest.mark.parametrize("limit", [1, 1000])
async def test_more_than_a_thousand_matches_are_said_to_be_so_many_at_least(
    query: dict[str, str], limit: int
) -> None:
    async with filled((MANY, FAILING, 10)) as box:
        found = await box.get("/_sandbox/messages", view="summary", limit=limit, **query)
        newest = await box.message_ids(view="summary", limit=limit)
        assert [each["id"] for each in found["data"]] == newest
        assert (found["total"], found["totalIsMinimum"]) == (MOST_COUNTED, True)


async def test_a_thousand_matches_are_counted_exactly() -> None:
    async with filled((MOST_COUNTED, FAILING, 10), (3, NUMBER, 10)) as box:
        for query in ({"status": "failed"}, {"to": FAILING}):
            found = await box.get("/_sandbox/messages", limit=1, **query)
            assert (found["total"], "totalIsMinimum" in found) == (MOST_COUNTED, False)


async def test_the_inbox_and_a_channel_are_counted_exactly() -> None:
    async with filled((MANY, NUMBER, 10)) as box:
        await box.other().accepted()
        page = await box.get("/_sandbox/messages", limit=2)
        older = await box.get("/_sandbox/messages", limit=2, before=page["data"][-1]["id"])
        channel = await box.get("/_sandbox/messages", limit=2, channel="sms")
        every = await box.anonymous.get("/_sandbox/messages", limit=2)
        totals = [each["total"] for each in (page, older, channel, every)]
        assert totals == [MANY, MANY - 2, MANY, MANY + 1]
        assert all("totalIsMinimum" not in each for each in (page, older, channel, every))


async def test_counting_ends_with_the_page_once_many_were_looked_at() -> None:
    groups = [(2, FAILING, 10), (40, NUMBER, 10), (2, FAILING, 10)]
    async with filled(*groups, looked_at=20, looked_at_together=1) as box:
        found = await box.get("/_sandbox/messages", limit=2, to=FAILING)
        assert (found["total"], found["totalIsMinimum"], len(found["data"])) == (2, True, 2)
        found = await box.get("/_sandbox/messages", limit=3, to=FAILING)
        assert (found["total"], found["totalIsMinimum"], len(found["data"])) == (3, True, 3)
        found = await box.get("/_sandbox/messages", limit=5, to=FAILING)
        assert (found["total"], "totalIsMinimum" in found, len(found["data"])) == (4, False, 4)


async def test_a_search_by_status_does_not_look_at_what_was_delivered() -> None:
    groups = [(1, FAILING, 10), (MANY, NUMBER, 10), (1, NUMBERS[4], 10)]
    async with filled(*groups, slice_seconds=0, looked_at_together=1) as box:
        for status, count in (("failed", 1), ("sent", 1), ("queued", 0)):
            search = box.get("/_sandbox/messages", status=status)
            passed, found = await iterations(search)
            assert (found["total"], len(found["data"])) == (count, count), status
            assert passed < MANY


async def test_a_search_by_status_finds_all_among_very_many_under_way() -> None:
    groups = [(2, FAILING, 10), (2100, NUMBERS[3], 0), (2, FAILING, 0.6), (1, NUMBERS[4], 0.6)]
    async with filled(*groups) as box:
        for status, count in (("failed", 2), ("sent", 3), ("delivered", 0)):
            assert len(await box.message_ids(status=status)) == count, status


class Plans:
    """Which indexes lead to the messages of a search, in the words of SQLite."""

    def __init__(self, store: Store) -> None:
        self._plans: list[str] = []
        self._execute = store.database.execute
        store.database.execute = self._explained  # type: ignore[method-assign]

    def of(self, search: Callable[[], object]) -> list[str]:
        self._plans.clear()
        search()
        # A search that sorts looks at all before the first row comes.
        assert not any("ORDER BY" in plan for plan in self._plans)
        return [plan.split(" USING ")[1] for plan in self._plans if " messages USING " in plan]

    def _explained(self, sql: str, row: Row = ()) -> sqlite3.Cursor:
        self._plans += [plan[3] for plan in self._execute(f"EXPLAIN QUERY PLAN {sql}", row)]
        return self._execute(sql, row)


BY_ACCOUNT = "INDEX messages_by_account (account=? AND rowid<?)"


async def test_every_search_is_led_by_the_index_that_is_meant_for_it() -> None:
    clocks = Clocks(RealTime())
    clocks.of |= {1: Clock(), 2: Clock()}
    with closing(Store(clocks)) as store:
        led_by = Plans(store).of
        searches, failed = store.searches, Filter(account=1, status=Status.FAILED)
        by_id = "INTEGER PRIMARY KEY (rowid=?)"
        for wanted in (Filter(account=1, status=Status.FAILED, to=[NUMBER]), Filter(before=5)):
            assert led_by(lambda: searches.matching(wanted, [1, 2])) == [by_id]  # noqa: B023
            some = Subset(ids=[1, 2])
            assert led_by(lambda: searches.scan(wanted, some, 9, every=1)) == [by_id]  # noqa: B023
        under_way, ended = searches.subsets(failed, with_count=False)
        assert (under_way.ids, ended.ids) == ([], None)
        by_status = "INDEX messages_by_status (account=? AND end_status=? AND rowid<?)"
        assert led_by(lambda: searches.scan(failed, ended, 9, every=1)) == [by_status]
        assert led_by(lambda: searches.scan(failed, Subset(), 9, every=1)) == [BY_ACCOUNT]
        assert led_by(lambda: searches.subsets(failed, with_count=True)) == [
            "COVERING INDEX messages_by_end (account=? AND ends_at>?)",
            "INDEX messages_by_end (account=? AND ends_at>?)",
            "COVERING INDEX messages_by_status (account=? AND end_status=? AND rowid<?)",
        ]


async def test_a_search_reads_the_table_in_its_order_where_there_is_one_account() -> None:
    built = Sandbox(Settings())
    async with boxed(built) as box:
        await box.accepted()
        searches, led_by = built.store.searches, Plans(built.store).of
        account = built.accounts.ids(None)[0]

        def search() -> Collection[object]:
            return list(searches.scan(Filter(account=account), Subset(), FOREVER, every=1))

        assert led_by(search) == ["INTEGER PRIMARY KEY (rowid<?)"]
        assert len(search()) == 1
        await box.other().accepted()
        assert led_by(search) == [BY_ACCOUNT]
