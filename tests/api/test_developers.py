"""The Developers API: recipients, and what all channels have in common."""

from typing import Any

import pytest
from box import DEVELOPERS, NUMBER, Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from matching import assert_refused
from receiver import Receiver
from sends import ANY_JSON, CHANNELS, EMAIL, PUSH, SENDS, SMS, later
from sync_box import sync_sandbox

OTHER = "+256752345678"
PEOPLE = [f"+2567012345{n:02d}" for n in range(100)]


# Recipients


@pytest.mark.parametrize(
    "to",
    [
        f"{NUMBER},{OTHER}",
        f" {NUMBER} , {OTHER} ",
        [NUMBER, OTHER],
        [NUMBER, OTHER, NUMBER],
        f"{NUMBER},{OTHER},{NUMBER}",
    ],
)
async def test_recipients_are_a_list_or_separated_by_commas(box: Box, to: Any) -> None:
    sent = await box.developers("POST", "/sms", SMS | {"to": to})
    assert sent["to"] == [NUMBER, OTHER]
    assert (sent["cost"], sent["currency"]) == (60, "UGX")


@pytest.mark.parametrize(
    ("path", "change", "field", "value"),
    [
        ("/sms", {"to": f"{NUMBER},"}, "to", ""),
        ("/sms", {"to": f"{NUMBER},,{OTHER}"}, "to", ""),
        ("/sms", {"to": ""}, "to", ""),
        ("/sms", {"to": [NUMBER, " "]}, "to", ""),
        ("/sms", {"to": []}, "to", 0),
        ("/sms", {"to": [*PEOPLE, OTHER]}, "to", 101),
        ("/sms", {"to": ",".join([*PEOPLE, OTHER])}, "to", 101),
        ("/sms", {"to": [NUMBER, 5]}, "to", 5),
        ("/email", {"to": "jane@example.com,"}, "to", ""),
        ("/email", {"to": []}, "to", 0),
        ("/email", {"to": [], "cc": "jane@example.com"}, "to", 0),
        ("/email", {"to": "Jane <jane@example.com>"}, "to", "Jane <jane@example.com>"),
        ("/email", {"to": "jane@example"}, "to", "jane@example"),
        ("/email", {"cc": "jane@"}, "cc", "jane@"),
        ("/email", {"bcc": ["a@example.com", "b c@example.com"]}, "bcc", "b c@example.com"),
        ("/email", {"cc": [f"p{n}@example.com" for n in range(100)]}, "to", 101),
        ("/email", {"from": "Shop"}, "from", "Shop"),
        ("/email", {"from": "Shop <shop>"}, "from", "Shop <shop>"),
        ("/push", {"tokens": []}, "tokens", 0),
        ("/push", {"tokens": [""]}, "tokens", ""),
        ("/push", {"tokens": ["a\nb"]}, "tokens", "a\nb"),
        ("/push", {"tokens": [f"token {n}" for n in range(101)]}, "tokens", 101),
        ("/push", {"userIds": ["1", 2]}, "userIds", 2),
        ("/push", {"topic": ""}, "topic", ""),
        ("/push", {"data": {"order": 1042}}, "data.order", 1042),
        ("/push", {"data": {"order": None}}, "data.order", None),
        ("/push", {"data": ["order"]}, "data", ["order"]),
        ("/push", {"imageUrl": "ftp://example.com/a.png"}, "imageUrl", "ftp://example.com/a.png"),
    ],
)
async def test_an_invalid_message_is_refused_with_field_and_reason(
    box: Box, path: str, change: dict[str, Any], field: str, value: Any
) -> None:
    error = await box.developers_error("POST", path, SENDS[path] | change)
    details = error["details"]
    assert (details["field"], details.get("value")) == (field, value)
    assert details["expected"]
    assert (await box.get("/_sandbox/messages"))["total"] == 0


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/sms", "to"),
        ("/sms", "message"),
        ("/email", "from"),
        ("/email", "to"),
        ("/email", "subject"),
        ("/email", "text"),
        ("/push", "title"),
        ("/push", "body"),
        ("/push/device", "token"),
        ("/push/device", "platform"),
    ],
)
async def test_a_missing_field_is_named(box: Box, path: str, field: str) -> None:
    whole = SENDS.get(path, {"token": "token-of-a-phone", "platform": "ios"})
    body = {name: value for name, value in whole.items() if name != field}
    assert (await box.developers_error("POST", path, body))["details"]["field"] == field


