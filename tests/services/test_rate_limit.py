"""100 requests a minute and 20 a second: exact on the account's clock."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from box import Box, sandbox
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Hanging, Receiver
from sync_box import SyncBox, sync_sandbox

from msgine_sandbox.model.account import TIERS, Account, Limits
from msgine_sandbox.model.choices import Tier
from msgine_sandbox.model.clock import SECOND, RealTime
from msgine_sandbox.services.rate_limit import RateLimit

TEN_YEARS = 3653 * 24 * 3600


async def fill(box: Box, count: int, per_second: int = 20) -> None:
    """Use up so many requests, a second's allowance at a time, on a frozen clock."""
    for sent in range(count):
        if sent and sent % per_second == 0:
            await box.advance(seconds=1)
        assert (await box.send()).status_code == 201


async def test_the_hundred_and_first_in_a_minute_is_accepted_exactly_after_retry_after(
    box: Box,
) -> None:
    await box.freeze()
    await fill(box, 100)
    refused = await box.send()
    assert refused.status_code == 429
    assert refused.json()["error"] == {
        "code": "rate_limit_exceeded",
        "message": "Too many requests. Please try again later.",
        "retryAfter": 56,  # the first twenty came four seconds ago
        "details": {
            "clock": "frozen",
            "reason": "The account's clock is frozen, so waiting in real time does not help:"
            " advance it by 56 s, or resume it.",
        },
    }
    assert refused.headers["retry-after"] == "56"
    await box.advance(seconds=55.999)
    assert (await box.send()).status_code == 429
    await box.advance(seconds=0.001)
    assert (await box.send()).status_code == 201


async def test_the_twenty_first_in_a_second_waits_a_second(box: Box) -> None:
    await box.freeze()
    await fill(box, 20)
    refused = await box.send()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    await box.advance(seconds=0.999)
    assert (await box.send()).status_code == 429
    await box.advance(seconds=0.001)
    assert (await box.send()).status_code == 201


async def test_a_refused_request_does_not_count(box: Box) -> None:
    await box.freeze()
    await fill(box, 20)
    for _ in range(30):
        assert (await box.send()).status_code == 429
    await box.advance(seconds=1)
    assert (await box.send()).headers["x-ratelimit-remaining"] == "79"


async def test_every_authenticated_request_counts(box: Box) -> None:
    await box.freeze()
    await box.send("not a number")
    await box.call("GET", "/api/v1/messages")
    await box.call("GET", "/api/v1/nowhere")
    first = await box.send(key="k")
    assert first.headers["x-ratelimit-remaining"] == "96"
    assert (await box.send(key="k")).headers["x-ratelimit-remaining"] == "95"


# Where the clock stands


async def test_a_429_on_a_running_clock_says_only_how_long_to_wait(box: Box) -> None:
    await box.control("PATCH", "/account", {"limits": {"perMinute": 1}})
    assert await box.statuses(1) == [201]
    error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
    assert error.keys() == {"code", "message", "retryAfter"}
    [entry, _] = (await box.get("/_sandbox/requests"))["data"]
    assert entry["decisions"][1].keys() == {"by", "outcome", "limit", "remaining", "retryAfter"}


async def test_the_journal_says_why_waiting_does_not_help(box: Box) -> None:
    await box.freeze()
    await fill(box, 20)
    error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
    [entry, *_] = (await box.get("/_sandbox/requests", limit=1))["data"]
    [window] = [each for each in entry["decisions"] if each["by"] == "window"]
    assert window["reason"] == error["details"]["reason"]
    assert "advance it by 1 s, or resume it" in window["reason"]


async def test_what_a_429_on_a_frozen_clock_advises_helps(box: Box) -> None:
    await box.freeze()
    await fill(box, 20)
    error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
    await box.advance(seconds=error["retryAfter"])
    assert await box.statuses(20) == [201] * 20
    assert (await box.send()).json()["error"]["details"]["clock"] == "frozen"
    await box.control("POST", "/clock/resume")
    await box.advance(seconds=1)
    assert (await box.send()).status_code == 201


