"""The journal: requests, responses and decisions, and which of them are kept."""

import re
from typing import Any

import httpx
import pytest
from box import BASE_PATH, NUMBER, Box, bounded
from hypothesis import given
from hypothesis import strategies as st

from msgine_sandbox.model.masking import masked_header

SEND = f"{BASE_PATH}/messages/sms"


async def entries(box: Box, **asked: Any) -> list[dict[str, Any]]:
    return (await box.get("/_sandbox/requests", **asked))["data"]


async def newest(box: Box) -> dict[str, Any]:
    return (await entries(box, limit=1))[0]


def decided(entry: dict[str, Any]) -> dict[str, str]:
    return {each["by"]: each["outcome"] for each in entry["decisions"]}


async def test_an_entry_has_the_request_and_its_answer(box: Box) -> None:
    answer = await box.send("+256701234567", "Hello")
    entry = await newest(box)
    assert entry == entry | {
        "id": answer.headers["x-request-id"],
        "method": "POST",
        "path": SEND,
        "query": "",
        "status": 201,
        "messageId": answer.json()["id"],
        "warnings": [],
    }
    assert entry["request"]["body"] == answer.request.content.decode()
    assert entry["request"]["headers"]["content-type"] == "application/json"
    assert entry["response"] == {"headers": dict(answer.headers), "body": answer.text}
    assert entry["durationMs"] > 0


async def test_entries_are_newest_first_and_found_by_request_id(box: Box) -> None:
    first = await box.send()
    await box.call("GET", f"{BASE_PATH}/messages", params={"page": 1, "limit": 5})
    listed, sent = await entries(box)
    assert (listed["method"], listed["query"]) == ("GET", "page=1&limit=5")
    assert sent == await box.get(f"/_sandbox/requests/{first.headers['x-request-id']}")
    assert (await box.call("GET", "/_sandbox/requests/req_0")).status_code == 404


async def test_control_calls_are_not_in_it(box: Box) -> None:
    await box.get("/_sandbox/messages")
    assert await entries(box) == []


SECRET = "s3cret-of-a-client-0123"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": SECRET},
        {"X-Api-Key": SECRET},
        {"X-Api-Key": SECRET, "Cookie": f"session={SECRET}; b=cc"},
        {"X-Api-Key": SECRET, "Proxy-Authorization": f"Basic {SECRET}"},
        {"X-Api-Key": SECRET, "X-Auth-Token": SECRET, "X-CSRFToken": SECRET},
        {"X-Api-Key": SECRET, "X-Control-Token": SECRET, "X-Amz-Security-Token": SECRET},
    ],
    ids=lambda headers: " and ".join(headers),
)
async def test_credentials_are_masked(box: Box, headers: dict[str, str]) -> None:
    await box.http.get(f"{BASE_PATH}/messages", headers=headers)
    answer = await box.other(SECRET).call("GET", "/_sandbox/requests")
    assert answer.json()["total"] == 1
    assert answer.json()["data"][0]["account"] == "s3cre…0123"
    assert not re.search("cret-|client-", answer.text)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Digest username=joe, response=abcdefghijkl", "Digest …"),
        ("Authorization", "Basic am9lOnNlY3JldC1vZi1qb2U=", "Basic …"),
        ("Authorization", "Bearer secret of mine", "Bearer …"),
        ("Authorization", "secret of mine", "…"),
        ("Authorization", "abcdefghijk", "ab…"),
        ("Authorization", "abc", "…"),
        ("Authorization", "Bearer test_shop", "Bearer test_shop"),
        ("Cookie", "session=abcdefghijkl; b=cc", "session=…; b=…"),
        ("Cookie", 'a="x;y"; abcdefgh; c==d', "a=…; …; …; c=…"),
        ("Set-Cookie", "id=s3cret; Path=/; secure; x=y", "id=…; Path=/; secure; x=…"),
        ("Webhook-Signature", "v1,abc", "v1,abc"),
        ("Idempotency-Key", "order-7", "order-7"),
        ("User-Agent", "shop/1.0 (token)", "shop/1.0 (token)"),
    ],
)
async def test_of_a_header_only_what_is_secret_is_masked(
    box: Box, name: str, value: str, shown: str
) -> None:
    headers = {"X-Api-Key": box.token, name: value}
    await box.http.get(f"{BASE_PATH}/messages", headers=headers)
    [entry] = await entries(box.anonymous)
    assert entry["request"]["headers"][name.lower()] == shown


