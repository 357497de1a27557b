"""An account as a scenario: exported, and loaded into the same account or another one."""

from datetime import datetime
from typing import Any

import pytest
from box import BASE_PATH, NUMBER, Box, bounded, sandbox
from hypothesis import given, settings
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Receiver
from sends import EMAIL
from starlette.testclient import TestClient
from sync_box import SyncBox, sync_sandbox

from msgine_sandbox.app import create_app
from msgine_sandbox.settings import Settings

OTHER = "+254712345678"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HELLO = {"to": NUMBER, "message": "Hello"}
YEAR = 365 * 86_400


async def exported(box: Box) -> dict[str, Any]:
    """Return the account of a scenario without its token."""
    scenario = await box.control("GET", "/scenario")
    [account] = scenario["accounts"]
    assert account.pop("token") == box.token
    return account


async def loaded(box: Box, **account: Any) -> None:
    """Load a scenario into an account."""
    assert await box.control("PUT", "/scenario", {"accounts": [account]}) == {"status": "ok"}


async def statuses(box: Box) -> list[list[str]]:
    """Return the statuses of the recipients of each message."""
    found = (await box.get("/_sandbox/messages"))["data"]
    return [[to["status"] for to in each["recipients"]] for each in found]


OWN = ("id", "account", "accountId")


async def everything(box: Box) -> list[Any]:
    """Return what an account's owner sees of it, but for ids, times and costs."""
    messages = (await box.get("/_sandbox/messages"))["data"]
    keys = ("channel", "to", "from", "message", "content", "status", "callbackUrl")
    faults = (await box.get("/_sandbox/faults"))["data"]
    return [
        [{key: each[key] for key in keys} for each in messages],
        [
            [(to["to"], to["status"], to["reason"], to.get("rule")) for to in each["recipients"]]
            for each in messages
        ],
        [fault | dict.fromkeys(OWN) for fault in faults if fault["left"] != 0],
        await box.get("/_sandbox/webhooks"),
        {**await box.get("/_sandbox/account"), "token": None},
        (await box.get("/_sandbox/clock"))["frozen"],
    ]


# Exporting


async def test_a_new_account_is_exported_with_its_settings(box: Box) -> None:
    assert await exported(box) == {
        "tier": "starter",
        "limits": {"perMinute": 100, "perSecond": 20},
        "scopes": ["FULL_ACCESS"],
        "senderId": "MsGine",
        "currency": "USD",
        "price": 0.05,
        "developerPrices": {"sms": 30, "email": 5, "push": 0},
        "endpoints": [],
        "frozen": False,
        "faults": [],
        "messages": [],
    }


async def test_messages_are_exported_with_what_has_happened_and_what_will(box: Box) -> None:
    await box.freeze()
    await box.accepted([NUMBER, "+256700000001"], **{"from": "Shop"})
    await box.advance(seconds=1)
    await box.developers("POST", "/email", EMAIL | {"bcc": "bea@example.com"})
    sms, email = (await exported(box))["messages"]
    pending, sent = {"status": "pending", "after": 0}, {"status": "sent", "after": 0.5}
    unreachable = {"status": "failed", "after": 2, "reason": "The handset is unreachable"}
    assert sms == {
        "channel": "sms",
        "from": "Shop",
        "to": [NUMBER, "+256700000001"],
        "message": "Hello",
        "secondsAgo": 1,
        "recipients": [
            {"to": NUMBER, "timeline": [pending, sent, {"status": "delivered", "after": 2}]},
            {"to": "+256700000001", "rule": "bounce", "timeline": [pending, sent, unreachable]},
        ],
    }
    assert (email["bcc"], email["secondsAgo"]) == (["bea@example.com"], 0)


async def test_an_export_is_of_one_account(box: Box) -> None:
    await box.other().accepted()
    assert (await exported(box))["messages"] == []
    assert_refused(await box.anonymous.call("GET", "/_sandbox/scenario"), 401, "unauthorized")
    answer = await box.anonymous.call("PUT", "/_sandbox/scenario", json={"accounts": [{}]})
    assert_refused(answer, 401, "unauthorized")


