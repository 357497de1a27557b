"""Analytics: totals equal a plain recount of the inbox."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from box import NUMBER, Box, sandbox
from hypothesis import given, settings
from hypothesis import strategies as st
from matching import assert_refused
from sends import EMAIL, PUSH, SENDS, SMS, later
from sync_box import SyncBox, sync_sandbox

from msgine_sandbox.model.slices import Slices

NOTHING = {"sent": 0, "delivered": 0, "failed": 0, "cost": 0}


def recount(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Count as the documentation says it, from nothing but what the inbox shows."""
    counts = {"sms": Counter(NOTHING), "email": Counter(NOTHING), "push": Counter()}
    for message in messages:
        statuses = [each["status"] for each in message["recipients"]]
        if message["channel"] == "push":
            if not {"queued", "pending"} & set(statuses):
                outcome = {True: "failed", False: "partial"}[set(statuses) == {"failed"}]
                counts["push"]["sent" if "failed" not in statuses else outcome] += 1
            continue
        of = counts[message["channel"]]
        of["cost"] += message["developerCost"]
        of["delivered"] += statuses.count("delivered")
        of["failed"] += statuses.count("failed")
        of["sent"] += sum(
            "sent" in [step["status"] for step in each["timeline"]]
            for each in message["recipients"]
        )
    return counts


def assert_recounted(s: SyncBox) -> None:
    """Compare the overview, and every day, with the inbox."""
    inbox = s.run(s.box.get("/_sandbox/messages", limit=1000))["data"]
    today = date.fromisoformat(s.run(s.box.get("/_sandbox/clock"))["now"][:10])
    counts = recount(inbox)
    push = {name: counts["push"][name] for name in ("sent", "failed", "partial")}
    period = {"from": str(today - timedelta(days=400)), "to": str(today)}
    overview = s.run(s.box.developers("GET", "/analytics/overview", **period))
    used = {message["channel"] for message in inbox}
    channels = {"sms": counts["sms"], "email": counts["email"], "push": push}
    assert overview["channels"] == {name: channels[name] for name in channels if name in used}
    texts = [counts["sms"], counts["email"]]
    assert overview["totals"] == {
        "sent": sum(of["sent"] for of in texts) + push["sent"] + push["partial"],
        "delivered": sum(of["delivered"] for of in texts),
        "failed": sum(of["failed"] for of in texts) + push["failed"],
        "cost": sum(of["cost"] for of in texts),
        "currency": "UGX",
    }
    daily = s.run(s.box.developers("GET", "/analytics/daily", days=90))["data"]
    assert [each["date"] for each in daily] == [str(today - timedelta(days=n)) for n in range(90)][
        ::-1
    ]
    for day in daily:
        of = recount([each for each in inbox if each["createdAt"][:10] == day["date"]])
        assert (day["sms"], day["email"]) == (of["sms"], of["email"])
        left = of["push"]["sent"] + of["push"]["partial"]
        assert day["push"] == {"sent": left, "failed": of["push"]["failed"]}


NUMBERS = st.sampled_from([NUMBER, "+256752345678", *(f"+25670000000{n}" for n in range(6))])
MAGIC = st.sampled_from(["delivered", "bounce", "refused", "stuck", "unconfirmed", "slow", "x"])
SEND = st.one_of(
    st.lists(NUMBERS, min_size=1, max_size=4).map(lambda to: ("/sms", SMS | {"to": to})),
    st.lists(MAGIC, min_size=1, max_size=4).map(
        lambda names: ("/email", EMAIL | {"to": [f"{n}@sandbox.msgine.test" for n in names]})
    ),
    st.lists(MAGIC, min_size=1, max_size=4).map(
        lambda names: ("/push", PUSH | {"tokens": [f"sandbox-{n}" for n in names]})
    ),
)
WAITS = st.sampled_from([0, 0.5, 1, 2, 3600, 86400, 5 * 86400])
ACTION = st.one_of(
    SEND,
    st.tuples(SEND, WAITS.filter(bool)),
    st.lists(NUMBERS, min_size=1, max_size=3).map(lambda to: ("first", to)),
    WAITS.map(lambda seconds: ("wait", seconds)),
    st.tuples(
        st.just("set_status"), st.integers(0, 5), st.sampled_from(["sent", "delivered", "failed"])
    ),
    st.just(("clear",)),
)