async def test_a_429_to_who_is_called_while_the_clock_is_moved_says_so(receiver: Receiver) -> None:
    async with sandbox(delivery="auto") as box:
        hanging = Hanging(asyncio.Event(), asyncio.Event())
        receiver.answers = [hanging]
        await box.accepted(callbackUrl=receiver.url)
        move = asyncio.create_task(box.advance(seconds=2))
        await hanging.reached.wait()
        statuses = await box.statuses(21)
        error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
        hanging.let_go.set()
        await move
        assert statuses[-1] == 429
        assert error["details"]["clock"] == "moving"
        assert "after the call that advances" in error["details"]["reason"]
        await box.advance(seconds=1)
        assert (await box.send()).status_code == 201


async def test_a_429_at_the_end_of_time_says_that_only_a_reset_helps(box: Box) -> None:
    for _ in range(798):
        answer = await box.call("POST", "/_sandbox/clock/advance", json={"seconds": TEN_YEARS})
        if answer.status_code == 400:
            break
    await box.control("POST", "/clock/advance", {"to": "9999-12-31T23:59:59Z"})
    assert await box.statuses(21) == [201] * 20 + [429]
    error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
    assert error["details"]["clock"] == "ended"
    await box.control("POST", "/reset")
    assert (await box.send()).status_code == 201


async def test_a_fault_that_answers_429_does_not_speak_of_the_clock(box: Box) -> None:
    await box.freeze()
    await box.add_fault({"status": 429}, times=1)
    error = assert_refused(await box.send(), 429, "rate_limit_exceeded")
    assert "details" not in error  # the next request succeeds, whatever the clock shows


# The headers


async def test_every_answer_says_what_is_left(box: Box) -> None:
    await box.freeze()
    answer = await box.send()
    assert answer.headers["x-ratelimit-limit"] == "100"
    assert answer.headers["x-ratelimit-remaining"] == "99"
    again = await box.send("not a number")
    assert again.status_code == 400
    assert again.headers["x-ratelimit-remaining"] == "98"


async def test_the_reset_is_in_real_time_after_an_advance(box: Box) -> None:
    before = await box.send()
    await box.advance(hours=1000)
    after = await box.send()
    drift = int(after.headers["x-ratelimit-reset"]) - int(before.headers["x-ratelimit-reset"])
    assert 0 <= drift < 3600


@pytest.mark.parametrize(
    ("token", "per_minute", "per_second"),
    [
        ("test_free_a", 60, 10),
        ("anything", 100, 20),
        ("test_professional_a", 500, 50),
    ],
)
async def test_a_tier_has_its_own_windows(
    box: Box, token: str, per_minute: int, per_second: int
) -> None:
    mine = box.other(token)
    await mine.freeze()
    await fill(mine, per_minute, per_second)
    refused = await mine.send()
    assert (refused.status_code, refused.headers["x-ratelimit-limit"]) == (429, str(per_minute))


async def test_an_unlimited_token_is_never_refused(box: Box) -> None:
    mine = box.other("test_unlimited_a")
    await mine.freeze()
    await fill(mine, 700, per_second=1000)


async def test_two_tokens_do_not_share_a_window() -> None:
    async with sandbox() as box:
        await box.freeze()
        await fill(box, 20)
        assert (await box.send()).status_code == 429
        assert (await box.other().send()).status_code == 201


async def test_the_tier_of_an_account_can_be_changed(box: Box) -> None:
    await box.freeze()
    await fill(box, 20)
    assert (await box.send()).status_code == 429
    await box.control("PATCH", "/account", {"tier": "professional"})
    assert (await box.send()).status_code == 201
    await box.control("PATCH", "/account", {"limits": {"perMinute": 5}})
    assert (await box.send()).headers["retry-after"] == "60"