async def test_secrets_in_a_query_are_masked(box: Box) -> None:
    query = "page=2&access_token=s3cret&apiKey=s3cret&%74oken=s3cret&user.password=s3cret&sig=&key"
    await box.call("GET", f"{BASE_PATH}/messages?{query}")
    shown = "page=2&access_token=…&apiKey=…&%74oken=…&user.password=…&sig=&key"
    assert (await newest(box))["query"] == shown


@given(
    values=st.lists(st.text("abc0123456789=\"' ", min_size=1).map("sEcReT".__add__), min_size=1),
    separator=st.sampled_from(["; ", ";", " ;  "]),
)
def test_no_value_of_a_cookie_is_ever_shown(values: list[str], separator: str) -> None:
    cookie = separator.join(f"name{at}={value}" for at, value in enumerate(values))
    shown = masked_header("cookie", cookie)
    assert "sEcReT" not in shown
    assert shown == "; ".join(f"name{at}=…" for at in range(len(values)))


async def test_decisions_are_in_the_order_of_the_pipeline(box: Box) -> None:
    await box.call("POST", "/_sandbox/faults", json={"effect": {"status": 503, "commit": True}})
    await box.send(key="k")
    entry = await newest(box)
    assert [each["by"] for each in entry["decisions"]] == ["auth", "window", "fault", "idempotency"]
    assert decided(entry) == {
        "auth": "accepted",
        "window": "admitted",
        "fault": "met",
        "idempotency": "first",
    }
    assert entry["decisions"][2]["effect"] == {"status": 503, "commit": True}


async def test_a_replay_is_distinguished_from_a_first_request(box: Box) -> None:
    await box.send(key="k")
    await box.send(key="k")
    found = [decided(each)["idempotency"] for each in await entries(box)]
    assert found == ["replayed", "first"]
    assert (await newest(box))["messageId"] is None


async def test_a_refused_request_has_no_decision_after_its_refusal(box: Box) -> None:
    await box.freeze()
    for _ in range(21):
        await box.send()
    entry = await newest(box)
    assert entry["status"] == 429
    assert decided(entry) == {"auth": "accepted", "window": "refused"}
    assert entry["decisions"][1]["retryAfter"] == 1


async def test_a_refusal_is_recorded_as_it_was_sent(box: Box) -> None:
    answer = await box.send("12345")
    entry = await newest(box)
    assert (entry["status"], entry["response"]["body"]) == (400, answer.text)


async def test_a_dropped_response_is_recorded_as_none(box: Box) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send("+256700004990")
    entry = await newest(box)
    assert (entry["status"], entry["response"]) == (None, None)
    assert entry["messageId"] == (await box.get("/_sandbox/messages"))["data"][0]["id"]


