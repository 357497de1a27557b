"""Accounts: their settings, their list, and how a control call names one."""

from pathlib import Path
from typing import Any

import pytest
from box import Box, sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import sync_sandbox

ACCOUNT_CALLS = [
    ("GET", "/account"),
    ("PATCH", "/account"),
    ("PUT", "/webhooks"),
]

RATE = "a whole number from 1 to 1000000"
SCOPES = "one of FULL_ACCESS, READ_MESSAGES, SEND_SMS, SEND_EMAIL, SEND_PUSH"


async def test_a_new_account_is_as_documented_its_token_masked(box: Box) -> None:
    mine = box.other("secret_token_of_mine")
    assert await mine.get("/_sandbox/account") == {
        "token": "secre…mine",
        "name": None,
        "tier": "starter",
        "limits": {"perMinute": 100, "perSecond": 20},
        "scopes": ["FULL_ACCESS"],
        "senderId": "MsGine",
        "currency": "USD",
        "price": 0.05,
        "developerPrices": {"sms": 30, "email": 5, "push": 0},
        "answers": "documented",
    }


async def test_accounts_are_listed_newest_first_with_what_remains_of_their_windows(
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
    assert (newest["token"], newest["tier"]) == ("test_free_of_another", "free")
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


async def test_a_limit_bounds_the_list_of_accounts(box: Box) -> None:
    for _ in range(3):
        await box.other().accepted()
    listed = (await box.http.get("/_sandbox/accounts?limit=2")).json()
    assert (len(listed["data"]), listed["total"]) == (2, 3)
    everybody = (await box.http.get("/_sandbox/accounts")).json()["data"]
    assert [each["id"] for each in everybody[:2]] == [each["id"] for each in listed["data"]]


async def test_an_account_can_be_named_by_its_id_instead_of_its_token(box: Box) -> None:
    sent = await box.accepted()
    await box.other().accepted()
    named = {"X-Sandbox-Account": (await box.details(sent))["accountId"]}
    found = (await box.http.get("/_sandbox/messages", headers=named)).json()
    assert [each["id"] for each in found["data"]] == [sent["id"]]
    frozen = await box.http.post("/_sandbox/clock/freeze", headers=named)
    assert frozen.json()["frozen"]
    assert (await box.get("/_sandbox/clock"))["frozen"]
    assert not (await box.other().get("/_sandbox/clock"))["frozen"]


@pytest.mark.parametrize("name", ["acc_00000000000000ff", "acc_1", "test_me", ""])
async def test_an_unknown_account_is_not_found(box: Box, name: str) -> None:
    answer = await box.http.get("/_sandbox/account", headers={"X-Sandbox-Account": name})
    error = assert_refused(answer, 404, "not_found")
    assert error["details"] == {"field": "X-Sandbox-Account", "value": name}


async def test_the_id_of_an_account_is_not_a_credential_of_the_public_api(box: Box) -> None:
    message = await box.details(await box.accepted())
    named = {"X-Sandbox-Account": message["accountId"]}
    answer = await box.http.get("/api/v1/messages", headers=named)
    assert_refused(answer, 401, "unauthorized")


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
        ({"name": "Shop, Kampala"}, {}),
        ({"name": "ç" * 64}, {}),
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
async def test_only_the_given_fields_of_an_account_are_changed(
    box: Box, change: dict, effect: dict
) -> None:
    before = await box.get("/_sandbox/account")
    given = {name: value for name, value in change.items() if value is not None}
    changed = await box.control("PATCH", "/account", change)
    assert changed == before | given | effect
    assert await box.get("/_sandbox/account") == changed


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "invalid_request"),
        ("name", "x" * 65, "invalid_request"),
        ("name", " Shop", "invalid_request"),
        ("name", "Shop\n", "invalid_request"),
        ("name", "Shop\u202epohs", "invalid_request"),
        ("name", "Shop\x00", "invalid_request"),
        ("name", 5, "invalid_request"),
        ("tier", "gold", "invalid_request"),
        ("tier", 3, "invalid_request"),
        ("limits", 5, "invalid_request"),
        ("scopes", "FULL_ACCESS", "invalid_request"),
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
async def test_an_invalid_field_is_named_and_the_account_does_not_change(
    box: Box, field: str, value: Any, code: str
) -> None:
    before = await box.get("/_sandbox/account")
    good = {"tier": "free", "senderId": "Other", "price": 1, "currency": "EUR", "scopes": []}
    answer = await box.call("PATCH", "/_sandbox/account", json=good | {field: value})
    assert assert_refused(answer, 400, code)["details"]["field"] == field
    assert await box.get("/_sandbox/account") == before


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({"limits": {"perHour": 5}}, "limits.perHour", "perMinute, perSecond"),
        ({"limits": {"perMinute": 0}}, "limits.perMinute", RATE),
        ({"limits": {"perMinute": 1.5}}, "limits.perMinute", RATE),
        ({"limits": {"perSecond": True}}, "limits.perSecond", RATE),
        ({"limits": {"perSecond": 1_000_001}}, "limits.perSecond", RATE),
        ({"scopes": ["ADMIN"]}, "scopes[0]", SCOPES),
        ({"scopes": ["FULL_ACCESS", "ADMIN"]}, "scopes[1]", SCOPES),
        ({"scopes": [["READ_MESSAGES"]]}, "scopes[0]", SCOPES),
    ],
    ids=str,
)
async def test_what_is_inside_of_a_field_is_named_by_its_path(
    box: Box, body: Any, field: str, expected: str
) -> None:
    before = await box.get("/_sandbox/account")
    error = await box.control_error("PATCH", "/account", {"tier": "free"} | body)
    details = error["details"]
    assert (details["field"], details["expected"]) == (field, expected)
    assert error["message"].startswith(("limits has no field", f"{field} must be"))
    assert await box.get("/_sandbox/account") == before


