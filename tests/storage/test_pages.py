"""Page numbers stay without gaps, whichever messages are deleted."""

import asyncio
from collections.abc import Sequence
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st
from stored_sms import ACCOUNT, sms

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Clock, Clocks, RealTime
from msgine_sandbox.storage.removal import Totals
from msgine_sandbox.storage.store import Store


def new_store() -> Store:
    clocks = Clocks(RealTime())
    clocks.of[ACCOUNT] = Clock()
    return Store(clocks)


async def add(store: Store, ids: Sequence[int]) -> None:
    async with store.write():
        for each in ids:
            await store.messages.add(sms(each))


async def delete(store: Store, ids: Sequence[int]) -> None:
    found = [await store.removal.find(each) for each in ids]
    async with store.write():
        await store.removal.delete([each for each in found if each is not None])


async def check(store: Store, ids: Sequence[int], page: int, limit: int) -> None:
    """Compare a page with the same one of a plain list."""
    start, total = await store.messages.page(ACCOUNT, Channel.SMS, page, limit)
    found, _ = await store.messages.next_of_page(ACCOUNT, Channel.SMS, start, limit)
    half = found[: limit // 2]
    if half:  # a page can be read in parts
        left, last = limit - len(half), half[-1][0]
        rest, _ = await store.messages.next_of_page(ACCOUNT, Channel.SMS, start, left, below=last)
        found = half + rest
    if (page - 1) * limit >= total:
        found = []
    newest_first = ids[::-1]
    assert total == len(ids)
    assert [message for message, _ in found] == [*newest_first[(page - 1) * limit : page * limit]]


COUNTS = st.sampled_from([1, 2, 3, 999, 1000, 1001, 1500, 2001])
ACTION = st.one_of(
    st.tuples(st.just("add"), COUNTS),
    # Every n-th message of a part that begins so far from one end.
    st.tuples(
        st.sampled_from(["oldest", "newest"]),
        st.integers(0, 2500),
        COUNTS,
        st.sampled_from([1, 2, 7, 500]),
    ),
)


def chosen(ids: Sequence[int], end: str, start: int, count: int, step: int) -> Sequence[int]:
    ordered = ids if end == "oldest" else ids[::-1]
    return ordered[start : start + count : step]


@settings(max_examples=25)
@given(st.lists(ACTION, min_size=1, max_size=8), st.sampled_from([1, 10, 100]), st.data())
def test_a_page_is_what_it_is_of_the_messages_that_are_left(
    actions: list[tuple[object, ...]], limit: int, data: st.DataObject
) -> None:
    async def act() -> None:
        with closing(new_store()) as store:
            store.enter(asyncio.get_running_loop())
            ids: list[int] = []
            latest = 0
            for action in [("add", 1200), *actions]:
                if action[0] == "add":
                    new = range(latest + 1, latest + 1 + int(action[1]))
                    await add(store, new)
                    ids, latest = [*ids, *new], new[-1]
                else:
                    gone = set(chosen(ids, *action))
                    await delete(store, [*gone])
                    ids = [each for each in ids if each not in gone]
                pages = len(ids) // limit + 2
                for page in {1, 2, pages, data.draw(st.integers(1, pages))}:
                    await check(store, ids, page, limit)
                # What is deleted before it was counted must not be subtracted.
                if data.draw(st.booleans()):
                    while await store.removal.must_count():
                        async with store.write():
                            await store.removal.count()
                    assert (await store.removal.totals()).messages == len(ids)
            await delete(store, ids)
            await check(store, [], 1, limit)
            assert await store.removal.totals() == Totals(0, 0)

    asyncio.run(act())


def test_every_page_is_right_with_every_second_message_deleted() -> None:
    async def act() -> None:
        with closing(new_store()) as store:
            store.enter(asyncio.get_running_loop())
            await add(store, range(1, 5001))
            await delete(store, range(1, 5001, 2))
            for page in range(1, 253):
                await check(store, range(2, 5001, 2), page, 10)

    asyncio.run(act())