async def test_an_account_that_is_named_by_its_id_is_exported_without_its_token(box: Box) -> None:
    await box.accepted()
    [listed] = (await box.anonymous.get("/_sandbox/accounts"))["data"]
    headers = {"X-Sandbox-Account": listed["id"]}
    answer = await box.http.get("/_sandbox/scenario", headers=headers)
    [account] = answer.json()["accounts"]
    assert "token" not in account
    assert len(account["messages"]) == 1


async def test_used_up_and_magic_faults_and_those_of_all_accounts_are_left_out(box: Box) -> None:
    await box.anonymous.add_fault({"status": 500}, match={"path": "/nothing"})
    await box.add_fault({"status": 503}, times=1)
    await box.add_fault({"status": 502}, times=3, match={"to": OTHER})
    assert await box.statuses(2) == [503, 201]
    assert await box.statuses(1, OTHER) == [502]
    await box.send("+256700005001")
    assert (await exported(box))["faults"] == [
        {"effect": {"status": 502}, "match": {"to": OTHER}, "times": 3, "hits": 1, "seen": 1}
    ]


async def test_more_than_a_scenario_can_have_is_not_exported() -> None:
    async with bounded() as box:
        html = "x" * 500_000
        for _ in range(17):
            await box.developers("POST", "/email", EMAIL | {"html": html})
        error = assert_refused(await box.call("GET", "/_sandbox/scenario"), 400, "invalid_request")
        assert error["details"]["field"] == "messages"


# Loading


async def full(box: Box) -> None:
    """Give an account something of everything, on a frozen clock."""
    await box.freeze()
    settings = {"tier": "professional", "limits": {"perSecond": 7}, "scopes": ["SEND_SMS"]}
    prices = {"price": 30, "currency": "UGX", "developerPrices": {"sms": 29.5}}
    endpoint = {"url": "http://127.0.0.1:1/", "events": ["message.failed"], "secret": SECRET}
    await box.add_fault({"delivery": "failed", "reason": "Off", "after": 9.25}, times=1)
    await box.accepted([NUMBER, "+256700000003"], callbackUrl="http://127.0.0.1:1/own")
    await box.advance(seconds=3.000001)
    later = (await box.get("/_sandbox/clock"))["now"].replace("20", "21", 1)
    html = "<p>Your <a href='https://example.com/'>order</a></p>"
    email = {name: value for name, value in EMAIL.items() if name != "text"}
    await box.developers("POST", "/email", email | {"html": html, "cc": ["carl@example.com"]})
    await box.developers("POST", "/sms", HELLO | {"scheduledFor": later})
    await box.developers("POST", "/push/device", {"token": "own", "platform": "ios"})
    push = {"title": "Order", "body": "Here", "data": {"order": "7"}}
    for target in ({"tokens": ["one"], "userIds": ["7"]}, {"topic": "news"}, {}):
        await box.developers("POST", "/push", push | target)
    await box.developers("POST", "/push", push | {"tokens": ["two"], "scheduledFor": later})
    await box.add_fault({"status": 429, "retryAfter": 3}, probability=0.5, seed=7)
    await box.add_fault({"webhook": "delay", "delay": 60}, match={"event": "message.sent"})
    await box.control("PUT", "/webhooks", {"endpoints": [endpoint]})
    await box.control("PATCH", "/account", settings | prices)


async def test_what_was_exported_and_loaded_is_the_same_account() -> None:
    async with sandbox(tier="unlimited") as box:
        await full(box)
        before, account = await everything(box), await exported(box)
        other = box.other()
        await loaded(other, **account)
        after = await everything(other)
        assert after == before
        assert await exported(other) == account