def act(s: SyncBox, action: Any) -> None:
    """Perform one action that may change the totals."""
    box = s.box
    match action:
        case ("wait", seconds):
            s.run(box.advance(seconds=seconds))
        case ("first", to):
            s.run(box.accepted(to))
        case ("set_status", position, status):
            listed = s.run(box.get("/_sandbox/messages"))["data"]
            for message in listed[position : position + 1]:
                to = message["recipients"][0]["to"]
                path = f"/_sandbox/messages/{message['id']}/status"
                s.run(box.call("POST", path, json={"status": status, "to": to}))
        case ("clear",):
            s.run(box.control("DELETE", "/messages"))
        case ((path, body), seconds):
            at = s.run(later(box, seconds=seconds + 1))
            s.run(box.developers("POST", path, body | {"scheduledFor": at}))
        case (path, body):
            s.run(box.developers("POST", path, body))


@settings(max_examples=50)  # each of them is a dozen calls and two recounts
@given(st.lists(ACTION, min_size=1, max_size=12), st.booleans())
def test_totals_equal_a_recount_of_the_inbox(actions: list[Any], with_webhook: bool) -> None:
    with sync_sandbox(delivery="auto") as s:
        s.run(s.box.freeze())
        if with_webhook:  # steps with a webhook are performed one by one, others together
            s.run(s.box.listen("http://localhost:9/", events=["message.failed"]))
        for action in actions:
            act(s, action)
        assert_recounted(s)
        # The steps that are still planned are performed, and counted too.
        s.run(s.box.advance(days=6))
        assert_recounted(s)


MEANWHILE = st.one_of(
    st.tuples(st.sampled_from(["sent", "delivered", "failed"]), st.integers(0, 11)),
    st.tuples(st.sampled_from(["delete", "clear", "send", "advance"]), st.integers(0, 11)),
)


async def happen(box: Box, action: str, path: str) -> None:
    """Do what changes the totals to one of the messages, where it can be done."""
    match action:
        case "clear":
            await box.control("DELETE", "/messages")
        case "delete":
            await box.call("DELETE", f"/_sandbox{path}")
        case "send":
            await box.developers("POST", "/sms", SMS)
        case "advance":
            await box.advance(seconds=1)
        case status:
            await box.call("POST", f"/_sandbox{path}/status", json={"status": status})


@settings(max_examples=50)  # each is dozens of calls
@given(st.lists(st.lists(MEANWHILE, max_size=2), min_size=1, max_size=12))
def test_totals_are_those_of_the_time_when_they_were_asked_for(
    pauses: list[list[tuple[str, int]]],
) -> None:
    with sync_sandbox(delivery="auto") as s:
        box = s.box
        s.run(box.freeze())
        ids = []
        for n in range(12):
            ids.append(s.run(box.developers("POST", "/sms", SMS))["id"])
            s.run(box.advance(seconds=0.2 if n % 3 else 0))
        before = s.run(box.developers("GET", "/analytics/overview"))
        following = iter(pauses)

        class Interrupted(Slices):
            """Lets something happen after each message that is looked at."""

            async def pause(self) -> None:
                for action, position in next(following, ()):
                    await happen(box, action, f"/messages/{ids[position]}")

        with patch("msgine_sandbox.services.analytics.Slices", Interrupted):
            assert s.run(box.developers("GET", "/analytics/overview")) == before


@pytest.mark.parametrize(
    ("tokens", "outcome"),
    [
        (["a", "b"], "sent"),
        (["a", "sandbox-refused"], "partial"),
        (["sandbox-refused", "sandbox-bounce"], "failed"),
    ],
)
async def test_a_scheduled_push_counts_from_its_time_on(
    box: Box, tokens: list[str], outcome: str
) -> None:
    at = await later(box, hours=1)
    await box.developers("POST", "/push", PUSH | {"tokens": tokens, "scheduledFor": at})
    nothing = {"sent": 0, "failed": 0, "partial": 0}
    counted = (await box.developers("GET", "/analytics/overview"))["channels"]["push"]
    assert counted == nothing
    await box.advance(hours=2)
    counted = (await box.developers("GET", "/analytics/overview"))["channels"]["push"]
    assert counted == nothing | {outcome: 1}