@pytest.mark.parametrize(
    ("path", "field", "longest"),
    [
        ("/sms", "message", 1000),
        ("/email", "subject", 200),
        ("/push", "title", 100),
        ("/push", "body", 500),
    ],
)
def test_a_text_has_from_one_character_to_its_maximum(path: str, field: str, longest: int) -> None:
    with sync_sandbox() as s:

        @given(st.sampled_from([0, 1, longest - 1, longest, longest + 1]), st.sampled_from("aê🎉"))
        def check(length: int, character: str) -> None:
            body = SENDS[path] | {field: character * length}
            answer = s.run(s.box.call("POST", DEVELOPERS + path, json=body))
            if 1 <= length <= longest:
                assert answer.status_code == 201
            else:
                details = assert_refused(answer, 400, "invalid_message")["details"]
                assert details == {"field": field, "maxLength": longest, "actualLength": length}

        check()


def test_a_list_has_from_one_to_a_hundred_recipients() -> None:
    with sync_sandbox() as s:

        @given(st.integers(0, 3) | st.integers(98, 103), st.sampled_from(["sms", "email", "push"]))
        def check(count: int, channel: str) -> None:
            change: dict[str, Any] = {
                "sms": {"to": [f"+2567012{n:05d}" for n in range(count)]},
                "email": {"to": [f"p{n}@example.com" for n in range(count)]},
                "push": {"tokens": [f"token {n}" for n in range(count)]},
            }[channel]
            body = SENDS[f"/{channel}"] | change
            before = s.messages()
            answer = s.run(s.box.call("POST", f"{DEVELOPERS}/{channel}", json=body))
            assert answer.status_code == (201 if 1 <= count <= 100 else 400)
            assert s.messages() - before == (answer.status_code == 201)

        check()


# Scopes


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/sms", "SEND_SMS"),
        ("POST", "/email", "SEND_EMAIL"),
        ("POST", "/push", "SEND_PUSH"),
        ("POST", "/push/device", "SEND_PUSH"),
        ("DELETE", "/push/device", "SEND_PUSH"),
        ("GET", "/sms/history", "READ_MESSAGES"),
        ("GET", "/email/history", "READ_MESSAGES"),
        ("GET", "/push/history", "READ_MESSAGES"),
        ("GET", "/msg_1a207b600e24aa5c", "READ_MESSAGES"),
        ("GET", "/analytics/overview", "READ_MESSAGES"),
        ("GET", "/analytics/daily", "READ_MESSAGES"),
    ],
)
async def test_a_call_needs_its_scope_or_full_access(
    box: Box, method: str, path: str, scope: str
) -> None:
    every = ["READ_MESSAGES", "SEND_SMS", "SEND_EMAIL", "SEND_PUSH"]
    body = SENDS.get(path, {"token": "a", "platform": "ios"}) if method != "GET" else None
    others = [each for each in every if each != scope]
    await box.control("PATCH", "/account", {"scopes": others})
    error = await box.developers_error(method, path, body)
    assert (error["code"], error["details"]) == ("forbidden", {"requiredScope": scope})
    for scopes in ([scope], ["FULL_ACCESS"]):
        await box.control("PATCH", "/account", {"scopes": scopes})
        answer = await box.call(method, DEVELOPERS + path, json=body)
        assert answer.status_code in {200, 201, 404}


# Reading


async def test_both_apis_show_a_message_each_in_its_own_currency(box: Box) -> None:
    first = await box.accepted()
    second = await box.developers("POST", "/sms", SMS)
    history = await box.developers("GET", "/sms/history")
    listed = await box.get("/api/v1/messages")
    assert [each["id"] for each in history["messages"]] == [second["id"], first["id"]]
    assert [each["id"] for each in listed["data"]] == [second["id"], first["id"]]
    assert {each["currency"] for each in history["messages"]} == {"UGX"}
    assert {each["currency"] for each in listed["data"]} == {"USD"}
    assert (await box.developers("GET", f"/{first['id']}"))["cost"] == 30
    assert (await box.read(second))["cost"] == 0.05