async def test_a_name_is_listed_found_exported_and_lost_in_a_reset(box: Box) -> None:
    mine, other = box.other("test_first"), box.other("secret_token_of_another")
    await mine.control("PATCH", "/account", {"name": "Shop, Straße 1"})
    await mine.control("PATCH", "/account", {"tier": "free"})
    await other.accepted()
    listed = (await box.http.get("/_sandbox/accounts")).json()["data"]
    assert [each["name"] for each in listed] == [None, "Shop, Straße 1"]
    for text, found in [
        ("STRASSE", ["test_first"]),
        ("FIRST", ["test_first"]),
        ("ther", ["secre…ther"]),
        ("t", ["secre…ther", "test_first"]),
        ("nobody", []),
    ]:
        answer = (await box.http.get("/_sandbox/accounts", params={"q": text})).json()
        assert [each["token"] for each in answer["data"]] == found
        assert answer["total"] == len(found)
    scenario = await mine.get("/_sandbox/scenario")
    assert "name" not in (await other.get("/_sandbox/scenario"))["accounts"][0]
    await other.control("PUT", "/scenario", scenario)
    assert (await other.get("/_sandbox/account"))["name"] == "Shop, Straße 1"
    await other.control("PATCH", "/account", {"name": None})
    assert (await other.get("/_sandbox/account"))["name"] is None
    await mine.control("POST", "/reset")
    assert (await mine.get("/_sandbox/account"))["name"] is None


async def test_a_name_that_is_no_text_is_refused_without_an_echo_that_fails(box: Box) -> None:
    content, headers = b'{"name": "\\ud800"}', {"Content-Type": "application/json"}
    answer = await box.call("PATCH", "/_sandbox/account", content=content, headers=headers)
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == "name"


async def test_an_empty_search_for_accounts_is_refused(box: Box) -> None:
    answer = await box.http.get("/_sandbox/accounts?q=")
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == "q"


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
    await box.freeze()
    message = await box.accepted()
    await box.control("PATCH", "/account", {"price": 9, "currency": "EUR", "senderId": "Later"})
    assert await box.read(message) == message
    later = await box.accepted()
    assert (later["cost"], later["currency"], later["from"]) == (9, "EUR", "Later")


async def test_changed_limits_apply_from_the_next_request_on(box: Box) -> None:
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
    answer = await box.anonymous.call(method, f"/_sandbox{path}", json={})
    assert_refused(answer, 401, "unauthorized")


async def test_an_account_can_be_put_back_as_it_was_read(box: Box) -> None:
    free = box.other("test_unlimited_again")
    before = await free.control("GET", "/account")
    said = {name: before[name] for name in before.keys() - {"token", "answers"}}
    assert await free.control("PATCH", "/account", said) == before


# How accounts are shown


@pytest.mark.parametrize(
    "token", ["test_me", "test_", "test_hooks", "test_free_1", "test_live_key", "test_" + "x" * 95]
)
async def test_a_token_for_tests_is_shown_whole(box: Box, token: str) -> None:
    account = await box.other(token).get("/_sandbox/account")
    assert account["token"] == token
    await box.other(token).accepted()
    [entry] = (await box.other(token).get("/_sandbox/requests"))["data"]
    assert entry["account"] == token
    assert entry["request"]["headers"]["authorization"] == f"Bearer {token}"


async def test_a_token_for_tests_of_any_length_is_shown_in_bounds(box: Box) -> None:
    account = await box.other("test_" + "x" * 5000).get("/_sandbox/account")
    assert account["token"] == "test_…xxxx"


@given(
    tokens=st.lists(
        st.text("abAB01-", min_size=1, max_size=11) | st.text("abc", min_size=12, max_size=40),
        unique=True,
        max_size=20,
    )
)
@example(["a", "b", "ab", "acme-key-1", "acme-key-2", "a-secret-0001-end", "a-secret-0002-end"])
def test_other_tokens_are_told_apart_and_not_shown(tokens: list[str]) -> None:
    with sync_sandbox() as sync:
        shown = [
            sync.run(sync.box.other(token).get("/_sandbox/account"))["token"] for token in tokens
        ]
        again = [
            sync.run(sync.box.other(token).get("/_sandbox/account"))["token"] for token in tokens
        ]
    assert len(set(shown)) == len(shown)
    assert shown == again
    for token, hint in zip(tokens, shown, strict=True):
        revealed = len(hint.partition("#")[0]) - len("…")
        assert revealed <= (len(token) // 4 if len(token) < 12 else 9)


async def test_accounts_of_a_file_are_told_apart_after_a_restart(tmp_path: Path) -> None:
    file, shown = str(tmp_path / "sandbox.db"), {}
    for token in ("acme-1", "acme-2", "acme-3"):
        async with sandbox(database=file) as box:
            shown[token] = (await box.other(token).get("/_sandbox/account"))["token"]
    assert len(set(shown.values())) == 3
    async with sandbox(database=file) as box:
        for token, hint in shown.items():
            assert (await box.other(token).get("/_sandbox/account"))["token"] == hint