async def test_messages_go_on_where_they_were(receiver: Receiver) -> None:
    async with sandbox() as box:
        await box.freeze()
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        assert [each["event"] for each in await box.attempts()] == ["message.sent"]
        other = box.other()
        await loaded(other, **await exported(box))
        assert await other.attempts() == []
        await other.advance(seconds=0.999999)
        assert await other.attempts() == []
        await other.advance(seconds=0.000001)
        assert [each["event"] for each in await other.attempts()] == ["message.delivered"]
        [message] = (await other.get("/_sandbox/messages"))["data"]
        assert message["status"] == "delivered"


async def test_a_scheduled_push_is_sent_at_its_time(box: Box) -> None:
    await box.freeze()
    push = {"channel": "push", "title": "Order", "body": "Here", "tokens": ["one"]}
    queued = [{"status": "queued", "after": 0}, {"status": "pending", "after": 120}]
    message = push | {"secondsAgo": 60, "scheduledAfter": 120}
    await loaded(
        box,
        frozen=True,
        messages=[message, message | {"recipients": [{"to": "one", "timeline": queued}]}],
    )
    for seconds, status in {59: "queued", 1: "sent", 2: "delivered"}.items():
        await box.advance(seconds=seconds)
        found = (await box.get("/_sandbox/messages"))["data"]
        assert [each["status"] for each in found] == [status] * 2


async def test_without_statuses_a_message_is_sent_as_in_a_file(
    box: Box, receiver: Receiver
) -> None:
    old = HELLO | {"secondsAgo": 900}
    await loaded(box, frozen=True, endpoints=[{"url": receiver.url}], messages=[old, HELLO])
    await box.advance()
    assert [each["event"] for each in await box.attempts()] == [
        "message.sent",
        "message.delivered",
    ]
    found = (await box.get("/_sandbox/messages"))["data"]
    assert [each["status"] for each in found] == ["pending", "delivered"]


async def test_loading_replaces_all_that_the_account_has(box: Box) -> None:
    await full(box)
    await box.send(key="k")
    before = await exported(box.other())
    await loaded(box)
    assert await exported(box) == before
    assert (await box.get("/_sandbox/requests"))["total"] == 0
    assert (await box.get("/_sandbox/clock"))["aheadSeconds"] == 0
    assert await box.attempts() == []
    assert (await box.get("/_sandbox/coverage"))["met"] == []
    assert (await box.get(f"{BASE_PATH}/messages"))["pagination"]["total"] == 0


async def test_settings_that_a_scenario_lacks_are_those_of_the_token(box: Box) -> None:
    free = box.other("test_free_scenario")
    await free.control("PATCH", "/account", {"tier": "professional", "senderId": "Changed"})
    await loaded(free, senderId="Shop")
    account = await free.get("/_sandbox/account")
    assert (account["tier"], account["senderId"]) == ("free", "Shop")


async def test_a_scenario_says_whether_the_clock_is_frozen(box: Box) -> None:
    await box.anonymous.freeze()
    ahead = (await box.anonymous.advance(hours=1))["aheadSeconds"]
    for frozen, expected in {None: True, False: False, True: True}.items():
        await loaded(box, frozen=frozen, messages=[HELLO])
        assert (await exported(box))["frozen"] is expected
        clock = await box.get("/_sandbox/clock")
        assert (clock["frozen"], clock["aheadSeconds"]) == (expected, pytest.approx(ahead, abs=60))


async def test_another_account_is_left_alone(box: Box) -> None:
    other = box.other()
    await other.accepted()
    await loaded(box, messages=[HELLO])
    assert (await other.message_count(), await box.message_count()) == (1, 1)


async def test_faults_go_on_where_they_were(box: Box) -> None:
    account, copy = box.other("test_unlimited_a"), box.other("test_unlimited_b")
    await account.add_fault({"status": 503}, probability=0.5, seed=9, times=8)
    await account.statuses(5)
    await loaded(copy, **await exported(account))
    await copy.control("PATCH", "/account", {"tier": "unlimited"})
    assert await account.statuses(30) == await copy.statuses(30)


