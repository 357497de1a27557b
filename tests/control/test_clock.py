"""Clocks: an account's, and those of the whole sandbox."""

from datetime import datetime, timedelta

import pytest
from box import NUMBER, Box, boxed, sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Receiver

from msgine_sandbox.model.clock import FOREVER, LATEST, SECOND, Clock
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

TEN_YEARS = 3653 * 86_400


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_new_clock_is_the_real_one(box: Box) -> None:
    clock = await box.get("/_sandbox/clock")
    assert clock.keys() == {"now", "realNow", "frozen", "aheadSeconds", "next"}
    assert clock["frozen"] is False
    assert clock["aheadSeconds"] == pytest.approx(0, abs=0.01)


async def test_a_running_clock_is_ahead_by_exactly_what_it_was_advanced(box: Box) -> None:
    for seconds, ahead in [(1, 1), (86_400, 86_401), (0.5, 86_401.5)]:
        assert (await box.advance(seconds=seconds))["aheadSeconds"] == ahead
    assert (await box.get("/_sandbox/clock"))["aheadSeconds"] == 86_401.5


async def test_a_frozen_clock_stands_until_it_is_advanced(box: Box) -> None:
    frozen = await box.freeze()
    assert frozen["frozen"] is True
    assert (await box.get("/_sandbox/clock"))["now"] == frozen["now"]
    advanced = await box.advance(seconds=0.000001)
    assert parse_time(advanced["now"]) - parse_time(frozen["now"]) == timedelta(microseconds=1)
    assert advanced["performed"] == 0
    assert (await box.freeze())["now"] == advanced["now"]


async def test_a_resumed_clock_runs_on_from_where_it_stood(box: Box) -> None:
    await box.freeze()
    advanced = await box.advance(days=400)
    resumed = await box.control("POST", "/clock/resume")
    assert resumed["frozen"] is False
    assert (
        timedelta(0)
        <= parse_time(resumed["now"]) - parse_time(advanced["now"])
        < timedelta(hours=1)
    )
    assert parse_time((await box.get("/_sandbox/clock"))["now"]) > parse_time(resumed["now"])
    assert (await box.control("POST", "/clock/resume"))["aheadSeconds"] > 399 * 86_400