async def test_a_refusal_that_a_dropped_response_hides_is_recorded(box: Box) -> None:
    # Or nothing would say why there is no message.
    for fault in ({"drop": "after"}, {"drop": "before"}):
        await box.add_fault(fault, times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            await box.send("12345")
    before, after = (await box.get("/_sandbox/requests"))["data"]
    assert (after["status"], after["error"]["code"]) == (None, "invalid_phone_number")
    assert (before["status"], before["error"]) == (None, None)


async def test_a_malformed_response_is_recorded_as_the_client_received_it(box: Box) -> None:
    await box.call("POST", "/_sandbox/faults", json={"effect": {"malformed": True}})
    answer = await box.send()
    assert (await newest(box))["response"]["body"] == answer.text


async def test_requests_with_a_revoked_token_belong_to_its_account(box: Box) -> None:
    revoked = box.other("test_revoked_journal")
    await revoked.send()
    entry = await newest(revoked)
    assert (entry["status"], decided(entry)) == (401, {"auth": "refused"})


async def test_a_request_without_a_credential_is_shown_without_an_account(box: Box) -> None:
    await box.http.post(SEND, json={"to": NUMBER, "message": "Hello"})
    [entry] = (await box.http.get("/_sandbox/requests")).json()["data"]
    assert (entry["account"], entry["status"]) == (None, 401)
    assert entry["decisions"] == [{"by": "auth", "outcome": "refused", "spelling": None}]


async def test_without_an_account_all_requests_are_listed_in_order(box: Box) -> None:
    sent = [await account.send() for account in (box, box.other(), box, box.other())]
    found = (await box.http.get("/_sandbox/requests")).json()
    assert [each["id"] for each in found["data"]] == [
        answer.headers["x-request-id"] for answer in reversed(sent)
    ]


async def test_requests_of_other_accounts_are_not_listed(box: Box) -> None:
    sent = await box.send()
    other = box.other()
    assert await entries(other) == []
    path = f"/_sandbox/requests/{sent.headers['x-request-id']}"
    assert (await other.call("GET", path)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        ({"status": "201"}, [201]),
        ({"status": "2xx"}, [200, 201]),
        ({"status": "4xx"}, [404, 400]),
        ({"outcome": "accepted"}, [200, 201]),
        ({"outcome": "refused"}, [404, 400]),
        ({"outcome": "refused", "method": "post"}, [400]),
        ({"method": "get"}, [404, 200]),
        ({"path": "msg_"}, [404]),
        ({"warning": "unknown-field"}, [201]),
        ({"limit": 1}, [404]),
        ({"since": "2099-01-01T00:00:00Z"}, []),
        ({}, [404, 200, 400, 201]),
    ],
)
async def test_filters(box: Box, asked: dict[str, Any], statuses: list[int]) -> None:
    await box.send(priority="high")
    await box.send("12345")
    await box.call("GET", f"{BASE_PATH}/messages")
    await box.call("GET", f"{BASE_PATH}/messages/msg_0")
    found = (await box.call("GET", "/_sandbox/requests", params=asked)).json()
    assert [each["status"] for each in found["data"]] == statuses
    assert found["total"] == (4 if "limit" in asked else len(statuses))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"status": "2"}, "status"),
        ({"status": "6xx"}, "status"),
        ({"warning": "bad-style"}, "warning"),
        ({"outcome": "failed"}, "outcome"),
        ({"since": "yesterday"}, "since"),
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"warnings": "unknown-field"}, "warnings"),
    ],
)
async def test_a_bad_filter_is_refused(box: Box, asked: dict[str, Any], field: str) -> None:
    answer = await box.call("GET", "/_sandbox/requests", params=asked)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == field


async def test_a_refused_request_says_why_and_to_whom(box: Box) -> None:
    await box.send(["0701234567", *(f"+25670123456{n}" for n in range(4))])
    [entry] = await entries(box, view="summary")
    assert entry["to"] == ["0701234567", "+256701234560", "+256701234561"]
    assert entry["recipientCount"] == 5
    assert entry["fault"] is None
    assert entry["error"] == {
        "code": "invalid_phone_number",
        "message": "The phone number must be in E.164 format",
        "field": "to",
        "value": "0701234567",
        "expected": "+[country code][number]",
        "reason": "It does not begin with a plus sign and a country code.",
    }


async def test_a_request_that_was_not_answered_is_refused_by_its_fault(box: Box) -> None:
    fault = await box.add_fault({"drop": "before"})
    with pytest.raises(httpx.RemoteProtocolError):
        await box.send()
    [entry] = await entries(box, view="summary", outcome="refused")
    assert (entry["status"], entry["error"], entry["fault"]) == (None, None, fault["id"])
    assert (entry["to"], entry["recipientCount"]) == ([NUMBER], 1)


