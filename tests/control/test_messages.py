"""The inbox: searching and reading messages, deleting them, and setting statuses."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from box import NUMBER, Box, sandbox
from matching import assert_refused
from receiver import Hanging, Receiver

OTHER = "+256752345678"


async def test_the_next_page_starts_before_a_message(box: Box) -> None:
    sent = [await box.accepted(message=f"{n}") for n in range(5)]
    page = await box.get("/_sandbox/messages", limit=2)
    older = await box.get("/_sandbox/messages", limit=2, before=page["data"][-1]["id"])
    assert [each["id"] for each in older["data"]] == [sent[2]["id"], sent[1]["id"]]
    assert (page["total"], older["total"]) == (5, 3)
    answer = await box.call("GET", "/_sandbox/messages?before=yesterday")
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == "before"


async def test_the_inbox_is_newest_first_and_has_the_total(box: Box) -> None:
    sent = [(await box.accepted(message=f"number {n}"))["id"] for n in range(5)]
    assert await box.message_ids() == sent[::-1]
    assert await box.message_ids(limit=2) == sent[:2:-1]
    for query in ({"limit": 2}, {"limit": 2, "contains": "number"}):
        assert (await box.get("/_sandbox/messages", **query))["total"] == 5


async def test_each_filter_finds_exactly_its_messages(box: Box) -> None:
    await box.freeze()
    first = await box.accepted(NUMBER, "Your code is 493817", **{"from": "ShopLogin"})
    await box.advance(hours=1)
    second = await box.accepted([NUMBER, OTHER], "Webale! 10% off")
    third = await box.accepted("+256700000001", "your CODE has_expired")
    await box.advance(seconds=2)
    await box.accepted("+256700000003", "Enkya 🎉")
    since = (await box.details(second))["timeline"][0]["at"]
    hour_off = datetime.fromisoformat(since).astimezone().isoformat()
    one, two, three, four = [first["id"], second["id"], third["id"], (await box.message_ids())[0]]
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
        assert await box.message_ids(**query) == found, query


async def test_messages_are_counted_by_every_filter_of_a_search(box: Box) -> None:
    await box.freeze()
    assert await box.get("/_sandbox/messages/count") == {"count": 0}
    for text in ("Your code is 493817", "Hello", "Hello again"):
        await box.accepted(message=text)
    for query, count in [
        ({}, 3),
        ({"q": "hello"}, 2),
        ({"contains": "Hello", "to": NUMBER}, 2),
        ({"matches": "[0-9]{6}"}, 1),
        ({"status": "pending"}, 3),
        ({"since": "2099-01-01T00:00:00Z"}, 0),
        ({"before": (await box.message_ids())[0]}, 2),
        ({"channel": "push"}, 0),
    ]:
        assert await box.get("/_sandbox/messages/count", **query) == {"count": count}, query
    assert await box.anonymous.get("/_sandbox/messages/count") == {"count": 3}
    for field, value in [("limit", "1"), ("view", "summary"), ("status", "arrived")]:
        answer = await box.call("GET", "/_sandbox/messages/count", params={field: value})
        assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == field


async def test_a_count_says_where_it_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msgine_sandbox.services.inbox.MOST_COUNTED", 2)
    async with sandbox(tier="unlimited") as box:
        for _ in range(4):
            await box.accepted(message="Hello")
        found = await box.get("/_sandbox/messages/count", contains="Hello")
        assert found == {"count": 2, "countIsMinimum": True}
        assert await box.get("/_sandbox/messages/count") == {"count": 4}


async def test_a_status_filter_with_a_recipient_is_about_that_recipient(box: Box) -> None:
    message = await box.accepted([NUMBER, "+256700000001"])
    await box.advance(seconds=10)
    assert await box.message_ids(status="failed") == []
    assert await box.message_ids(status="failed", to="+256700000001") == [message["id"]]
    assert await box.message_ids(status="failed", to=NUMBER) == []


async def test_a_search_covers_the_whole_inbox() -> None:
    async with sandbox(tier="unlimited") as box:
        needle = await box.accepted(message="needle")
        await asyncio.gather(*[box.accepted(message=f"hay {n}") for n in range(450)])
        assert await box.message_ids(contains="needle") == [needle["id"]]
        assert await box.message_ids(matches="^n") == [needle["id"]]
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
async def test_an_invalid_query_is_refused_with_its_field(
    box: Box, path: str, field: str, value: str
) -> None:
    answer = await box.call("GET", f"/_sandbox{path}", params={field: value})
    error = assert_refused(answer, 400, "invalid_request")
    assert (error["details"]["field"], error["details"]["value"]) == (field, value)


async def test_a_message_in_full_has_all_fields(box: Box) -> None:
    await box.freeze()
    message = await box.accepted([NUMBER, OTHER], "Hello")
    details = await box.details(message)
    at = details["timeline"][0]["at"]
    assert datetime.fromisoformat(message["createdAt"]) <= datetime.fromisoformat(at)
    assert details == message | {
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
        "account": details["account"],
        "accountId": details["accountId"],
        "parts": ["Hello"],
        "code": None,
        "codes": [],
        "links": [],
        "requestId": details["requestId"],
        "timeline": [
            {
                "at": at,
                "type": "request",
                "requestId": details["requestId"],
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
    assert details["account"] == box.token


@pytest.mark.parametrize(
    ("target", "own_devices"),
    [({}, True), ({"userIds": ["1"]}, False), ({"topic": "a"}, False), ({"tokens": ["a"]}, False)],
)
async def test_a_push_says_whether_it_went_to_the_accounts_own_devices(
    box: Box, target: dict[str, Any], own_devices: bool
) -> None:
    await box.developers("POST", "/push/device", {"token": "a", "platform": "ios"})
    sent = await box.developers("POST", "/push", {"title": "T", "body": "B"} | target)
    assert (await box.details(sent))["ownDevices"] is own_devices


async def test_a_message_in_full_names_the_request_that_sent_it(box: Box) -> None:
    sent = await box.send()
    assert (await box.details(sent.json()))["requestId"] == sent.headers["x-request-id"]


async def test_a_message_in_full_says_which_character_costs_more(box: Box) -> None:
    details = await box.details(await box.accepted(message="ê" * 71))
    assert (details["encoding"], details["segments"], details["unicodeBecauseOf"]) == (
        "UCS-2",
        2,
        "ê",
    )


async def test_a_timeline_has_statuses_and_webhooks_in_the_order_in_which_they_came(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [500]
    message = await box.accepted(callbackUrl=receiver.url)
    await box.advance(hours=1)
    timeline = (await box.details(message))["timeline"]
    start = datetime.fromisoformat(timeline[0]["at"])
    steps = [
        (
            (datetime.fromisoformat(each["at"]) - start).total_seconds(),
            each["type"],
            each.get("event") or each.get("status"),
            each.get("attempt"),
        )
        for each in timeline
    ]
    assert steps == [
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


async def test_a_token_lists_its_own_messages_and_no_token_lists_all(box: Box) -> None:
    other = box.other()
    mine, theirs = await box.accepted(), await other.accepted()
    assert await box.message_ids() == [mine["id"]]
    answer = await box.call("GET", f"/_sandbox/messages/{theirs['id']}")
    assert_refused(answer, 404, "not_found")
    everything = await box.anonymous.control("GET", "/messages")
    assert [each["id"] for each in everything["data"]] == [theirs["id"], mine["id"]]
    assert everything["total"] == 2
    assert (await box.anonymous.control("GET", f"/messages/{theirs['id']}"))["id"] == theirs["id"]


@pytest.mark.parametrize(
    "name",
    ["msg_0000000000000000", "msg_ffffffffffffffff", "msg_1", "nonsense", "SM0000000000000001"],
)
async def test_an_unknown_message_is_not_found(box: Box, name: str) -> None:
    await box.accepted()
    answer = await box.call("GET", f"/_sandbox/messages/{name}")
    assert_refused(answer, 404, "not_found")
    answer = await box.call("POST", f"/_sandbox/messages/{name}/status", json={"status": "sent"})
    assert_refused(answer, 404, "not_found")


# Emptying the inbox


async def test_an_emptied_inbox_fills_again_and_repeats_no_id(box: Box) -> None:
    other = box.other()
    theirs = await other.accepted()
    first = [await box.accepted() for _ in range(3)]
    assert await box.control("DELETE", "/messages") == {"deleted": 3}
    assert await box.message_ids() == []
    empty = await box.get("/api/v1/messages")
    assert (empty["data"], empty["pagination"]["total"]) == ([], 0)
    second = [await box.accepted() for _ in range(2)]
    page = await box.get("/api/v1/messages", limit=1, page=2)
    assert page["pagination"] == {"page": 2, "limit": 1, "total": 2, "pages": 2}
    assert [each["id"] for each in page["data"]] == [second[0]["id"]]
    assert len({each["id"] for each in first + second}) == 5
    assert await other.message_ids() == [theirs["id"]]


async def test_deleted_messages_have_no_further_steps(box: Box, receiver: Receiver) -> None:
    await box.freeze()
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
    assert await box.anonymous.control("DELETE", "/messages") == {"deleted": 2}
    assert (await box.message_ids(), await other.message_ids()) == ([], [])


async def test_messages_that_arrive_while_the_inbox_is_emptied_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.deletion.SLICE", 0)  # one for each slice
    async with sandbox(tier="unlimited") as box:
        await box.freeze()
        first = [await box.accepted() for _ in range(20)]
        emptying = asyncio.create_task(box.control("DELETE", "/messages"))
        while await box.message_count() == 20:  # noqa: ASYNC110  (no event says so)
            await asyncio.sleep(0)
        meanwhile = await box.accepted()
        newest_first = [each["id"] for each in [*first, meanwhile]][::-1]
        totals = set()
        while not emptying.done():
            await asyncio.sleep(0)
            page = await box.get("/api/v1/messages", limit=100)
            totals.add(total := page["pagination"]["total"])
            assert [each["id"] for each in page["data"]] == newest_first[:total]
        assert len(totals) > 3
        assert await emptying == {"deleted": 20}
        assert await box.message_ids() == [meanwhile["id"]]
        await box.advance(hours=1)
        assert (await box.developers("GET", "/analytics/overview"))["totals"]["sent"] == 1


async def test_a_reset_in_slices_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.deletion.SLICE", 0)
    monkeypatch.setattr("msgine_sandbox.services.deletion._STEPS", 3)
    monkeypatch.setattr("msgine_sandbox.services.reset._KEYS", 2)
    async with sandbox(tier="unlimited") as box:
        await box.freeze()
        await box.listen(receiver.url)
        sent = [await box.send(key=f"k{n}") for n in range(7)]
        await box.control("POST", "/reset")
        assert (await box.advance(hours=1))["performed"] == 0
        assert (await box.message_ids(), await box.attempts()) == ([], [])
        assert (await box.developers("GET", "/analytics/overview"))["totals"]["cost"] == 0
        assert (await box.send(key="k0")).json()["id"] != sent[0].json()["id"]


# Deleting one message


async def test_a_message_is_deleted_with_what_belongs_to_it(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    kept, gone, last = [await box.accepted(message=text) for text in ("one", "two", "three")]
    await box.advance(seconds=1)
    assert await box.control("DELETE", f"/messages/{gone['id']}") == {"deleted": 1}
    assert (await box.advance(hours=1))["performed"] == 4  # two statuses and their webhooks
    assert {each["messageId"] for each in await box.attempts()} == {kept["id"], last["id"]}
    assert receiver.events.count("message.delivered") == 2
    for path in ("/api/v1/messages", "/_sandbox/messages"):
        assert (await box.call("GET", f"{path}/{gone['id']}")).status_code == 404
    answer = await box.call("DELETE", f"/_sandbox/messages/{gone['id']}")
    assert_refused(answer, 404, "not_found")
    assert await box.message_ids() == [last["id"], kept["id"]]
    page = await box.get("/api/v1/messages", limit=1, page=2)
    assert page["pagination"] == {"page": 2, "limit": 1, "total": 2, "pages": 2}
    assert [each["id"] for each in page["data"]] == [kept["id"]]


async def test_a_message_that_is_deleted_stays_in_analytics_and_in_its_key(box: Box) -> None:
    first = await box.send(key="k")
    await box.advance(seconds=10)
    before = await box.developers("GET", "/analytics/overview")
    await box.control("DELETE", f"/messages/{first.json()['id']}")
    assert await box.developers("GET", "/analytics/overview") == before
    assert before["totals"]["delivered"] == 1
    assert (await box.send(key="k")).content == first.content
    assert await box.message_ids() == []


async def test_a_message_of_another_account_cannot_be_deleted(box: Box) -> None:
    message = await box.other().accepted()
    answer = await box.call("DELETE", f"/_sandbox/messages/{message['id']}")
    assert_refused(answer, 404, "not_found")
    assert await box.anonymous.control("DELETE", f"/messages/{message['id']}") == {"deleted": 1}


async def test_a_webhook_in_flight_of_a_message_that_is_deleted_is_not_recorded(
    box: Box, receiver: Receiver
) -> None:
    hanging = Hanging(asyncio.Event(), asyncio.Event())
    receiver.answers = [hanging]
    await box.freeze()
    message = await box.accepted(callbackUrl=receiver.url)
    advancing = asyncio.create_task(box.advance(hours=1))
    await hanging.reached.wait()
    await box.control("DELETE", f"/messages/{message['id']}")
    hanging.let_go.set()
    await advancing
    assert await box.attempts() == []
    assert receiver.events == ["message.sent"]


async def test_a_message_with_many_attempts_is_deleted_in_slices(
    box: Box, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.deletion.SLICE", 0)
    monkeypatch.setattr("msgine_sandbox.services.deletion._PARTS", 1)
    await box.freeze()
    await box.listen(receiver.url)
    gone = await box.accepted([NUMBER, OTHER])
    await box.advance(hours=1)
    kept = await box.accepted()
    assert len(await box.attempts()) == 4
    assert await box.control("DELETE", f"/messages/{gone['id']}") == {"deleted": 1}
    assert await box.attempts() == []
    assert await box.message_ids() == [kept["id"]]


# Setting a status


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
async def test_setting_an_invalid_status_is_refused_with_its_field_and_changes_nothing(
    box: Box, body: Any, field: str
) -> None:
    await box.freeze()
    message = await box.accepted()
    error = await box.control_error("POST", f"/messages/{message['id']}/status", body)
    assert error["details"]["field"] == field
    assert await box.read(message) == message


async def test_the_status_of_another_accounts_message_cannot_be_set(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    path = f"/_sandbox/messages/{message['id']}/status"
    answer = await box.other().call("POST", path, json={"status": "failed"})
    assert_refused(answer, 404, "not_found")
    assert await box.read(message) == message


async def test_setting_a_status_returns_the_message_with_the_reason(box: Box) -> None:
    await box.freeze()
    message = await box.accepted([NUMBER, OTHER])
    path = f"/messages/{message['id']}/status"
    moved = await box.control("POST", path, {"status": "failed", "to": OTHER})
    assert [(each["status"], each["reason"]) for each in moved["recipients"]] == [
        ("pending", None),
        ("failed", "Failed by hand"),
    ]
    assert moved == await box.details(message)


@pytest.mark.parametrize(
    ("to", "query"),
    [
        (NUMBER, f"to={NUMBER}"),
        (NUMBER, f"to=%2B{NUMBER[1:]}"),
        (NUMBER, f"to={NUMBER}&status=pending"),
        (NUMBER, f"q={NUMBER}"),
        (NUMBER, "q=+25670"),
        (NUMBER, "contains=+256752"),
        (NUMBER, "contains=at++256752"),
        (NUMBER, "q=call+Jane+at"),
        ("jane+news@example.com", "to=jane+news@example.com"),
        ("jane+news@example.com", "to=jane%2Bnews%40example.com"),
        ("jane+a+b@example.com", "to=jane+a+b@example.com"),
        ("jane+news@example.com", "q=jane+news@"),
        ("jane+news@example.com", "q=call+jane"),
        ("jane+news@example.com", "contains=a+b@example.com"),
        ("bounce+1@sandbox.msgine.test", "to=bounce+1@sandbox.msgine.test"),
        ("bounce+1@sandbox.msgine.test", "to=bounce+1@sandbox.msgine.test&status=pending"),
        ("user:Jane Doe", "to=user:Jane+Doe"),
        ("user:Jane+Doe", "to=user:Jane+Doe"),
    ],
)
@pytest.mark.parametrize("path", ["", "/wait"])
async def test_a_plus_in_a_query_need_not_be_escaped(
    box: Box, path: str, to: str, query: str
) -> None:
    await box.freeze()
    text = "Call Jane at +256752345678 or write to a+b@example.com"
    if to == NUMBER:
        message = await box.accepted(to, text)
    elif "@" in to:
        body = {"from": "a@b.example", "to": to, "subject": "Hello", "text": text}
        message = await box.developers("POST", "/email", body)
    else:
        body = {"title": "Hello", "body": text, "userIds": [to.removeprefix("user:")]}
        message = await box.developers("POST", "/push", body)
    answer = (await box.call("GET", f"/_sandbox/messages{path}?{query}")).json()
    found = [answer] if path else answer["data"]
    assert [each["id"] for each in found] == [message["id"]]


async def test_a_plus_does_not_find_other_recipients(box: Box) -> None:
    await box.accepted(NUMBER)
    for query in ("to=+256", "to=256701234567", "to=+256701234567+", "q=++256701234568"):
        found = (await box.call("GET", f"/_sandbox/messages?{query}")).json()
        assert found == {"data": [], "total": 0}


PLUSES_AND_SPACES = ["Total 1+2", "Total 1 2", "Total+1 2"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1%202", ["Total+1 2", "Total 1 2"]),
        ("1%2B2", ["Total 1+2"]),
        ("1+2", ["Total+1 2", "Total 1 2", "Total 1+2"]),
        ("Total%201%2B2", ["Total 1+2"]),
        ("Total+1%202", ["Total+1 2", "Total 1 2"]),
        ("Total%201+2", ["Total 1 2", "Total 1+2"]),
        ("Total%2B1%2B2", []),
        ("%2B1%202", ["Total+1 2"]),
    ],
)
@pytest.mark.parametrize("name", ["contains", "q"])
async def test_an_encoded_space_or_plus_in_a_query_means_only_itself(
    box: Box, name: str, text: str, found: list[str]
) -> None:
    for each in PLUSES_AND_SPACES:
        await box.accepted(message=each)
    answer = (await box.call("GET", f"/_sandbox/messages?{name}={text}")).json()
    assert [each["message"] for each in answer["data"]] == found


async def test_an_encoded_space_does_not_stand_for_the_plus_of_a_recipient(box: Box) -> None:
    await box.accepted(NUMBER)
    mail = {"from": "a@b.example", "to": "jane+news@example.com", "subject": "S", "text": "T"}
    await box.developers("POST", "/email", mail)
    for query in ("to=jane%20news@example.com", f"to=%20{NUMBER[1:]}", f"q=%20{NUMBER[1:]}"):
        answer = (await box.call("GET", f"/_sandbox/messages?{query}")).json()
        assert answer == {"data": [], "total": 0}, query


async def test_a_message_is_found_by_its_id(box: Box) -> None:
    await box.freeze()
    first, second = [await box.accepted(message=text) for text in ("one", "two")]
    assert await box.message_ids(id=first["id"]) == [first["id"]]
    assert await box.message_ids(id=second["id"], contains="one") == []
    assert (await box.get("/_sandbox/messages/wait", id=first["id"]))["message"] == "one"
    other = box.other()
    assert await other.message_ids(id=first["id"]) == []
    waiting = asyncio.create_task(
        box.get("/_sandbox/messages/wait", id=first["id"], status="delivered")
    )
    await box.control("POST", f"/messages/{second['id']}/status", {"status": "sent"})
    await box.advance(seconds=3)
    assert (await waiting)["id"] == first["id"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/messages", "id"),
        ("/messages/wait", "id"),
        ("/messages", "before"),
        ("/webhooks/attempts", "messageId"),
    ],
)
async def test_what_is_no_id_is_refused(box: Box, path: str, name: str) -> None:
    for text in ("", "wait", "msg_1", "SM1a207b600e24aa5c", "req_1a207b600e24aa5c"):
        error = await box.control_error("GET", f"{path}?{name}={text}")
        assert error["details"] == {"field": name, "value": text, "expected": "the id of a message"}