@pytest.mark.parametrize("path", ["/email", "/push"])
async def test_the_messages_api_shows_sms_only(box: Box, path: str) -> None:
    sent = await box.developers("POST", path, SENDS[path])
    answer = await box.call("GET", f"/api/v1/messages/{sent['id']}")
    assert_refused(answer, 404, "not_found")
    assert (await box.get("/api/v1/messages"))["data"] == []


@pytest.mark.parametrize(
    ("path", "name"), [("/sms", "messages"), ("/email", "messages"), ("/push", "notifications")]
)
async def test_a_history_has_only_its_channel_newest_first(box: Box, path: str, name: str) -> None:
    await box.freeze()
    sent = [await box.developers("POST", path, SENDS[path]) for _ in range(3)]
    for other in SENDS:
        await box.developers("POST", other, SENDS[other])
    await box.developers("GET", "/sms/history")
    pages = [await box.developers("GET", f"{path}/history", page=n, limit=3) for n in (1, 2, 3)]
    assert [page["total"] for page in pages] == [4, 4, 4]
    assert [(page["page"], page["pages"]) for page in pages] == [(1, 2), (2, 2), (3, 2)]
    assert [len(page[name]) for page in pages] == [3, 1, 0]
    assert pages[1][name] == sent[:1]


async def test_another_accounts_message_is_not_found(box: Box) -> None:
    sent = await box.developers("POST", "/email", EMAIL)
    assert (await box.other().developers_error("GET", f"/{sent['id']}"))["code"] == "not_found"


# What is common to all channels


@CHANNELS
async def test_an_endpoint_receives_events_of_every_channel(
    box: Box, receiver: Receiver, path: str
) -> None:
    await box.listen(receiver.url)
    sent = await box.developers("POST", path, SENDS[path])
    await box.advance(seconds=2)
    events = [(each.content["event"], each.content["messageId"]) for each in receiver.received]
    assert events == [("message.sent", sent["id"]), ("message.delivered", sent["id"])]