@pytest.mark.parametrize(
    ("effect", "code", "message"),
    [
        ({"status": 503, "envelope": False}, None, "Service unavailable"),
        ({"status": 503, "malformed": True}, "service_unavailable", None),
    ],
)
async def test_an_error_without_the_envelope_is_said_as_far_as_it_goes(
    box: Box, effect: dict[str, Any], code: str | None, message: str | None
) -> None:
    await box.add_fault(effect)
    await box.send()
    [entry] = await entries(box)
    assert (entry["error"]["code"], entry["error"]["message"]) == (code, message)


NO_OBJECTS = [b"", b"[]", b"no JSON", b'{"to": "\\ud800"}', b"[" * 5000, b"\xff"]


@pytest.mark.parametrize("body", NO_OBJECTS)
async def test_of_a_body_that_is_no_object_there_are_no_recipients(box: Box, body: bytes) -> None:
    await box.call("POST", SEND, content=body, headers={"Content-Type": "application/json"})
    [entry] = await entries(box, view="summary")
    assert (entry["to"], entry["recipientCount"]) == ([], 0)


async def test_what_a_list_says_of_a_request_is_bounded(box: Box) -> None:
    await box.send("+" + "1" * 5000, **{"from": ["x"] * 500})
    [entry] = await entries(box, view="summary")
    assert len(entry["to"][0]) == len(entry["error"]["value"]) == 200


async def test_it_can_be_emptied(box: Box) -> None:
    await box.send()
    other = box.other()
    await other.send()
    assert await box.control("DELETE", "/requests") == {"deleted": 1}
    assert await entries(box) == []
    assert len(await entries(other)) == 1


async def test_a_reset_empties_it(box: Box) -> None:
    await box.send()
    await box.control("POST", "/reset")
    assert await entries(box) == []


async def test_only_the_newest_are_kept() -> None:
    async with bounded(journal_per_account=5) as box:
        sent = [await box.send(message=str(number)) for number in range(8)]
        found = await box.get("/_sandbox/requests")
    assert found["total"] == 5
    assert [each["id"] for each in found["data"]] == [
        answer.headers["x-request-id"] for answer in sent[:2:-1]
    ]


async def test_above_the_total_limit_the_account_idle_longest_loses_its_oldest() -> None:
    async with bounded(journal_entries=5) as idle:
        busy = idle.other("test_unlimited_busy")
        for number in range(3):
            await idle.send(message=str(number))
        for number in range(3):
            await busy.send(message=str(number))
        assert [len(await entries(box)) for box in (idle, busy)] == [2, 3]
        await busy.send(message="3")
        await busy.send(message="4")
        assert [len(await entries(box)) for box in (idle, busy)] == [0, 5]
        await busy.send(message="5")
        await idle.send(message="again")
        assert [len(await entries(box)) for box in (idle, busy)] == [1, 4]


async def test_a_large_body_is_truncated(box: Box) -> None:
    await box.send(message="x" * 20_000)
    request = (await newest(box))["request"]
    assert (len(request["body"]), request["truncated"]) == (16 * 1024, True)


async def test_a_body_that_is_not_text_is_shown_with_replacement_characters(box: Box) -> None:
    await box.call("POST", SEND, content=b"\xff\x00{", headers={"Content-Type": "application/json"})
    entry = await newest(box)
    assert (entry["status"], entry["request"]["body"]) == (400, "\ufffd\x00{")


async def test_a_message_in_full_has_the_decisions_and_warnings_of_its_request(box: Box) -> None:
    message = await box.accepted(priority="high")
    [asked] = [
        each for each in (await box.details(message))["timeline"] if each["type"] == "request"
    ]
    entry = await newest(box)
    assert (asked["decisions"], asked["warnings"]) == (entry["decisions"], entry["warnings"])