async def test_faults_of_a_scenario_do_not_act_on_its_messages(box: Box) -> None:
    await loaded(box, faults=[{"effect": {"delivery": "refused"}, "times": 1}], messages=[HELLO])
    [fault] = (await box.get("/_sandbox/faults"))["data"]
    assert (fault["hits"], fault["left"]) == (0, 1)
    message = await box.accepted()
    await box.advance(seconds=2)
    found = (await box.get("/_sandbox/messages"))["data"]
    assert [each["status"] for each in found] == ["failed", "delivered"]
    assert (await box.details(message))["recipients"][0]["rule"] == fault["id"]


async def test_loaded_messages_count_in_analytics(box: Box) -> None:
    await loaded(box, messages=[HELLO | {"secondsAgo": 5}] * 3)
    overview = await box.developers("GET", "/analytics/overview")
    assert overview["channels"]["sms"]["delivered"] == 3


def test_statuses_that_are_loaded_have_begun_in_an_event_loop_that_is_brief() -> None:
    client = TestClient(create_app(Settings()))  # each call has an event loop of its own
    headers = {"Authorization": "Bearer test_brief"}
    body = {"accounts": [{"messages": [HELLO | {"secondsAgo": 60}]}]}
    answer = client.put("/_sandbox/scenario", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    [message] = client.get("/_sandbox/messages", headers=headers).json()["data"]
    assert message["status"] == "delivered"


async def test_a_scenario_can_be_larger_than_other_bodies(box: Box) -> None:
    message = {"channel": "email", "html": "x" * 500_000, **EMAIL}
    await loaded(box, messages=[message] * 5)
    assert await box.message_count() == 5
    answer = await box.call(
        "PUT", "/_sandbox/scenario", json={"accounts": [{"messages": [message] * 18}]}
    )
    assert_refused(answer, 413, "payload_too_large")


# Round trips

timelines = st.sampled_from(
    [["pending"], ["pending", "sent"], ["pending", "failed"], ["pending", "sent", "delivered"]]
)
times = st.floats(0, 10_000).map(lambda seconds: round(seconds, 6))


@st.composite
def messages(draw: st.DrawFn, times: st.SearchStrategy[float] = times) -> dict[str, Any]:
    """A message of any age, whose recipients have any statuses at any times."""
    to = draw(st.lists(st.sampled_from([NUMBER, OTHER, "+256700000001"]), min_size=1, unique=True))
    ago = min(draw(times), 50 * YEAR)
    wait = draw(st.none() | times.filter(bool))
    recipients = []
    for each in to:
        statuses = draw(timelines)
        first = [] if wait is None else ["queued"]
        after = [0, *sorted(draw(times) for _ in [*first, *statuses[1:]])]
        timeline = [
            {"status": status, "after": at}
            for status, at in zip([*first, *statuses], after, strict=True)
        ]
        if statuses[-1] == "failed" and draw(st.booleans()):
            timeline[-1]["reason"] = draw(st.sampled_from(["Off", "Ñot today"]))
        rule = {"rule": "flt_1"} if draw(st.booleans()) else {}
        recipients.append({"to": each, **rule, "timeline": timeline})
    text = draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
    scheduled = {} if wait is None else {"scheduledAfter": wait}
    head = {"channel": "sms", "from": "Shop", "to": to, "message": text}
    return head | {"secondsAgo": ago, **scheduled, "recipients": recipients}


@pytest.fixture(scope="module")
def sync() -> Any:
    with sync_sandbox(delivery="auto") as it:
        yield it


@settings(max_examples=50)
@given(content=st.lists(messages(), max_size=5))
def test_what_is_loaded_is_exported_unchanged(sync: SyncBox, content: list[dict[str, Any]]) -> None:
    box, other = sync.box.other("test_round"), sync.box.other("test_trip")
    sync.run(loaded(box, frozen=True, messages=content))
    first = sync.run(exported(box))
    assert first["messages"] == content
    sync.run(loaded(other, **first))
    assert sync.run(exported(other)) == first
    assert sync.run(statuses(other)) == sync.run(statuses(box))


@settings(max_examples=30)
@given(
    message=messages(st.floats(0, 120 * YEAR).map(round)),
    decades=st.integers(0, 7),
    later=times | st.integers(0, 10 * YEAR),
)
def test_what_has_begun_has_begun_where_it_is_loaded_and_the_rest_comes_at_its_time(
    sync: SyncBox, message: dict[str, Any], decades: int, later: float
) -> None:
    box, other = sync.box.other("test_old"), sync.box.other("test_new")
    sync.run(loaded(box, frozen=True, messages=[message]))
    for _ in range(decades):
        sync.run(box.advance(days=3650))
    sync.run(loaded(other, **sync.run(exported(box))))
    assert sync.run(statuses(other)) == sync.run(statuses(box))
    for it in (box, other):
        sync.run(it.advance(seconds=later))
    assert sync.run(statuses(other)) == sync.run(statuses(box))


async def test_a_message_that_was_scheduled_decades_ahead_is_not_sent_again(
    receiver: Receiver,
) -> None:
    async with sandbox() as box:
        await box.freeze()
        body = HELLO | {"scheduledFor": "2099-01-01T06:00:00Z", "callbackUrl": receiver.url}
        await box.developers("POST", "/sms", body)
        for _ in range(8):
            await box.advance(days=3650)
        other = box.other()
        await loaded(other, **await exported(box))
        assert await statuses(other) == [["delivered"]]
        await other.control("POST", "/clock/advance", {"until": "idle"})
        assert await other.attempts() == []


async def test_a_status_that_was_set_after_decades_is_kept(box: Box) -> None:
    await box.freeze()
    message = await box.accepted("+256700000003")
    for _ in range(6):
        await box.advance(days=3650)
    await box.control("POST", f"/messages/{message['id']}/status", {"status": "sent"})
    other = box.other()
    await loaded(other, **await exported(box))
    assert await statuses(other) == [["sent"]]


async def test_what_was_scheduled_for_the_end_of_time_can_be_loaded_later(box: Box) -> None:
    body = HELLO | {"scheduledFor": "9999-12-31T23:59:59Z"}
    message = await box.developers("POST", "/sms", body)
    scheduled_at = (await box.details(message))["scheduledAt"]
    await loaded(box, **await exported(box))
    [message] = (await box.get("/_sandbox/messages"))["data"]
    assert (message["scheduledAt"], message["status"]) == (scheduled_at, "queued")
    await loaded(box, **await exported(box))


END = 253_402_300_799  # in seconds since 1970: the last second of the year 9999


@settings(max_examples=50)
@given(
    ago=st.integers(0, 50 * YEAR),
    late=st.integers(-20 * YEAR, 60 * YEAR),
    field=st.sampled_from(["scheduledAfter", "timeline"]),
)
def test_times_are_before_the_year_10000(sync: SyncBox, ago: int, late: int, field: str) -> None:
    box = sync.box.other("test_end")
    sync.run(box.control("POST", "/reset"))
    now = datetime.fromisoformat(sync.run(box.freeze())["now"]).timestamp()
    after = min(int(END - now) + ago + late, END)
    late = after - ago + now - END
    message: dict[str, Any] = HELLO | {"secondsAgo": ago}
    if field == "scheduledAfter":
        where, message[field] = field, after
    else:
        where = "recipients[0].timeline[1].after"
        timeline = [PENDING, {"status": "sent", "after": after}]
        message["recipients"] = [{"to": NUMBER, "timeline": timeline}]
    body = {"accounts": [{"messages": [message]}]}
    answer = sync.run(box.call("PUT", "/_sandbox/scenario", json=body))
    if late > 11 * YEAR:
        error = assert_refused(answer, 400, "invalid_request")
        assert error["details"]["field"] == f"accounts[0].messages[0].{where}"
    elif late < 9 * YEAR:
        assert answer.status_code == 200, answer.text
    if answer.is_success:
        [found] = sync.run(box.get("/_sandbox/messages"))["data"]
        scheduled_at = found["scheduledAt"]
        assert scheduled_at is None or datetime.fromisoformat(scheduled_at).timestamp() <= END


# What is refused


PENDING, SENT = {"status": "pending", "after": 0}, {"status": "sent", "after": 1}


def fourth(**fields: Any) -> dict[str, Any]:
    """An account whose fourth message is bad."""
    return {"messages": [HELLO, HELLO, HELLO, HELLO | fields]}


def timed(*timeline: Any, **fields: Any) -> dict[str, Any]:
    """An account whose fourth message has a bad timeline."""
    return fourth(recipients=[{"to": NUMBER, "timeline": [*timeline], **fields}])


@pytest.mark.parametrize(
    ("account", "field"),
    [
        ({"tier": "gold"}, "tier"),
        ({"limits": {"perDay": 5}}, "limits.perDay"),
        ({"developerPrices": {"sms": -1}}, "developerPrices.sms"),
        ({"senderId": "far too long for one"}, "senderId"),
        ({"title": "shop"}, "title"),
        ({"name": " shop"}, "name"),
        ({"frozen": "yes"}, "frozen"),
        ({"endpoints": [{"url": "http://localhost:9/"}, {"url": "nonsense"}]}, "endpoints[1].url"),
        ({"endpoints": [{"url": "http://localhost:9/", "events": []}]}, "endpoints[0].events"),
        ({"endpoints": [{"url": "http://localhost:9/"}] * 2}, "endpoints"),
        ({"faults": [{"effect": {"status": 503}}, {"effect": {}}]}, "faults[1].effect"),
        ({"faults": [{"effect": {"delivery": "failed", "after": -1}}]}, "faults[0].effect.after"),
        ({"faults": [{"effect": {"delivery": "pending", "after": 1}}]}, "faults[0].effect.after"),
        ({"faults": [{"effect": {"status": 503}, "time": 1}]}, "faults[0].time"),
        ({"faults": [{"effect": {"status": 503}, "hits": -1}]}, "faults[0].hits"),
        ({"faults": [{"effect": {"status": 503}, "hits": 2, "seen": 1}]}, "faults[0].seen"),
        ({"faults": [{"effect": {"status": 503}, "hits": 2, "times": 1}]}, "faults[0].hits"),
        ({"faults": [{"effect": {"status": 503}}] * 1001}, "faults"),
        ({"faults": ["status"]}, "faults[0]"),
        (fourth(to="0701234567"), "messages[3].to"),
        (fourth(to=None), "messages[3].to"),
        (fourth(message=""), "messages[3].message"),
        (fourth(text="Hello"), "messages[3].text"),
        (fourth(channel="fax"), "messages[3].channel"),
        (fourth(secondsAgo=-1), "messages[3].secondsAgo"),
        (fourth(scheduledAfter=0), "messages[3].scheduledAfter"),
        (fourth(scheduledAfter=253402300799), "messages[3].scheduledAfter"),
        (fourth(callbackUrl="nonsense"), "messages[3].callbackUrl"),
        (fourth(recipients=[]), "messages[3].recipients"),
        (timed(), "messages[3].recipients[0].timeline"),
        (timed(PENDING, to=OTHER), "messages[3].recipients"),
        (timed(PENDING, rule="two\nlines"), "messages[3].recipients[0].rule"),
        (timed(SENT), "messages[3].recipients[0].timeline[0].status"),
        (timed(PENDING, PENDING), "messages[3].recipients[0].timeline[1].status"),
        (timed({"status": "pending", "after": 1}), "messages[3].recipients[0].timeline[0].after"),
        (timed(PENDING, {"status": "sent"}), "messages[3].recipients[0].timeline[1].after"),
        (
            timed(PENDING, SENT | {"after": 253402300799}),
            "messages[3].recipients[0].timeline[1].after",
        ),
        (
            timed(PENDING, SENT, {"status": "failed", "after": 0.9}),
            "messages[3].recipients[0].timeline[2].after",
        ),
        (
            timed(PENDING, SENT | {"reason": "Off"}),
            "messages[3].recipients[0].timeline[1].reason",
        ),
        (
            timed(PENDING, SENT, {"status": "failed", "after": 1, "reason": ""}),
            "messages[3].recipients[0].timeline[2].reason",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_bad_scenario_changes_nothing_and_names_the_field(
    box: Box, account: dict[str, Any], field: str
) -> None:
    await box.freeze()
    await box.accepted()
    before = await exported(box)
    error = await box.control_error("PUT", "/scenario", {"accounts": [account]})
    assert error["details"]["field"] == f"accounts[0].{field}"
    assert error["message"].startswith(f"accounts[0].{field}".rpartition(".")[0])
    assert await exported(box) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "accounts"),
        ({"accounts": {}}, "accounts"),
        ({"accounts": []}, "accounts"),
        ({"accounts": [{}, {}]}, "accounts"),
        ({"accounts": ["t"]}, "accounts[0]"),
        ({"accounts": [{"messages": [{}, "Hello"]}]}, "accounts[0].messages[1]"),
        ({"accounts": [{}], "account": {}}, "account"),
        ([], "body"),
    ],
)
async def test_a_call_loads_a_scenario_of_one_account(box: Box, body: Any, field: str) -> None:
    error = await box.control_error("PUT", "/scenario", body)
    assert error["details"]["field"] == field


async def test_the_answer_to_a_push_cannot_have_known_what_is_to_come(box: Box) -> None:
    timeline = [PENDING, SENT | {"after": 61}]
    push = {"channel": "push", "title": "Order", "body": "Here", "tokens": ["one"]}
    message = push | {"secondsAgo": 60, "recipients": [{"to": "one", "timeline": timeline}]}
    error = await box.control_error("PUT", "/scenario", {"accounts": [{"messages": [message]}]})
    where = "accounts[0].messages[0].recipients[0].timeline[1].after"
    assert error["details"]["field"] == where


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (
            timed(PENDING, PENDING),
            "messages[3].recipients[0].timeline[1].status must be failed or sent",
        ),
        (
            timed({"status": "pending", "at": 0}),
            "messages[3].recipients[0].timeline[0] has no field at",
        ),
        (
            {"endpoints": [{"url": "http://localhost:9/"}, {"url": "nonsense"}]},
            "endpoints[1].url must be an http or https URL with a host",
        ),
        (
            {"faults": [{"effect": {"status": 503}, "time": 1}]},
            "faults[0].time: A fault has no field time",
        ),
        (fourth(message=""), "messages[3].message: Message must not be empty"),
        (
            timed(PENDING, SENT, SENT | {"status": "delivered"}, SENT | {"status": "failed"}),
            "messages[3].recipients[0].timeline[3].status cannot follow delivered, which is final",
        ),
        (
            timed(PENDING, SENT | {"after": 1_000_000.5}, {"status": "failed", "after": 1}),
            "messages[3].recipients[0].timeline[2].after must be at least 1000000.5, when the "
            "status before it begins",
        ),
        (
            {"messages": [EMAIL | {"channel": "email", "to": "nobody"}]},
            "messages[0].to must be an email address (An email address must have an @-sign)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_message_has_the_path_once(box: Box, account: dict[str, Any], message: str) -> None:
    error = await box.control_error("PUT", "/scenario", {"accounts": [account]})
    assert error["message"] == f"accounts[0].{message}"


async def test_why_a_number_is_refused_is_told(box: Box) -> None:
    body = {"accounts": [{"messages": [HELLO | {"to": "+25670123456"}]}]}
    error = await box.control_error("PUT", "/scenario", body)
    assert "too short" in error["message"]
    assert "too short" in error["details"]["reason"]