async def test_a_push_whose_status_is_set_to_failed_is_counted_anew(box: Box) -> None:
    await box.freeze()
    sent = await box.developers("POST", "/push", PUSH | {"tokens": ["a", "sandbox-unconfirmed"]})
    for to, outcome in (("sandbox-unconfirmed", "partial"), ("a", "failed")):
        path = f"/messages/{sent['id']}/status"
        await box.control("POST", path, {"status": "failed", "to": to})
        counted = (await box.developers("GET", "/analytics/overview"))["channels"]["push"]
        assert counted == {"sent": 0, "failed": 0, "partial": 0} | {outcome: 1}


async def test_days_are_in_utc_on_the_accounts_clock_and_filled_with_zeros(box: Box) -> None:
    await box.freeze()
    today = date.fromisoformat((await box.get("/_sandbox/clock"))["now"][:10])
    await box.developers("POST", "/sms", SMS)
    await box.advance(days=2)
    await box.developers("POST", "/email", EMAIL)
    found = await box.developers("GET", "/analytics/daily", days=4)
    assert found["days"] == 4
    assert [each["date"] for each in found["data"]] == [
        str(today + timedelta(days=n)) for n in (-1, 0, 1, 2)
    ]
    assert [each["sms"]["delivered"] for each in found["data"]] == [0, 1, 0, 0]
    assert [each["email"]["cost"] for each in found["data"]] == [0, 0, 0, 5]
    assert found["data"][2] == {
        "date": str(today + timedelta(days=1)),
        "sms": NOTHING,
        "email": NOTHING,
        "push": {"sent": 0, "failed": 0},
    }


async def test_the_default_is_thirty_days(box: Box) -> None:
    today = (await box.get("/_sandbox/clock"))["now"][:10]
    assert len((await box.developers("GET", "/analytics/daily"))["data"]) == 30
    period = (await box.developers("GET", "/analytics/overview"))["period"]
    assert period["to"] == today
    assert date.fromisoformat(today) - date.fromisoformat(period["from"]) == timedelta(days=29)


async def test_a_period_includes_its_first_and_last_day(box: Box) -> None:
    await box.freeze()
    today = date.fromisoformat((await box.get("/_sandbox/clock"))["now"][:10])
    for _ in range(3):
        await box.developers("POST", "/push", PUSH)
        await box.advance(days=1)
    for first, last, sent in ((0, 0, 1), (0, 2, 3), (1, 2, 2), (2, 5, 1), (3, 3, 0), (-9, -1, 0)):
        ends = {"from": str(today + timedelta(first)), "to": str(today + timedelta(last))}
        found = await box.developers("GET", "/analytics/overview", **ends)
        assert (found["period"], found["totals"]["sent"]) == (ends, sent)


async def test_a_time_stands_for_its_day_in_utc(box: Box) -> None:
    ends = {"from": "2026-01-31T23:30:00-01:00", "to": "2026-02-03T00:30:00+01:00"}
    found = await box.developers("GET", "/analytics/overview", **ends)
    assert found["period"] == {"from": "2026-02-01", "to": "2026-02-02"}


@pytest.mark.parametrize("days", ["0", "91", "-1", "1.5", "ten", ""])
async def test_days_out_of_range_are_refused(box: Box, days: str) -> None:
    answer = await box.call("GET", f"/api/v1/developers/analytics/daily?days={days}")
    details = assert_refused(answer, 400, "invalid_request")["details"]
    assert details == {"field": "days", "value": days, "expected": "a whole number from 1 to 90"}


