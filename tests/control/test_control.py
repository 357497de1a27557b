"""The control API under `/_sandbox`: what a test's hands and eyes get to."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, boxed, sandbox
from matching import assert_refused
from receiver import Receiver

from msgine_sandbox import __version__
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

OTHER = "+256752345678"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEN_YEARS = 3653 * 86_400
EVENTS = ["message.sent", "message.delivered", "message.failed"]
ACCOUNT_CALLS = [
    ("GET", "/account"),
    ("PATCH", "/account"),
    ("GET", "/webhooks"),
    ("PUT", "/webhooks"),
]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def stranger(box: Box, method: str, path: str, **kwargs: Any) -> httpx.Response:
    """Call without any credential: the whole sandbox is meant."""
    return await box.http.request(method, f"/_sandbox{path}", **kwargs)


async def everybody(box: Box, method: str, path: str, json: Any = None) -> Any:
    """Do something to the whole sandbox."""
    answer = await stranger(box, method, path, json=json)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(box: Box, method: str, path: str, json: Any = None) -> dict[str, Any]:
    """Give the error of a call that is answered 400."""
    answer = await box.call(method, f"/_sandbox{path}", json=json)
    return assert_refused(answer, 400, "invalid_request")


async def ids(box: Box, **query: Any) -> list[str]:
    return [each["id"] for each in (await box.get("/_sandbox/messages", **query))["data"]]


# Health


async def test_health_needs_no_credential(box: Box) -> None:
    answer = await stranger(box, "GET", "/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": __version__}


async def test_the_control_api_is_never_limited() -> None:
    async with sandbox(tier="free") as box:
        for path in ("/health", "/messages", "/clock"):
            answers = [await box.call("GET", f"/_sandbox{path}") for _ in range(70)]
            assert {answer.status_code for answer in answers} == {200}
            assert not any(name.startswith("x-ratelimit") for name in answers[-1].headers)
        assert (await box.send()).status_code == 201


async def test_an_unknown_control_path_is_refused_as_all_else(box: Box) -> None:
    assert_refused(await box.call("GET", "/_sandbox/nowhere"), 404, "not_found")
    answer = await box.call("DELETE", "/_sandbox/clock")
    assert_refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


# The account


async def test_a_new_account_is_as_documented_its_token_masked(box: Box) -> None:
    mine = box.other("secret_token_of_mine")
    assert await mine.get("/_sandbox/account") == {
        "token": "secre…mine",
        "tier": "starter",
        "limits": {"perMinute": 100, "perSecond": 20},
        "scopes": ["FULL_ACCESS"],
        "senderId": "MsGine",
        "currency": "USD",
        "price": 0.05,
        "developerPrices": {"sms": 30, "email": 5, "push": 0},
    }


async def test_accounts_are_listed_the_newest_first_with_what_their_windows_have_left(
    box: Box,
) -> None:
    await box.freeze()
    await box.accepted()
    other = box.other("test_free_of_another")
    await other.send()
    await other.send()
    listed = (await box.http.get("/_sandbox/accounts")).json()
    assert listed["total"] == 2
    newest, oldest = listed["data"]
    assert (newest["token"], newest["tier"]) == ("test_…ther", "free")
    assert newest["windows"]["minute"] == {"limit": 60, "remaining": 58}
    assert oldest["windows"] == {
        "minute": {"limit": 100, "remaining": 99},
        "second": {"limit": 20, "remaining": 19},
    }
    assert (oldest["clock"]["frozen"], newest["clock"]["frozen"]) == (True, False)
    await box.advance(seconds=60)
    mine = (await box.get("/_sandbox/accounts"))["data"]
    assert [each["id"] for each in mine] == [oldest["id"]]
    assert mine[0]["windows"]["minute"]["remaining"] == 100
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    [mine] = (await box.get("/_sandbox/accounts"))["data"]
    assert mine["windows"] == {"minute": None, "second": None}


async def test_so_many_accounts_are_listed_as_are_asked_for(box: Box) -> None:
    for _ in range(3):
        await box.other().accepted()
    listed = (await box.http.get("/_sandbox/accounts?limit=2")).json()
    assert (len(listed["data"]), listed["total"]) == (2, 3)
    everybody = (await box.http.get("/_sandbox/accounts")).json()["data"]
    assert [each["id"] for each in everybody[:2]] == [each["id"] for each in listed["data"]]


async def test_an_account_is_named_by_its_id_where_its_token_is_not_at_hand(box: Box) -> None:
    sent = await box.accepted()
    await box.other().accepted()
    named = {"X-Sandbox-Account": sent_by(await box.look(sent))}
    found = (await box.http.get("/_sandbox/messages", headers=named)).json()
    assert [each["id"] for each in found["data"]] == [sent["id"]]
    frozen = await box.http.post("/_sandbox/clock/freeze", headers=named)
    assert frozen.json()["frozen"]
    assert (await box.get("/_sandbox/clock"))["frozen"]
    assert not (await box.other().get("/_sandbox/clock"))["frozen"]


def sent_by(message: dict[str, Any]) -> str:
    return message["accountId"]


@pytest.mark.parametrize("name", ["acc_00000000000000ff", "acc_1", "test_me", ""])
async def test_an_account_that_is_not_there_is_not_found(box: Box, name: str) -> None:
    answer = await box.http.get("/_sandbox/account", headers={"X-Sandbox-Account": name})
    error = assert_refused(answer, 404, "not_found")
    assert error["details"] == {"field": "X-Sandbox-Account", "value": name}


async def test_a_name_is_no_credential_of_the_api(box: Box) -> None:
    message = await box.look(await box.accepted())
    named = {"X-Sandbox-Account": message["accountId"]}
    answer = await box.http.get("/api/v1/messages", headers=named)
    assert_refused(answer, 401, "unauthorized")


async def test_magic_recipients_are_listed_in_all_their_spellings(box: Box) -> None:
    found = (await box.http.get("/_sandbox/magic")).json()["data"]
    by_name = {each["name"]: each for each in found}
    assert by_name["answered-503-2"] == {
        "name": "answered-503-2",
        "number": "+256700005032",
        "address": "answered-503-2@sandbox.msgine.test",
        "token": "sandbox-answered-503-2",
        "what": "the first 2 sends are answered 503",
    }
    assert len(by_name) == len(found)


async def test_an_inbox_is_read_on_from_a_message(box: Box) -> None:
    sent = [await box.accepted(message=f"{n}") for n in range(5)]
    page = await box.get("/_sandbox/messages", limit=2)
    older = await box.get("/_sandbox/messages", limit=2, before=page["data"][-1]["id"])
    assert [each["id"] for each in older["data"]] == [sent[2]["id"], sent[1]["id"]]
    assert (page["total"], older["total"]) == (5, 3)
    answer = await box.call("GET", "/_sandbox/messages?before=yesterday")
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == "before"


@pytest.mark.parametrize(
    ("change", "effect"),
    [
        ({"tier": "free"}, {"limits": {"perMinute": 60, "perSecond": 10}}),
        ({"tier": "professional"}, {"limits": {"perMinute": 500, "perSecond": 50}}),
        ({"tier": "unlimited"}, {"limits": {"perMinute": None, "perSecond": None}}),
        ({"limits": {"perMinute": 7}}, {"limits": {"perMinute": 7, "perSecond": 20}}),
        ({"limits": {"perSecond": 3}}, {"limits": {"perMinute": 100, "perSecond": 3}}),
        (
            {"tier": "free", "limits": {"perSecond": 3}},
            {"limits": {"perMinute": 60, "perSecond": 3}},
        ),
        ({"scopes": ["READ_MESSAGES"]}, {}),
        ({"scopes": ["SEND_SMS", "SEND_SMS"]}, {"scopes": ["SEND_SMS"]}),
        ({"scopes": []}, {}),
        ({"senderId": "MyApp"}, {}),
        ({"currency": "UGX", "price": 30}, {}),
        ({"price": 0}, {}),
        ({"price": 0.035}, {}),
        ({"price": 0.000001}, {}),
        ({"price": 1_000_000}, {}),
        ({"tier": None, "price": None, "scopes": None, "limits": None}, {}),
        ({}, {}),
    ],
    ids=str,
)
async def test_an_account_is_changed_where_it_is_told_to_and_nowhere_else(
    box: Box, change: dict, effect: dict
) -> None:
    before = await box.get("/_sandbox/account")
    told = {name: value for name, value in change.items() if value is not None}
    changed = await box.control("PATCH", "/account", change)
    assert changed == before | told | effect
    assert await box.get("/_sandbox/account") == changed


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("tier", "gold", "invalid_request"),
        ("tier", 3, "invalid_request"),
        ("limits", 5, "invalid_request"),
        ("limits", {"perHour": 5}, "invalid_request"),
        ("limits", {"perMinute": 0}, "invalid_request"),
        ("limits", {"perMinute": 1.5}, "invalid_request"),
        ("limits", {"perSecond": True}, "invalid_request"),
        ("limits", {"perSecond": 1_000_001}, "invalid_request"),
        ("scopes", "FULL_ACCESS", "invalid_request"),
        ("scopes", ["ADMIN"], "invalid_request"),
        ("scopes", [["READ_MESSAGES"]], "invalid_request"),
        ("senderId", "", "invalid_sender_id"),
        ("senderId", "twelveletter", "invalid_sender_id"),
        ("senderId", "My App", "invalid_sender_id"),
        ("senderId", 5, "invalid_request"),
        ("currency", "usd", "invalid_request"),
        ("currency", "US", "invalid_request"),
        ("currency", "ÄÖÜ", "invalid_request"),
        ("currency", "U1D", "invalid_request"),
        ("currency", "", "invalid_request"),
        ("price", -0.01, "invalid_request"),
        ("price", "0.05", "invalid_request"),
        ("price", True, "invalid_request"),
        ("price", 0.0000001, "invalid_request"),
        ("price", 1_000_000.01, "invalid_request"),
        ("token", "another", "invalid_request"),
        ("sender", "MyApp", "invalid_request"),
    ],
    ids=str,
)
async def test_a_bad_field_is_named_and_nothing_of_the_account_changes(
    box: Box, field: str, value: Any, code: str
) -> None:
    before = await box.get("/_sandbox/account")
    good = {"tier": "free", "senderId": "Other", "price": 1, "currency": "EUR", "scopes": []}
    answer = await box.call("PATCH", "/_sandbox/account", json=good | {field: value})
    assert assert_refused(answer, 400, code)["details"]["field"] == field
    assert await box.get("/_sandbox/account") == before


async def test_an_account_without_limits_stays_so_when_no_limit_is_given(box: Box) -> None:
    free = box.other("test_unlimited_free")
    before = await free.get("/_sandbox/account")
    assert await free.control("PATCH", "/account", {"limits": {}}) == before


@pytest.mark.parametrize(
    ("price", "recipients", "length", "cost"),
    [
        ("0.035", 1, 1, b'"cost":0.035,'),
        ("0.035", 3, 1, b'"cost":0.105,'),
        ("0.1", 3, 1, b'"cost":0.3,'),
        ("0.07", 3, 161, b'"cost":0.42,'),
        ("30", 3, 1, b'"cost":90,'),
        ("0.000001", 1, 1, b'"cost":0.000001,'),
        ("1e-6", 3, 1, b'"cost":0.000003,'),
        ("1000000", 100, 1600, b'"cost":1100000000,'),
        ("0", 3, 161, b'"cost":0,'),
    ],
)
async def test_a_cost_is_exact_whatever_the_price(
    box: Box, price: str, recipients: int, length: int, cost: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    content = f'{{"price": {price}, "currency": "UGX"}}'.encode()
    answer = await box.call("PATCH", "/_sandbox/account", content=content, headers=headers)
    assert answer.status_code == 200
    sent = await box.send([f"+2567012345{n:02}" for n in range(recipients)], "a" * length)
    assert cost in sent.content
    assert sent.json()["currency"] == "UGX"


async def test_a_message_keeps_the_price_that_it_was_sent_at(box: Box) -> None:
    message = await box.accepted()
    await box.control("PATCH", "/account", {"price": 9, "currency": "EUR", "senderId": "Later"})
    assert await box.read(message) == message
    later = await box.accepted()
    assert (later["cost"], later["currency"], later["from"]) == (9, "EUR", "Later")


async def test_changed_limits_hold_from_the_next_request_on(box: Box) -> None:
    await box.freeze()
    await box.accepted()
    await box.control("PATCH", "/account", {"limits": {"perMinute": 2, "perSecond": 2}})
    second = await box.send()
    assert (second.status_code, second.headers["x-ratelimit-limit"]) == (201, "2")
    assert (await box.send()).status_code == 429
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    assert (await box.send()).status_code == 201


@pytest.mark.parametrize(
    ("scopes", "sends", "reads"),
    [
        (["FULL_ACCESS"], 201, 200),
        (["READ_MESSAGES"], 403, 200),
        (["SEND_SMS"], 201, 403),
        (["SEND_EMAIL", "SEND_PUSH"], 403, 403),
        (["SEND_SMS", "READ_MESSAGES"], 201, 200),
        ([], 403, 403),
    ],
    ids=str,
)
async def test_an_account_may_do_what_its_scopes_say(
    box: Box, scopes: list[str], sends: int, reads: int
) -> None:
    message = await box.accepted()
    await box.control("PATCH", "/account", {"scopes": scopes})
    answers = {
        "SEND_SMS": [await box.send()],
        "READ_MESSAGES": [
            await box.call("GET", "/api/v1/messages"),
            await box.call("GET", f"/api/v1/messages/{message['id']}"),
        ],
    }
    for scope, status in [("SEND_SMS", sends), ("READ_MESSAGES", reads)]:
        for answer in answers[scope]:
            assert answer.status_code == status
            if status == 403:
                error = assert_refused(answer, 403, "forbidden")
                assert error["message"] == "Insufficient permissions"
                assert error["details"] == {"requiredScope": scope}
    assert (await box.call("GET", "/_sandbox/messages")).status_code == 200


@pytest.mark.parametrize(("method", "path"), ACCOUNT_CALLS)
async def test_a_call_about_one_account_needs_its_token(box: Box, method: str, path: str) -> None:
    answer = await stranger(box, method, path, json={})
    assert_refused(answer, 401, "unauthorized")


# Messages


async def test_the_inbox_is_newest_first_and_says_how_many_there_are(box: Box) -> None:
    sent = [(await box.accepted(message=f"number {n}"))["id"] for n in range(5)]
    assert await ids(box) == sent[::-1]
    assert await ids(box, limit=2) == sent[:2:-1]
    for query in ({"limit": 2}, {"limit": 2, "contains": "number"}):
        assert (await box.get("/_sandbox/messages", **query))["total"] == 5


async def test_each_filter_finds_what_it_asks_for(box: Box) -> None:
    await box.freeze()
    first = await box.accepted(NUMBER, "Your code is 493817", **{"from": "ShopLogin"})
    await box.advance(hours=1)
    second = await box.accepted([NUMBER, OTHER], "Webale! 10% off")
    third = await box.accepted("+256700000001", "your CODE has_expired")
    await box.advance(seconds=2)
    await box.accepted("+256700000003", "Enkya 🎉")
    since = (await box.look(second))["timeline"][0]["at"]
    hour_off = moment(since).astimezone().isoformat()
    one, two, three, four = [first["id"], second["id"], third["id"], (await ids(box))[0]]
    for query, found in [
        ({"to": NUMBER}, [two, one]),
        ({"to": OTHER}, [two]),
        ({"to": NUMBER[:-1]}, []),
        ({"q": "CODE"}, [three, one]),
        ({"q": "shoplogin"}, [one]),
        ({"q": OTHER[1:]}, [two]),
        ({"q": "%"}, [two]),
        ({"q": "_"}, [three]),
        ({"contains": "code"}, [one]),
        ({"contains": "🎉"}, [four]),
        ({"contains": "' OR 1=1 --"}, []),
        ({"matches": r"\b[0-9]{6}\b"}, [one]),
        ({"matches": "^(?i:your)"}, [three, one]),
        ({"status": "failed"}, [three]),
        ({"status": "delivered"}, [two, one]),
        ({"status": "pending"}, [four]),
        ({"status": "sent"}, []),
        ({"since": since}, [four, three, two]),
        ({"since": hour_off}, [four, three, two]),
        ({"to": NUMBER, "contains": "10%", "status": "delivered", "since": since}, [two]),
        ({"to": OTHER, "contains": "code"}, []),
    ]:
        assert await ids(box, **query) == found, query


async def test_a_status_is_asked_of_the_recipient_where_one_is_named(box: Box) -> None:
    message = await box.accepted([NUMBER, "+256700000001"])
    await box.advance(seconds=10)
    assert await ids(box, status="failed") == []
    assert await ids(box, status="failed", to="+256700000001") == [message["id"]]
    assert await ids(box, status="failed", to=NUMBER) == []


async def test_a_search_looks_through_the_whole_inbox() -> None:
    async with sandbox(tier="unlimited") as box:
        needle = await box.accepted(message="needle")
        await asyncio.gather(*[box.accepted(message=f"hay {n}") for n in range(450)])
        assert await ids(box, contains="needle") == [needle["id"]]
        assert await ids(box, matches="^n") == [needle["id"]]
        assert (await box.get("/_sandbox/messages", q="HAY", limit=1))["total"] == 450


BAD_QUESTIONS = [
    *[("since", value) for value in ("yesterday", "2024-01-01T00:00:00", "1700000000", "")],
    *[("status", value) for value in ("arrived", "Delivered", "")],
    *[("matches", value) for value in ("(", "[", "*", "(?P<a>")],
]
BAD_TIMEOUTS = ["-0.001", "60.001", "1 s", "soon", "nan", "inf"]


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        *[(path, *bad) for path in ("/messages", "/messages/wait") for bad in BAD_QUESTIONS],
        *[("/messages", "limit", value) for value in ("0", "1001", "-1", "all", "")],
        *[("/webhooks/attempts", "limit", value) for value in ("0", "1001", "-1", "all", "")],
        *[("/messages/wait", "timeout", value) for value in BAD_TIMEOUTS],
    ],
)
async def test_a_bad_question_is_refused_with_its_field(
    box: Box, path: str, field: str, value: str
) -> None:
    answer = await box.call("GET", f"/_sandbox{path}", params={field: value})
    error = assert_refused(answer, 400, "invalid_request")
    assert (error["details"]["field"], error["details"]["value"]) == (field, value)


async def test_a_message_in_full_says_all_that_is_known(box: Box) -> None:
    message = await box.accepted([NUMBER, OTHER], "Hello")
    look = await box.look(message)
    at = look["timeline"][0]["at"]
    assert moment(message["createdAt"]) <= moment(at)
    assert look == message | {
        "developerCost": 60,
        "developerCurrency": "UGX",
        "scheduledAt": None,
        "sentAt": None,
        "callbackUrl": None,
        "recipients": [
            {
                "to": to,
                "status": "pending",
                "reason": None,
                "timeline": [{"status": "pending", "at": at}],
            }
            for to in (NUMBER, OTHER)
        ],
        "segments": 1,
        "encoding": "GSM-7",
        "unicodeBecauseOf": None,
        "account": look["account"],
        "accountId": look["accountId"],
        "parts": ["Hello"],
        "requestId": look["requestId"],
        "timeline": [
            {
                "at": at,
                "type": "request",
                "requestId": look["requestId"],
                "decisions": [
                    {"by": "auth", "outcome": "accepted", "spelling": "bearer"},
                    {"by": "window", "outcome": "admitted", "limit": 100, "remaining": 99},
                ],
                "warnings": [],
            },
            {"at": at, "type": "status", "to": NUMBER, "status": "pending"},
            {"at": at, "type": "status", "to": OTHER, "status": "pending"},
        ],
    }
    assert box.token not in str(look)


async def test_a_message_in_full_names_the_request_that_sent_it(box: Box) -> None:
    sent = await box.send()
    assert (await box.look(sent.json()))["requestId"] == sent.headers["x-request-id"]


async def test_a_message_in_full_says_which_character_costs_more(box: Box) -> None:
    look = await box.look(await box.accepted(message="ê" * 71))
    assert (look["encoding"], look["segments"], look["unicodeBecauseOf"]) == ("UCS-2", 2, "ê")


async def test_a_timeline_has_statuses_and_webhooks_in_the_order_in_which_they_came(
    box: Box, receiver: Receiver
) -> None:
    receiver.answers = [500]
    message = await box.accepted(callbackUrl=receiver.url)
    await box.advance(hours=1)
    timeline = (await box.look(message))["timeline"]
    start = moment(timeline[0]["at"])
    told = [
        (
            (moment(each["at"]) - start).total_seconds(),
            each["type"],
            each.get("event") or each.get("status"),
            each.get("attempt"),
        )
        for each in timeline
    ]
    assert told == [
        (0, "request", None, None),
        (0, "status", "pending", None),
        (0.5, "status", "sent", None),
        (0.5, "webhook", "message.sent", 1),
        (2, "status", "delivered", None),
        (2, "webhook", "message.delivered", 1),
        (5.5, "webhook", "message.sent", 2),
    ]
    webhooks = [each for each in timeline if each["type"] == "webhook"]
    attempts = await box.attempts()
    assert [each["attemptId"] for each in webhooks] == [each["id"] for each in attempts]
    assert [each["status"] for each in webhooks] == [500, 200, 200]
    assert {each["url"] for each in webhooks} == {receiver.url}


async def test_an_account_sees_its_own_messages_and_a_stranger_sees_all(box: Box) -> None:
    other = box.other()
    mine, theirs = await box.accepted(), await other.accepted()
    assert await ids(box) == [mine["id"]]
    answer = await box.call("GET", f"/_sandbox/messages/{theirs['id']}")
    assert_refused(answer, 404, "not_found")
    everything = await everybody(box, "GET", "/messages")
    assert [each["id"] for each in everything["data"]] == [theirs["id"], mine["id"]]
    assert everything["total"] == 2
    assert (await everybody(box, "GET", f"/messages/{theirs['id']}"))["id"] == theirs["id"]


@pytest.mark.parametrize(
    "name",
    ["msg_0000000000000000", "msg_ffffffffffffffff", "msg_1", "nonsense", "SM0000000000000001"],
)
async def test_a_message_that_is_not_there_is_not_found(box: Box, name: str) -> None:
    await box.accepted()
    answer = await box.call("GET", f"/_sandbox/messages/{name}")
    assert_refused(answer, 404, "not_found")
    answer = await box.call("POST", f"/_sandbox/messages/{name}/status", json={"status": "sent"})
    assert_refused(answer, 404, "not_found")


# Waiting


async def test_a_wait_for_what_is_there_already_answers_with_the_newest(box: Box) -> None:
    await box.accepted(message="first")
    newest = await box.accepted(message="second")
    await box.accepted(OTHER)
    found = await box.get("/_sandbox/messages/wait", to=NUMBER, timeout=0)
    assert found["id"] == newest["id"]
    assert found["recipients"][0]["status"] == "pending"


async def test_a_wait_ends_with_the_message_that_is_sent_meanwhile(box: Box) -> None:
    waiting = asyncio.create_task(
        box.get("/_sandbox/messages/wait", to=OTHER, matches="[0-9]{6}", timeout=20)
    )
    await box.accepted(OTHER, "no digits")
    await box.accepted(NUMBER, "493817")
    message = await box.accepted(OTHER, "Your code is 493817")
    assert (await waiting)["id"] == message["id"]


async def test_a_wait_ends_with_the_status_that_is_come_to_meanwhile(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    waiting = asyncio.create_task(
        box.get("/_sandbox/messages/wait", status="delivered", timeout=20)
    )
    await box.advance(seconds=2)
    found = await waiting
    assert (found["id"], found["status"]) == (message["id"], "delivered")


async def test_fifty_may_wait_for_messages_of_their_own() -> None:
    async with sandbox(tier="unlimited") as box:
        waiting = [
            asyncio.create_task(box.get("/_sandbox/messages/wait", contains=f"<{n}>", timeout=20))
            for n in range(50)
        ]
        sent = [await box.accepted(message=f"<{n}>") for n in range(50)]
        found = await asyncio.gather(*waiting)
        assert [each["id"] for each in found] == [each["id"] for each in sent]


async def test_a_wait_without_a_credential_is_for_a_message_of_any_account(box: Box) -> None:
    waiting = asyncio.create_task(everybody(box, "GET", "/messages/wait?timeout=20"))
    message = await box.other().accepted()
    assert (await waiting)["id"] == message["id"]


async def test_a_wait_does_not_see_the_messages_of_others(box: Box) -> None:
    await box.other().accepted()
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0")
    error = assert_refused(answer, 408, "wait_timed_out")
    assert error["details"] == {"arrived": []}


async def test_a_wait_in_vain_tells_what_did_arrive(box: Box) -> None:
    sent = [await box.accepted(message=f"number {n}") for n in range(3)]
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0.01&contains=never")
    error = assert_refused(answer, 408, "wait_timed_out")
    arrived = error["details"]["arrived"]
    assert [each["id"] for each in arrived] == [each["id"] for each in sent[::-1]]
    assert arrived[0]["message"] == "number 2"
    assert "0.01 s" in error["message"]
    assert "frozen" not in error["message"]


async def test_a_wait_in_vain_on_a_frozen_clock_says_why(box: Box) -> None:
    await box.freeze()
    await box.accepted()
    answer = await box.call("GET", "/_sandbox/messages/wait?timeout=0.01&status=delivered")
    error = assert_refused(answer, 408, "wait_timed_out")
    assert "frozen" in error["message"]
    assert error["details"]["arrived"][0]["status"] == "pending"


# Emptying the inbox


async def test_an_emptied_inbox_begins_again_and_gives_no_id_twice(box: Box) -> None:
    other = box.other()
    theirs = await other.accepted()
    first = [await box.accepted() for _ in range(3)]
    assert await box.control("DELETE", "/messages") == {"deleted": 3}
    assert await ids(box) == []
    empty = await box.get("/api/v1/messages")
    assert (empty["data"], empty["pagination"]["total"]) == ([], 0)
    second = [await box.accepted() for _ in range(2)]
    page = await box.get("/api/v1/messages", limit=1, page=2)
    assert page["pagination"] == {"page": 2, "limit": 1, "total": 2, "pages": 2}
    assert [each["id"] for each in page["data"]] == [second[0]["id"]]
    assert len({each["id"] for each in first + second}) == 5
    assert await ids(other) == [theirs["id"]]


async def test_nothing_becomes_of_what_was_emptied(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    message = await box.accepted()
    await box.advance(seconds=1)
    await box.control("DELETE", "/messages")
    assert (await box.advance(hours=1))["performed"] == 0
    assert receiver.events == ["message.sent"]
    assert await box.attempts() == []
    assert (await box.call("GET", f"/api/v1/messages/{message['id']}")).status_code == 404
    assert (await box.control("GET", "/webhooks"))["endpoints"] != []


async def test_the_whole_sandbox_is_emptied_without_a_credential(box: Box) -> None:
    other = box.other()
    await box.accepted()
    await other.accepted()
    assert await everybody(box, "DELETE", "/messages") == {"deleted": 2}
    assert (await ids(box), await ids(other)) == ([], [])


# Statuses by hand


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "status"),
        ({"status": None}, "status"),
        ({"status": "arrived"}, "status"),
        ({"status": ["sent"]}, "status"),
        ({"status": "queued"}, "status"),
        ({"status": "pending"}, "status"),
        ({"status": "sent", "to": OTHER}, "to"),
        ({"status": "sent", "to": [NUMBER]}, "to"),
        ({"status": "sent", "to": ""}, "to"),
        ({"status": "sent", "recipient": NUMBER}, "recipient"),
        ([], "body"),
    ],
    ids=str,
)
async def test_a_status_by_hand_that_cannot_be_names_its_field_and_changes_nothing(
    box: Box, body: Any, field: str
) -> None:
    await box.freeze()
    message = await box.accepted()
    error = await refused(box, "POST", f"/messages/{message['id']}/status", body)
    assert error["details"]["field"] == field
    assert await box.read(message) == message


async def test_another_accounts_message_is_not_moved(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    path = f"/_sandbox/messages/{message['id']}/status"
    answer = await box.other().call("POST", path, json={"status": "failed"})
    assert_refused(answer, 404, "not_found")
    assert await box.read(message) == message


async def test_a_status_by_hand_answers_with_the_message_and_says_so(box: Box) -> None:
    await box.freeze()
    message = await box.accepted([NUMBER, OTHER])
    path = f"/messages/{message['id']}/status"
    moved = await box.control("POST", path, {"status": "failed", "to": OTHER})
    assert [(each["status"], each["reason"]) for each in moved["recipients"]] == [
        ("pending", None),
        ("failed", "Failed by hand"),
    ]
    assert moved == await box.look(message)


# The clock


async def test_a_new_clock_is_the_real_one(box: Box) -> None:
    clock = await box.get("/_sandbox/clock")
    assert clock.keys() == {"now", "realNow", "frozen", "aheadSeconds"}
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
    assert moment(advanced["now"]) - moment(frozen["now"]) == timedelta(microseconds=1)
    assert advanced["performed"] == 0
    assert (await box.freeze())["now"] == advanced["now"]


async def test_a_resumed_clock_runs_on_from_where_it_stood(box: Box) -> None:
    await box.freeze()
    advanced = await box.advance(days=400)
    resumed = await box.control("POST", "/clock/resume")
    assert resumed["frozen"] is False
    assert timedelta(0) <= moment(resumed["now"]) - moment(advanced["now"]) < timedelta(seconds=5)
    assert moment((await box.get("/_sandbox/clock"))["now"]) > moment(resumed["now"])
    assert (await box.control("POST", "/clock/resume"))["aheadSeconds"] > 399 * 86_400


async def test_what_was_to_happen_happens_after_the_clock_was_resumed(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    assert (await box.advance(seconds=1))["performed"] == 1
    assert (await box.read(message))["status"] == "sent"
    await box.control("POST", "/clock/resume")
    assert (await box.advance(seconds=1))["performed"] == 1
    assert (await box.read(message))["status"] == "delivered"


async def test_a_clock_is_advanced_to_an_instant(box: Box) -> None:
    frozen = await box.freeze()
    await box.accepted()
    to = moment(frozen["now"]) + timedelta(days=1)
    answer = await box.control("POST", "/clock/advance", {"to": to.isoformat()})
    assert moment(answer["now"]) == to
    assert answer["performed"] == 2
    again = await box.control("POST", "/clock/advance", {"to": to.isoformat()})
    assert (moment(again["now"]), again["performed"]) == (to, 0)


async def test_a_clock_never_goes_back(box: Box) -> None:
    before = await box.freeze()
    past = (moment(before["now"]) - timedelta(microseconds=1)).isoformat()
    for body, field in [({"seconds": -0.001}, "seconds"), ({"to": past}, "to")]:
        error = await refused(box, "POST", "/clock/advance", body)
        assert error["details"]["field"] == field
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]


async def test_a_clock_goes_ten_years_at_once_and_no_farther(box: Box) -> None:
    before = await box.freeze()
    beyond = moment(before["now"]) + timedelta(seconds=TEN_YEARS, microseconds=1)
    for body, field in [
        ({"seconds": TEN_YEARS + 0.001}, "seconds"),
        ({"seconds": 1e300}, "seconds"),
        ({"to": beyond.isoformat()}, "to"),
        ({"to": "9999-12-31T23:59:59.999999Z"}, "to"),
    ]:
        error = await refused(box, "POST", "/clock/advance", body)
        assert error["details"]["field"] == field
    assert (await box.get("/_sandbox/clock"))["now"] == before["now"]
    advanced = await box.advance(seconds=TEN_YEARS)
    assert moment(advanced["now"]) - moment(before["now"]) == timedelta(seconds=TEN_YEARS)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "seconds"),
        (b'{"seconds": null, "to": null}', "seconds"),
        (b'{"seconds": 1, "to": "2099-01-01T00:00:00Z"}', "seconds"),
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
async def test_a_journey_that_cannot_be_names_its_field(box: Box, body: bytes, field: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await box.call("POST", "/_sandbox/clock/advance", content=body, headers=headers)
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field


async def test_one_accounts_clock_is_no_others(box: Box) -> None:
    other = box.other()
    await other.get("/_sandbox/clock")
    await box.freeze()
    await box.advance(hours=1)
    clock = await other.get("/_sandbox/clock")
    assert (clock["frozen"], round(clock["aheadSeconds"])) == (False, 0)


async def test_the_whole_sandboxs_clock_moves_every_account_and_those_still_to_be_opened(
    box: Box,
) -> None:
    other = box.other()
    mine, theirs = await box.accepted(), await other.accepted()
    await other.advance(hours=1)
    travelled = await everybody(box, "POST", "/clock/advance", {"seconds": 3600})
    assert travelled["performed"] == 2
    assert (await box.read(mine))["status"] == (await other.read(theirs))["status"] == "delivered"
    for account, hours in [(box, 1), (other, 2), (box.other(), 1)]:
        ahead = (await account.get("/_sandbox/clock"))["aheadSeconds"]
        assert ahead == pytest.approx(hours * 3600, abs=0.01)


async def test_the_whole_sandbox_is_frozen_and_resumed_at_once(box: Box) -> None:
    await box.get("/_sandbox/clock")
    await everybody(box, "POST", "/clock/freeze")
    for account in (box, box.other()):
        assert (await account.get("/_sandbox/clock"))["frozen"] is True
    await everybody(box, "POST", "/clock/resume")
    for account in (box, box.other()):
        assert (await account.get("/_sandbox/clock"))["frozen"] is False


async def test_the_whole_sandbox_comes_to_an_instant_unless_an_account_is_past_it(box: Box) -> None:
    late = box.other()
    await late.advance(days=2)
    await box.get("/_sandbox/clock")
    to = moment((await everybody(box, "GET", "/clock"))["now"]) + timedelta(days=1)
    await everybody(box, "POST", "/clock/advance", {"to": to.isoformat()})
    for account, days in [(box, 1), (late, 2), (box.other(), 1)]:
        ahead = (await account.get("/_sandbox/clock"))["aheadSeconds"]
        assert ahead == pytest.approx(days * 86_400, abs=5)


# Webhook endpoints


async def test_endpoints_are_given_back_as_they_were_put(box: Box) -> None:
    assert await box.get("/_sandbox/webhooks") == {"endpoints": []}
    endpoints = [
        {"url": "http://localhost:9/a", "events": ["message.failed"], "secret": SECRET},
        {"url": "https://example.com/b?c=d", "events": EVENTS, "secret": None},
    ]
    put = await box.control("PUT", "/webhooks", {"endpoints": endpoints})
    assert put == {"endpoints": endpoints}
    assert await box.get("/_sandbox/webhooks") == put
    assert await box.control("PUT", "/webhooks", put) == put
    assert await box.other().get("/_sandbox/webhooks") == {"endpoints": []}
    assert await box.control("PUT", "/webhooks", {"endpoints": []}) == {"endpoints": []}


async def test_an_endpoint_hears_of_everything_unless_it_says_otherwise(box: Box) -> None:
    url = "http://localhost:9/"
    put = await box.control("PUT", "/webhooks", {"endpoints": [{"url": url}]})
    assert put == {"endpoints": [{"url": url, "events": EVENTS, "secret": None}]}


def endpoint(**fields: Any) -> dict[str, Any]:
    return {"endpoints": [{"url": "http://localhost:9/good"}, {"url": "http://a.test"} | fields]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (endpoint(url=None), "url"),
        (endpoint(url=""), "url"),
        (endpoint(url=5), "url"),
        (endpoint(url="localhost:9"), "url"),
        (endpoint(url="ftp://a.test"), "url"),
        (endpoint(url="http://"), "url"),
        (endpoint(url="http://a.test:99999"), "url"),
        (endpoint(url="http://a.test/ b"), "url"),
        (endpoint(url="http://a.test/" + "a" * 2048), "url"),
        (endpoint(events=["message.read"]), "events"),
        (endpoint(events=[]), "events"),
        (endpoint(events="message.sent"), "events"),
        (endpoint(events=[1]), "events"),
        (endpoint(secret=""), "secret"),
        (endpoint(secret="whsec_"), "secret"),
        (endpoint(secret="not base64!"), "secret"),
        (endpoint(secret="ключ"), "secret"),
        (endpoint(secret=5), "secret"),
        (endpoint(event="message.sent"), "event"),
        ({"endpoints": {"url": "http://a.test"}}, "endpoints"),
        ({"endpoints": ["http://a.test"]}, "endpoints"),
        ({"endpoints": None}, "endpoints"),
        ({"endpoints": [{"url": "http://a.test"}] * 17}, "endpoints"),
        ({"urls": []}, "urls"),
        ({}, "endpoints"),
        ([], "body"),
    ],
)
async def test_a_bad_endpoint_is_named_and_none_changes(box: Box, body: Any, field: str) -> None:
    before = await box.control(
        "PUT", "/webhooks", {"endpoints": [{"url": "http://a.test/before", "secret": SECRET}]}
    )
    error = await refused(box, "PUT", "/webhooks", body)
    assert error["details"]["field"] == field
    assert await box.get("/_sandbox/webhooks") == before


async def test_sixteen_endpoints_may_listen(box: Box) -> None:
    endpoints = [{"url": f"http://a.test/{n}"} for n in range(16)]
    put = await box.control("PUT", "/webhooks", {"endpoints": endpoints})
    assert len(put["endpoints"]) == 16


async def test_a_refused_secret_is_not_repeated_in_the_answer(box: Box) -> None:
    error = await refused(box, "PUT", "/webhooks", endpoint(secret="almost!a!secret"))
    assert "almost!a!secret" not in str(error)


# Webhook attempts


async def test_attempts_are_newest_first_and_can_be_of_one_message(
    box: Box, receiver: Receiver
) -> None:
    await box.listen(receiver.url)
    first, second = await box.accepted(), await box.accepted()
    await box.advance(seconds=10)
    listed = await box.control("GET", "/webhooks/attempts")
    assert listed["total"] == 4
    times = [each["at"] for each in listed["data"]]
    assert times == sorted(times, reverse=True)
    one = await box.control("GET", f"/webhooks/attempts?messageId={first['id']}")
    assert {each["messageId"] for each in one["data"]} == {first["id"]}
    assert one["total"] == 2
    newest = await box.control("GET", "/webhooks/attempts?limit=1")
    assert (len(newest["data"]), newest["total"]) == (1, 4)
    assert newest["data"][0]["messageId"] == second["id"]
    nothing = await box.control("GET", "/webhooks/attempts?messageId=msg_0000000000000001")
    assert nothing == {"data": [], "total": 0}
    other = await box.other().control("GET", f"/webhooks/attempts?messageId={first['id']}")
    assert other == {"data": [], "total": 0}
    assert (await everybody(box, "GET", "/webhooks/attempts"))["total"] == 4


async def test_an_attempt_is_sent_again_and_answers_with_the_new_one(
    box: Box, receiver: Receiver
) -> None:
    await box.listen(receiver.url, SECRET, events=["message.sent"])
    await box.accepted("+256700000004")
    await box.advance(seconds=1)
    [first] = await box.attempts()
    again = await box.control("POST", f"/webhooks/attempts/{first['id']}/resend")
    assert (again["attempt"], again["status"], again["event"]) == (2, 200, "message.sent")
    assert again["id"] != first["id"]
    assert await box.attempts() == [first, again]
    assert receiver.heard[0].body == receiver.heard[1].body
    assert receiver.heard[0].headers["webhook-id"] == receiver.heard[1].headers["webhook-id"]


@pytest.mark.parametrize(
    "name", ["att_0000000000000000", "att_ffffffffffffffff", "nonsense", "msg_0000000000000001"]
)
async def test_an_unknown_attempt_is_not_found(box: Box, name: str) -> None:
    answer = await box.call("POST", f"/_sandbox/webhooks/attempts/{name}/resend")
    assert_refused(answer, 404, "not_found")


async def test_another_accounts_attempt_is_not_found(box: Box, receiver: Receiver) -> None:
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    await box.advance(seconds=1)
    [attempt] = await box.attempts()
    path = f"/_sandbox/webhooks/attempts/{attempt['id']}/resend"
    assert_refused(await box.other().call("POST", path), 404, "not_found")
    assert len(receiver.heard) == 1
    assert (await stranger(box, "POST", f"/webhooks/attempts/{attempt['id']}/resend")).is_success
    assert len(receiver.heard) == 2


# Beginning anew


async def settle(box: Box, url: str) -> dict[str, Any]:
    """Change everything about an account that can be changed."""
    await box.control("PATCH", "/account", {"tier": "free", "senderId": "Changed", "price": 1})
    await box.listen(url)
    await box.freeze()
    message = await box.accepted(key="k")
    await box.advance(seconds=1)
    return message


async def everything(box: Box) -> list[Any]:
    clock = await box.get("/_sandbox/clock")
    return [
        await box.get("/_sandbox/account"),
        await box.get("/_sandbox/webhooks"),
        await box.get("/_sandbox/messages"),
        await box.attempts(),
        clock["frozen"],
        round(clock["aheadSeconds"]),
    ]


async def test_a_reset_account_is_as_new_and_the_others_are_left_alone(
    box: Box, receiver: Receiver
) -> None:
    fresh = await everything(box)
    other = box.other()
    theirs = await settle(other, receiver.url)
    mine = await settle(box, receiver.url)
    untouched = await everything(other)
    assert (await box.call("POST", "/_sandbox/reset")).status_code == 200
    assert await everything(box) == fresh
    assert await everything(other) == untouched
    assert (await other.accepted(key="k"))["id"] == theirs["id"]
    assert (await box.accepted(key="k"))["id"] != mine["id"]
    assert (await box.call("GET", f"/api/v1/messages/{mine['id']}")).status_code == 404


async def test_a_reset_gives_the_allowance_back(box: Box) -> None:
    await box.freeze()
    await box.control("PATCH", "/account", {"limits": {"perMinute": 1}})
    await box.accepted()
    assert (await box.send()).status_code == 429
    await box.control("POST", "/reset")
    answer = await box.send()
    assert answer.status_code == 201
    assert answer.headers["x-ratelimit-remaining"] == "99"


async def test_a_reset_account_has_what_its_magic_token_gives(box: Box) -> None:
    readonly = box.other("test_readonly_reset")
    before = await readonly.get("/_sandbox/account")
    await readonly.control("PATCH", "/account", {"scopes": ["FULL_ACCESS"], "tier": "free"})
    await readonly.control("POST", "/reset")
    assert await readonly.get("/_sandbox/account") == before
    assert before["scopes"] == ["READ_MESSAGES"]


async def test_nothing_that_was_to_happen_happens_after_a_reset(
    box: Box, receiver: Receiver
) -> None:
    receiver.answers = [500]
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=1)
    await box.control("POST", "/reset")
    assert (await box.advance(days=1))["performed"] == 0
    assert receiver.events == ["message.sent"]


async def test_the_whole_sandbox_is_reset_without_a_credential(
    box: Box, receiver: Receiver
) -> None:
    fresh, other = await everything(box), box.other()
    await settle(box, receiver.url)
    await settle(other, receiver.url)
    await everybody(box, "POST", "/clock/advance", {"seconds": 3600})
    await everybody(box, "POST", "/clock/freeze")
    await everybody(box, "POST", "/reset")
    for account in (box, other, box.other()):
        [_, *rest] = await everything(account)
        assert rest == fresh[1:]
    assert (await everybody(box, "GET", "/clock"))["frozen"] is False


# Bodies


@pytest.mark.parametrize("path", ["/clock/freeze", "/clock/resume", "/reset"])
async def test_a_call_without_a_body_needs_no_content_type(box: Box, path: str) -> None:
    answer = await box.call("POST", f"/_sandbox{path}")
    assert "content-type" not in answer.request.headers
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/clock/advance"), ("PATCH", "/account"), ("PUT", "/webhooks")],
)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""]
)
async def test_a_body_that_is_not_sent_as_json_is_refused(
    box: Box, method: str, path: str, content_type: str
) -> None:
    before = await everything(box)
    content = b'{"seconds": 60, "tier": "free", "endpoints": []}'
    headers = {"Content-Type": content_type}
    answer = await box.call(method, f"/_sandbox{path}", content=content, headers=headers)
    assert_refused(answer, 415, "unsupported_media_type")
    assert await everything(box) == before


async def test_a_body_over_a_mebibyte_is_refused(box: Box) -> None:
    answer = await box.call("PUT", "/_sandbox/webhooks", content=b" " * (1024 * 1024 + 1))
    assert_refused(answer, 413, "payload_too_large")


async def test_an_account_can_be_put_back_as_it_was_read(box: Box) -> None:
    free = box.other("test_unlimited_again")
    before = await free.control("GET", "/account")
    said = {name: value for name, value in before.items() if name != "token"}
    assert await free.control("PATCH", "/account", said) == before


async def test_a_number_is_found_with_its_plus_as_it_is(box: Box) -> None:
    message = await box.accepted(NUMBER)
    for name in ("to", "q"):
        found = await box.call("GET", f"/_sandbox/messages?{name}={NUMBER}")
        assert [each["id"] for each in found.json()["data"]] == [message["id"]]


async def test_who_begins_to_wait_when_the_sandbox_is_told_to_stop_is_answered_at_once() -> None:
    built = Sandbox(Settings())
    async with boxed(built) as box:
        await box.accepted(message="first")
        built.lifecycle.stop()
        answer = await box.call("GET", "/_sandbox/messages/wait?contains=second&timeout=60")
        assert_refused(answer, 408, "wait_timed_out")
        found = await box.get("/_sandbox/messages/wait", contains="first", timeout=60)
        assert found["message"] == "first"