class Oracle:
    """The rule in plain words: a list of when requests came, counted anew for each."""

    def __init__(self, limits: Limits) -> None:
        self.windows = [(limits.per_minute, 60 * SECOND), (limits.per_second, SECOND)]
        self.came: deque[int] = deque()

    def admits(self, now: int) -> bool:
        fine = all(
            sum(now - came < width for came in self.came) < limit for limit, width in self.windows
        )
        if fine:
            self.came.append(now)
        return fine

    def wait(self, now: int) -> int:
        """The least number of microseconds after which it would let one in."""
        candidates = sorted({came + width - now for came in self.came for _, width in self.windows})
        for wait in candidates:
            later = now + wait
            if wait > 0 and all(
                sum(later - came < width for came in self.came) < limit
                for limit, width in self.windows
            ):
                return wait
        raise AssertionError("it never lets one in")


@contextmanager
def at_a_real_time(microseconds: int) -> Iterator[tuple[SyncBox, list[int]]]:
    """A sandbox whose real time stands at what the list has, until the test changes it."""
    now = [microseconds]
    with pytest.MonkeyPatch.context() as patch:

        def nanoseconds() -> int:
            return now[0] * 1000

        patch.setattr("msgine_sandbox.sandbox.RealTime", lambda: RealTime(nanoseconds, nanoseconds))
        with sync_sandbox() as sync:
            yield sync, now


@settings(max_examples=40)
@given(
    start=st.integers(0, 2 * SECOND),
    ahead=st.integers(0, 10 * SECOND),
    gaps=st.lists(st.sampled_from([0, 1, 7, SECOND // 2, 20 * SECOND, 60 * SECOND]), max_size=12),
)
@example(start=1, ahead=0, gaps=[SECOND - 1] * 3)
@example(start=SECOND - 1, ahead=1, gaps=[1, 1])
def test_the_reset_is_one_second_for_as_long_as_a_request_is_the_oldest(
    start: int, ahead: int, gaps: list[int]
) -> None:
    with at_a_real_time(1_800_000_000 * SECOND + start) as (sync, now):
        sync.run(sync.box.control("PATCH", "/account", {"limits": {"perMinute": 3}}))
        sync.run(sync.box.advance(seconds=ahead / SECOND))
        counted: deque[int] = deque()
        for gap in [0, *gaps]:
            now[0] += gap
            while counted and counted[0] <= now[0] - 60 * SECOND:
                counted.popleft()
            answer = sync.run(sync.box.send())
            if answer.status_code == 201:
                counted.append(now[0])
            free = counted[0] + 60 * SECOND  # when the oldest stops counting
            assert int(answer.headers["x-ratelimit-reset"]) == -(-free // SECOND)
            if answer.status_code == 429:
                wait = int(answer.headers["retry-after"])
                assert 0 <= now[0] + wait * SECOND - free < SECOND


gaps = st.one_of(
    st.sampled_from([0, 1, SECOND - 1, SECOND, SECOND + 1, 60 * SECOND - 1, 60 * SECOND]),
    st.integers(0, 70 * SECOND),
    st.integers(0, SECOND // 10),
)


@given(
    gaps=st.lists(gaps, min_size=1, max_size=120),
    limits=st.builds(Limits, st.integers(1, 12), st.integers(1, 5)),
)
def test_the_windows_agree_with_a_plain_list_of_requests(gaps: list[int], limits: Limits) -> None:
    account = Account(id=1, token_hint="", magic="", tier=Tier.STARTER, limits=limits)
    rate_limit, oracle, now = RateLimit(), Oracle(limits), 1_800_000_000 * SECOND
    for gap in gaps:
        now += gap
        admission = rate_limit.admit(account, now)
        assert (admission.retry_after is None) == oracle.admits(now)
        if admission.retry_after is not None:
            assert admission.retry_after == -(-oracle.wait(now) // SECOND)


@given(st.sampled_from([Tier.FREE, Tier.STARTER, Tier.PROFESSIONAL]), st.integers(0, 10**7))
def test_a_request_after_retry_after_is_accepted(tier: Tier, gap: int) -> None:
    account = Account(id=1, token_hint="", magic="", tier=tier, limits=TIERS[tier])
    rate_limit, now = RateLimit(), 1_800_000_000 * SECOND
    while (admission := rate_limit.admit(account, now)).retry_after is None:
        now += gap // 100
        if gap > 6_000_000:
            return  # so slow that it is never refused
    assert rate_limit.admit(account, now + admission.retry_after * SECOND).retry_after is None