@pytest.mark.parametrize("together", [1, 2, 3, 100])
async def test_statuses_are_counted_completely_however_many_end_together(
    monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr("msgine_sandbox.storage.messages.BEGUN_TOGETHER", together)
    async with sandbox(tier="unlimited") as box:
        await box.freeze()
        for to, count in [(NUMBER, 3), ([NUMBER, "+256700000004"], 2), ("+256700000005", 2)]:
            for _ in range(count):
                await box.accepted(to)
        assert (await box.advance(seconds=1))["performed"] == 9  # sent
        await box.accepted()
        assert (await box.advance(seconds=1.5))["performed"] == 6  # five delivered, one sent
        assert (await box.advance(hours=2))["performed"] == 3


async def test_planned_steps_are_performed_after_the_clock_is_resumed() -> None:
    async with sandbox(sent_after=1800, delivered_after=5400) as box:
        await box.freeze()
        message = await box.accepted()
        assert (await box.advance(hours=1))["performed"] == 1
        assert (await box.read(message))["status"] == "sent"
        await box.control("POST", "/clock/resume")
        assert (await box.advance(hours=1))["performed"] == 1
        assert (await box.read(message))["status"] == "delivered"


async def test_a_clock_is_advanced_to_an_instant(box: Box) -> None:
    frozen = await box.freeze()
    await box.accepted()
    to = parse_time(frozen["now"]) + timedelta(days=1)
    answer = await box.control("POST", "/clock/advance", {"to": to.isoformat()})
    assert parse_time(answer["now"]) == to
    assert answer["performed"] == 2
    again = await box.control("POST", "/clock/advance", {"to": to.isoformat()})
    assert (parse_time(again["now"]), again["performed"]) == (to, 0)


async def test_a_clock_never_goes_back(box: Box) -> None:
    before = await box.freeze()
    past = (parse_time(before["now"]) - timedelta(microseconds=1)).isoformat()
    for body, field in [({"seconds": -0.001}, "seconds"), ({"to": past}, "to")]:
        error = await box.control_error("POST", "/clock/advance", body)
        assert error["details"]["field"] == field
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


async def test_a_clock_goes_ten_years_at_once_and_no_farther(box: Box) -> None:
    before = await box.freeze()
    beyond = parse_time(before["now"]) + timedelta(seconds=TEN_YEARS, microseconds=1)
    for body, field in [
        ({"seconds": TEN_YEARS + 0.001}, "seconds"),
        ({"seconds": 1e300}, "seconds"),
        ({"to": beyond.isoformat()}, "to"),
        ({"to": "9999-12-31T23:59:59.999999Z"}, "to"),
    ]:
        error = await box.control_error("POST", "/clock/advance", body)
        assert error["details"]["field"] == field
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]
    advanced = await box.advance(seconds=TEN_YEARS)
    assert parse_time(advanced["now"]) - parse_time(before["now"]) == timedelta(seconds=TEN_YEARS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "body"),
        (b'{"seconds": null, "to": null}', "body"),
        (b'{"seconds": 1, "to": "2099-01-01T00:00:00Z"}', "body"),
        (b'{"seconds": "60"}', "seconds"),
        (b'{"seconds": true}', "seconds"),
        (b'{"seconds": 1e400}', "seconds"),
        (b'{"seconds": 1' + b"0" * 400 + b"}", "seconds"),
        (b'{"to": "tomorrow"}', "to"),
        (b'{"to": "2099-01-01T00:00:00"}', "to"),
        (b'{"to": 4070908800}', "to"),
        (b'{"seconds": 1, "hours": 2}', "hours"),
        (b'{"seconds": NaN}', "body"),
        (b"[1]", "body"),
        (b"", "body"),
    ],
    ids=lambda value: value[:48] if isinstance(value, bytes) else None,
)
async def test_an_invalid_advance_is_refused_with_its_field(
    box: Box, body: bytes, field: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await box.call("POST", "/_sandbox/clock/advance", content=body, headers=headers)
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field


async def test_one_accounts_clock_does_not_affect_another(box: Box) -> None:
    other = box.other()
    await other.get("/_sandbox/clock")
    await box.freeze()
    await box.advance(hours=1)
    clock = await other.get("/_sandbox/clock")
    assert (clock["frozen"], round(clock["aheadSeconds"])) == (False, 0)


async def test_the_whole_sandboxs_clock_moves_all_accounts_and_those_created_later() -> None:
    async with sandbox(sent_after=600, delivered_after=1800) as box:
        other = box.other()
        mine, theirs = await box.accepted(), await other.accepted()
        await other.advance(hours=1)
        advanced = await box.anonymous.control("POST", "/clock/advance", {"seconds": 3600})
        assert advanced["performed"] == 2
        for account, message in [(box, mine), (other, theirs)]:
            assert (await account.read(message))["status"] == "delivered"
        for account, hours in [(box, 1), (other, 2), (box.other(), 1)]:
            ahead = (await account.get("/_sandbox/clock"))["aheadSeconds"]
            assert ahead == pytest.approx(hours * 3600, abs=0.01)


async def test_the_whole_sandbox_is_frozen_and_resumed_at_once(box: Box) -> None:
    await box.get("/_sandbox/clock")
    await box.anonymous.control("POST", "/clock/freeze")
    for account in (box, box.other()):
        assert (await account.get("/_sandbox/clock"))["frozen"] is True
    await box.anonymous.control("POST", "/clock/resume")
    for account in (box, box.other()):
        assert (await account.get("/_sandbox/clock"))["frozen"] is False


async def test_the_whole_sandbox_advances_to_an_instant_except_accounts_past_it(box: Box) -> None:
    late = box.other()
    await late.advance(days=2)
    await box.get("/_sandbox/clock")
    to = parse_time((await box.anonymous.freeze())["now"]) + timedelta(days=1)
    before = await late.get("/_sandbox/clock")
    await box.anonymous.control("POST", "/clock/advance", {"to": to.isoformat()})
    for account in (box, box.other()):
        assert parse_time((await account.get("/_sandbox/clock"))["now"]) == to
    assert (await late.get("/_sandbox/clock"))["now"] == before["now"]


# The ends of time

READS = [
    "/_sandbox/account",
    "/_sandbox/accounts",
    "/_sandbox/messages",
    "/_sandbox/clock",
    "/_sandbox/requests",
    "/_sandbox/webhooks/attempts",
    "/_sandbox/coverage",
    "/api/v1/messages",
    "/api/v1/developers/sms/history",
    "/api/v1/developers/analytics/overview",
    "/api/v1/developers/analytics/daily?days=90",
]
SENDS = [
    ("/messages/sms", {"to": NUMBER, "message": "Hello"}),
    ("/messages/sms", {"to": "+256700000005", "message": "An hour later"}),
    ("/developers/sms", {"to": NUMBER, "message": "x", "scheduledFor": "9999-12-31T23:59:59Z"}),
    ("/developers/push", {"title": "Hello", "body": "Hello", "tokens": ["a"]}),
]


async def to_the_end(box: Box) -> None:
    """Advance to a second before the last one."""
    years = [*range(2035, 9999, 9), 9999]
    for year in years:
        await box.control("POST", "/clock/advance", {"to": f"{year}-12-31T23:59:58Z"})


@pytest.mark.parametrize("until", ["next", "idle"])
async def test_what_another_account_needs_moves_no_clock_past_the_end(box: Box, until: str) -> None:
    await box.freeze()
    await to_the_end(box)
    other = box.other()
    await other.freeze()
    await other.accepted("+256700000004", "Sent after half a second")
    await other.advance(seconds=1)
    await other.accepted("+256700000005", "Delivered after an hour")
    for _ in range(3):
        await box.anonymous.control("POST", "/clock/advance", {"until": until})
    assert (await box.get("/_sandbox/clock"))["now"].startswith("9999-12-31T23:59:5")


@pytest.mark.parametrize("whose", ["an account", "all accounts"])
async def test_a_clock_stops_at_the_end_of_the_year_9999_and_everything_answers(
    receiver: Receiver, whose: str
) -> None:
    built = Sandbox(Settings(tier="unlimited"))
    async with boxed(built) as box:
        await box.listen(receiver.url)
        await to_the_end(box if whose == "an account" else box.anonymous)
        for _ in range(2):
            built.real.not_before(built.real.now() + 3 * SECOND)  # as if as much had passed
            assert (await box.get("/_sandbox/clock"))["now"] == "9999-12-31T23:59:59.000000Z"
            for path in READS:
                assert (await box.call("GET", path)).status_code == 200
            for path, body in SENDS:
                answer = await box.call("POST", f"/api/v1{path}", json=body)
                assert answer.status_code in {201, 400}, answer.text
            assert (await box.advance(seconds=0))["performed"] >= 0
            await box.control_error("POST", "/clock/advance", {"seconds": 1})
            await box.control("POST", "/clock/freeze")
            await box.control("POST", "/clock/resume")
        [sms] = (await box.get("/_sandbox/messages", q="Hello", channel="sms", limit=1))["data"]
        assert sms["status"] == "pending"  # it will be sent half a second after the end
        assert (await box.call("POST", "/_sandbox/reset")).status_code == 200


@given(ahead=st.integers(0, LATEST), real=st.integers(0, LATEST), instant=st.integers(0, FOREVER))
@example(ahead=LATEST, real=1, instant=LATEST + 1)
@example(ahead=LATEST, real=0, instant=LATEST)
def test_a_clock_never_shows_what_is_later_than_its_end(
    ahead: int, real: int, instant: int
) -> None:
    clock = Clock(ahead=ahead)
    assert clock.at(real) == min(real + ahead, LATEST)
    shown_at = clock.real_at(instant)
    # Or else the scheduler would wake again and again for what never falls due.
    assert (shown_at is None) == (instant > LATEST)
    assert shown_at is None or shown_at < 0 or clock.at(shown_at) == instant