@pytest.mark.parametrize("days", [1, 90])
async def test_days_in_range_are_accepted(box: Box, days: int) -> None:
    assert len((await box.developers("GET", "/analytics/daily", days=days))["data"]) == days


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-02-02&to=2026-02-01", "from"),
        ("from=2099-01-01", "from"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("to=2026-02", "to"),
        ("to=2026-02-01T00:00:00", "to"),
        ("from=", "from"),
        ("from=0000-01-01", "from"),
        ("from=2026-W45-1", "from"),
        ("from=2026-W45", "from"),
        ("from=2026W451", "from"),
        ("from=20261126", "from"),
        ("to=2026-330", "to"),
        ("to=2026330", "to"),
        ("to=2026-1-1", "to"),
        ("to=%202026-01-01", "to"),
        ("to=２０２６-01-01", "to"),
        ("from=2026-W45-1T10:00:00Z", "from"),
        ("from=20261126T100000Z", "from"),
        ("from=2026-11-26T10Z", "from"),
        ("from=2026-11-26%2010:00Z", "from"),
        ("from=2026-11-26T10:00:00,5Z", "from"),
    ],
)
async def test_an_invalid_period_is_refused(box: Box, query: str, field: str) -> None:
    answer = await box.call("GET", f"/api/v1/developers/analytics/overview?{query}")
    details = assert_refused(answer, 400, "invalid_request")["details"]
    assert details["field"] == field
    assert details["expected"].startswith("a date")


@pytest.mark.parametrize("path", SENDS)
async def test_a_channel_is_absent_until_it_is_used(box: Box, path: str) -> None:
    await box.freeze()
    before = await box.developers("GET", "/analytics/overview")
    assert (before["channels"], before["totals"]["sent"]) == ({}, 0)
    await box.developers("POST", path, SENDS[path] | {"scheduledFor": await later(box, hours=1)})
    channel = path.strip("/")
    queued = (await box.developers("GET", "/analytics/overview"))["channels"]
    assert (list(queued), queued[channel]["sent"]) == ([channel], 0)
    await box.advance(hours=2)
    sent = (await box.developers("GET", "/analytics/overview"))["channels"]
    assert (list(sent), sent[channel]["sent"]) == ([channel], 1)
    assert (await box.other().developers("GET", "/analytics/overview"))["channels"] == {}


async def test_a_channel_that_was_used_before_the_period_has_zeros(box: Box) -> None:
    await box.developers("POST", "/email", EMAIL)
    await box.advance(days=31)
    found = await box.developers("GET", "/analytics/overview")
    assert found["channels"] == {"email": NOTHING}
    await box.control("DELETE", "/messages")
    assert (await box.developers("GET", "/analytics/overview"))["channels"] == {}


@pytest.mark.parametrize("path", SENDS)
async def test_each_account_has_its_own_price(box: Box, path: str) -> None:
    prices = {"sms": 10, "email": 0.5, "push": 0.25}
    await box.control("PATCH", "/account", {"developerPrices": prices})
    await box.developers("POST", path, SENDS[path])
    found = await box.developers("GET", "/analytics/overview")
    assert found["totals"]["cost"] == prices[path.strip("/")]


@pytest.mark.parametrize(
    ("prices", "field"),
    [
        ({"sms": -1}, "developerPrices.sms"),
        ({"email": 0.1234567}, "developerPrices.email"),
        ({"fax": 1}, "developerPrices.fax"),
        (5, "developerPrices"),
        ({"sms": "5"}, "developerPrices.sms"),
    ],
)
async def test_an_invalid_price_is_refused(box: Box, prices: Any, field: str) -> None:
    answer = await box.call("PATCH", "/_sandbox/account", json={"developerPrices": prices})
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field


async def test_a_status_that_was_set_before_its_step_counts_once() -> None:
    async with sandbox(sent_after=0) as box:
        await box.freeze()
        sent = await box.developers("POST", "/sms", SMS)
        path = f"/messages/{sent['id']}/status"
        await box.call("POST", f"/_sandbox{path}", json={"status": "sent"})
        await box.advance(seconds=0)
        sums = await box.developers("GET", "/analytics/overview")
        assert sums["channels"]["sms"]["sent"] == 1


@pytest.mark.parametrize("last", ["0001-01-01", "0001-01-29", "9999-12-31"])
async def test_a_period_reaches_to_the_ends_of_the_calendar(box: Box, last: str) -> None:
    found = await box.developers("GET", "/analytics/overview", to=last)
    assert found["period"]["to"] == last


async def test_a_clock_does_not_advance_past_the_last_valid_date(box: Box) -> None:
    at = {"seconds": 3653 * 86400}
    answers = [await box.call("POST", "/_sandbox/clock/advance", json=at) for _ in range(800)]
    assert assert_refused(answers[-1], 400, "invalid_request")["details"]["field"] == "seconds"
    found = await box.developers("GET", "/analytics/daily", days=1)
    assert found["data"][0]["date"] < "9999-12-31"
