"""Webhook endpoints and the attempts that were made to call them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from box import Box, bounded
from matching import assert_refused
from receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENTS = ["message.sent", "message.delivered", "message.failed"]


# Webhook endpoints


async def test_endpoints_are_returned_as_they_were_put(box: Box) -> None:
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


async def test_an_endpoint_has_two_secrets_while_one_replaces_the_other(box: Box) -> None:
    rotated = {
        "url": "http://localhost:9/a",
        "events": EVENTS,
        "secret": "whsec_bmV3",
        "previousSecret": SECRET,
    }
    put = await box.control("PUT", "/webhooks", {"endpoints": [rotated]})
    assert put == {"endpoints": [rotated]}
    assert await box.get("/_sandbox/webhooks") == put
    without = await box.control(
        "PUT", "/webhooks", {"endpoints": [rotated | {"previousSecret": None}]}
    )
    assert "previousSecret" not in without["endpoints"][0]


async def test_an_endpoint_receives_all_events_by_default(box: Box) -> None:
    url = "http://localhost:9/"
    put = await box.control("PUT", "/webhooks", {"endpoints": [{"url": url}]})
    assert put == {"endpoints": [{"url": url, "events": EVENTS, "secret": None}]}


def endpoint(**fields: Any) -> dict[str, Any]:
    return {"endpoints": [{"url": "http://localhost:9/good"}, {"url": "http://a.test"} | fields]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (endpoint(url=None), "endpoints[1].url"),
        (endpoint(url=""), "endpoints[1].url"),
        (endpoint(url=5), "endpoints[1].url"),
        (endpoint(url="localhost:9"), "endpoints[1].url"),
        (endpoint(url="ftp://a.test"), "endpoints[1].url"),
        (endpoint(url="http://"), "endpoints[1].url"),
        (endpoint(url="http://a.test:99999"), "endpoints[1].url"),
        (endpoint(url="http://a.test/ b"), "endpoints[1].url"),
        (endpoint(url="http://a.test/" + "a" * 2048), "endpoints[1].url"),
        (endpoint(events=["message.read"]), "endpoints[1].events[0]"),
        (endpoint(events=[]), "endpoints[1].events"),
        (endpoint(events="message.sent"), "endpoints[1].events"),
        (endpoint(events=["message.sent", 1]), "endpoints[1].events[1]"),
        (endpoint(secret=""), "endpoints[1].secret"),
        (endpoint(previousSecret=SECRET), "endpoints[1].previousSecret"),
        (endpoint(secret=SECRET, previousSecret=""), "endpoints[1].previousSecret"),
        (endpoint(secret=SECRET, previousSecret="not base64!"), "endpoints[1].previousSecret"),
        (endpoint(secret=SECRET, previousSecret=[SECRET]), "endpoints[1].previousSecret"),
        (endpoint(secret="whsec_"), "endpoints[1].secret"),
        (endpoint(secret="not base64!"), "endpoints[1].secret"),
        (endpoint(secret="ключ"), "endpoints[1].secret"),
        (endpoint(secret=5), "endpoints[1].secret"),
        (endpoint(event="message.sent"), "endpoints[1].event"),
        ({"endpoints": {"url": "http://a.test"}}, "endpoints"),
        ({"endpoints": ["http://a.test"]}, "endpoints[0]"),
        ({"endpoints": None}, "endpoints"),
        ({"endpoints": [{"url": "http://a.test"}] * 17}, "endpoints"),
        ({"urls": []}, "urls"),
        ({}, "endpoints"),
        ([], "body"),
    ],
)
async def test_an_invalid_endpoint_is_refused_and_none_changes(
    box: Box, body: Any, field: str
) -> None:
    before = await box.control(
        "PUT", "/webhooks", {"endpoints": [{"url": "http://a.test/before", "secret": SECRET}]}
    )
    error = await box.control_error("PUT", "/webhooks", body)
    assert error["details"]["field"] == field
    assert await box.get("/_sandbox/webhooks") == before


async def test_an_account_may_have_sixteen_endpoints(box: Box) -> None:
    endpoints = [{"url": f"http://a.test/{n}"} for n in range(16)]
    put = await box.control("PUT", "/webhooks", {"endpoints": endpoints})
    assert len(put["endpoints"]) == 16


async def test_a_refused_secret_is_not_repeated_in_the_answer(box: Box) -> None:
    error = await box.control_error("PUT", "/webhooks", endpoint(secret="almost!a!secret"))
    assert "almost!a!secret" not in str(error)


async def test_what_changes_while_endpoints_are_replaced_stays(box: Box) -> None:
    await box.freeze()
    before = await box.get("/_sandbox/clock")
    await box.accepted()  # what is under way gets steps before the endpoints are there
    await asyncio.gather(
        box.listen("http://localhost:9/a"),
        box.control("PATCH", "/account", {"name": "Shop"}),
        box.advance(hours=1),
    )
    after = await box.get("/_sandbox/clock")
    assert datetime.fromisoformat(after["now"]) >= datetime.fromisoformat(
        before["now"]
    ) + timedelta(hours=1)
    assert (await box.get("/_sandbox/account"))["name"] == "Shop"
    assert len((await box.get("/_sandbox/webhooks"))["endpoints"]) == 1


# Webhook attempts


async def test_attempts_are_newest_first_and_can_be_of_one_message(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
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
    assert (await box.anonymous.control("GET", "/webhooks/attempts"))["total"] == 4


async def test_resending_an_attempt_returns_the_new_one(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url, SECRET, events=["message.sent"])
    await box.accepted("+256700000004")
    await box.advance(seconds=1)
    [first] = await box.attempts()
    again = await box.control("POST", f"/webhooks/attempts/{first['id']}/resend")
    assert (again["attempt"], again["status"], again["event"]) == (2, 200, "message.sent")
    assert again["id"] != first["id"]
    assert await box.attempts() == [first, again]
    assert receiver.received[0].body == receiver.received[1].body
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


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
    assert len(receiver.received) == 1
    assert (
        await box.anonymous.call("POST", f"/_sandbox/webhooks/attempts/{attempt['id']}/resend")
    ).is_success
    assert len(receiver.received) == 2


async def test_secrets_of_a_receiver_are_masked_in_its_response(
    box: Box, receiver: Receiver
) -> None:
    headers = {"Set-Cookie": "id=s3cret; HttpOnly", "X-Access-Token": "s3cret", "Server": "shop"}
    receiver.answers = [(200, headers)]
    await box.freeze()
    await box.accepted(callbackUrl=receiver.url, to="+256700000004")
    await box.advance(seconds=1)
    [attempt] = await box.attempts()
    shown = attempt["response"]["headers"]
    assert shown["set-cookie"] == "id=…; HttpOnly"
    assert shown["x-access-token"] == "…"
    assert "shop" in shown["server"]


async def test_attempts_are_found_by_status_outcome_event_and_url(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [503, 404]
    await box.accepted(callbackUrl=f"{receiver.url}/Orders")
    await box.accepted("+256700000004", callbackUrl="http://127.0.0.1:9/closed")
    await box.advance(seconds=3)
    found = {
        "": 3,
        "status=503": 1,
        "status=4xx": 1,
        "status=none": 1,
        "status=200": 0,
        "outcome=failed": 3,
        "outcome=failed&status=5XX": 1,
        "event=message.delivered": 1,
        "url=/orders": 2,
        "url=CLOSED&event=message.sent": 1,
    }
    for query, count in found.items():
        listed = await box.control("GET", f"/webhooks/attempts?{query}")
        assert (listed["total"], len(listed["data"])) == (count, count), query
    await box.advance(seconds=5)  # the second attempts
    listed = await box.control("GET", "/webhooks/attempts?outcome=succeeded")
    assert [each["status"] for each in listed["data"]] == [200, 200]
    [newest, oldest] = listed["data"]
    path = f"/webhooks/attempts?outcome=succeeded&limit=1&before={newest['id']}"
    assert await box.control("GET", path) == {"data": [oldest], "total": 1}


async def test_attempts_are_found_among_thousands(receiver: Receiver) -> None:
    async with bounded() as box:
        await box.freeze()
        for _ in range(6):
            numbers = [f"+2567012{number:05d}" for number in range(100)]
            await box.accepted(numbers, callbackUrl="http://127.0.0.1:9/closed")
        await box.accepted("+256700000004", callbackUrl=receiver.url)
        await box.advance(seconds=1)
        assert (await box.control("GET", "/webhooks/attempts?limit=1"))["total"] == 601
        for query, count in {"status=none": 600, "outcome=succeeded": 1}.items():
            listed = await box.control("GET", f"/webhooks/attempts?limit=1&{query}")
            assert listed["total"] == count


@pytest.mark.parametrize(
    "query",
    ["status=", "status=600", "status=5x", "outcome=ok", "event=sent", "url=", "to=a"],
)
async def test_an_invalid_filter_of_attempts_is_refused(box: Box, query: str) -> None:
    error = await box.control_error("GET", f"/webhooks/attempts?{query}")
    assert error["details"]["field"] == query.partition("=")[0]


async def test_an_attempt_says_when_its_webhook_is_sent_again(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    receiver.answers = [503]
    sent = await box.accepted("+256700000004", callbackUrl=receiver.url)
    clock = await box.advance(seconds=0.5)
    [attempt] = await box.attempts()
    assert clock["next"]["at"] == attempt["nextAttemptAt"] != attempt["at"]
    await box.advance(seconds=5)
    attempts = await box.attempts()
    assert [each["nextAttemptAt"] for each in attempts] == [None, None]
    assert len({each["webhookId"] for each in attempts}) == 1
    assert {each["account"] for each in attempts} == {box.token}
    assert attempts[0]["messageId"] == sent["id"]


async def test_an_attempt_says_what_signed_it(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    await box.accepted("+256700000004", callbackUrl=receiver.url)  # before there is a secret
    await box.advance(seconds=1)
    other = "http://localhost:9/other"
    endpoints = [{"url": other, "secret": "whsec_bmV3"}, {"url": receiver.url, "secret": SECRET}]
    await box.control("PUT", "/webhooks", {"endpoints": endpoints})
    await box.accepted("+256700000004", callbackUrl=receiver.url)
    await box.accepted("+256700000004", callbackUrl=f"{receiver.url}/unknown")
    await box.accepted("+256700000008", callbackUrl=receiver.url)
    await box.advance(seconds=1)
    found = [(each["signature"], each["signedBy"]) for each in await box.attempts()]
    assert found == [
        ("none", []),
        ("right", [receiver.url]),
        ("right", [other]),
        ("wrong", []),
    ]
    await box.control("PUT", "/webhooks", {"endpoints": []})
    found = [(each["signature"], each["signedBy"]) for each in await box.attempts()]
    assert found[1:] == [("right", []), ("right", []), ("wrong", [])]


async def test_without_an_account_the_endpoints_of_all_are_returned(box: Box) -> None:
    other = box.other()
    await other.listen("http://localhost:9/first")
    await box.listen("http://localhost:9/second", SECRET)
    found = (await box.anonymous.get("/_sandbox/webhooks"))["endpoints"]
    assert [(each["account"], each["url"], each["secret"]) for each in found] == [
        (box.token, "http://localhost:9/second", SECRET),
        (other.token, "http://localhost:9/first", None),
    ]
    assert all(each["accountId"].startswith("acc_") for each in found)
    answer = await box.anonymous.call("PUT", "/_sandbox/webhooks", json={"endpoints": []})
    assert_refused(answer, 401, "unauthorized")