async def test_an_endpoint_receives_the_event_of_a_push_that_failed_immediately(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    await box.developers("POST", "/push", PUSH | {"tokens": ["sandbox-refused"]})
    await box.advance(seconds=0)
    assert [each.content["event"] for each in receiver.received] == ["message.failed"]
    assert [each.content["to"] for each in receiver.received] == ["sandbox-refused"]


@CHANNELS
@pytest.mark.parametrize("pattern", ["*@example.com", "token-of-*", "+25670*"])
async def test_a_fault_applies_to_the_recipient_that_it_names(
    box: Box, path: str, pattern: str
) -> None:
    await box.add_fault({"status": 503}, match={"to": pattern})
    meant = {"*@example.com": "/email", "token-of-*": "/push", "+25670*": "/sms"}[pattern]
    answer = await box.call("POST", DEVELOPERS + path, json=SENDS[path])
    assert answer.status_code == (503 if path == meant else 201)


async def test_a_token_with_pattern_characters_matches_only_itself(box: Box) -> None:
    await box.add_fault({"status": 503}, match={"to": "a[b]?"})
    for token, status in (("a[b]?", 503), ("ab?", 201), ("a[b]c", 201)):
        answer = await box.call("POST", f"{DEVELOPERS}/push", json=PUSH | {"tokens": [token]})
        assert answer.status_code == status


@CHANNELS
async def test_an_unknown_field_causes_a_warning(box: Box, path: str) -> None:
    answer = await box.call("POST", DEVELOPERS + path, json=SENDS[path] | {"priority": 1})
    assert answer.status_code == 201
    assert answer.headers["x-sandbox-warning"].split(", ")[0] == "unknown-field"


async def test_an_sms_gets_the_same_warnings_from_both_apis(box: Box) -> None:
    body = {"to": "+256414123456", "message": "Webale 🎉"}
    first = await box.send(**body)
    second = await box.call("POST", f"{DEVELOPERS}/sms", json=body)
    assert first.headers["x-sandbox-warning"] == second.headers["x-sandbox-warning"]


async def test_an_inbox_has_all_channels_newest_first(box: Box) -> None:
    sent = [await box.developers("POST", path, SENDS[path]) for path in (*SENDS, *SENDS)]
    found = await box.get("/_sandbox/messages", limit=4)
    assert found["total"] == 6
    assert [each["id"] for each in found["data"]] == [each["id"] for each in sent[:1:-1]]
    emails = await box.get("/_sandbox/messages", channel="email")
    assert {each["channel"] for each in emails["data"]} == {"email"}
    assert emails["total"] == 2


async def test_a_reset_deletes_devices_and_totals(box: Box) -> None:
    await box.developers("POST", "/push/device", {"token": "mine", "platform": "ios"})
    await box.developers("POST", "/push", PUSH)
    await box.control("POST", "/reset")
    assert (await box.developers("GET", "/analytics/overview"))["totals"]["sent"] == 0
    error = await box.developers_error("DELETE", "/push/device", {"token": "mine"})
    assert error["code"] == "not_found"


async def test_everything_survives_a_restart(tmp_path: Any) -> None:
    file = str(tmp_path / "kept.db")
    async with sandbox(database=file) as box:
        await box.freeze()
        token = box.token
        at = await later(box, hours=1)
        copies = {"cc": "c@example.com", "html": "<b>It is</b>", "scheduledFor": at}
        email = await box.developers("POST", "/email", EMAIL | copies)
        more = {"data": {"order": "1042"}, "imageUrl": "https://example.com/a.png"}
        push = await box.developers("POST", "/push", PUSH | more)
        await box.developers("POST", "/push/device", {"token": "mine", "platform": "ios"})
        sums = await box.developers("GET", "/analytics/overview")
        looks = [await box.get("/_sandbox/messages")]
    async with sandbox(database=file) as again:
        box = again.other(token)
        assert [await box.get("/_sandbox/messages")] == looks
        assert await box.developers("GET", f"/{email['id']}") == email
        assert await box.developers("GET", f"/{push['id']}") == push
        assert await box.developers("GET", "/analytics/overview") == sums
        await box.advance(hours=2)
        assert (await box.developers("GET", f"/{email['id']}"))["status"] == "delivered"
        await box.developers("DELETE", "/push/device", {"token": "mine"})


@CHANNELS
def test_no_value_of_a_field_causes_a_500(path: str) -> None:
    with sync_sandbox() as s:
        fields = sorted(
            SENDS[path] | {"cc": 1, "data": 1, "topic": 1, "scheduledFor": 1, "userIds": 1}
        )

        @given(st.dictionaries(st.sampled_from(fields), ANY_JSON, min_size=1, max_size=3))
        def check(change: dict[str, Any]) -> None:
            before = s.messages()
            answer = s.run(s.box.call("POST", DEVELOPERS + path, json=SENDS[path] | change))
            assert answer.status_code in {201, 400}
            assert s.messages() - before == (answer.status_code == 201)

        check()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/push", b'{"title":"T","body":"B","tokens":["a"],"data":{"k":"\\ud800"}}'),
        ("/push", b'{"title":"T","body":"B","tokens":["\\ud800"]}'),
        ("/push", b'{"title":"\\ud800","body":"B","tokens":["a"]}'),
        ("/email", b'{"from":"a@example.com","to":"\\ud800@example.com","subject":"S","text":"T"}'),
        (
            "/email",
            b'{"from":"\\ud800 <a@example.com>","to":"b@example.com","subject":"S","text":"T"}',
        ),
        ("/sms", b'{"to":"+256701234567","message":"Hi","idempotencyKey":"\\ud800"}'),
        ("/push/device", b'{"token":"\\ud800","platform":"ios"}'),
        ("/push", b'{"title":"T","body":"B","topic":"\\ud800"}'),
    ],
)
async def test_half_of_a_surrogate_pair_is_refused_in_every_field(
    box: Box, path: str, change: bytes
) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = await box.call("POST", DEVELOPERS + path, content=change, headers=json_type)
    assert answer.status_code == 400
