"""Webhooks: events, attempts, retries and signatures."""

import json
import socket
import threading
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import pytest
from box import NUMBER, Box, sandbox
from receiver import Receiver
from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def seconds_of(attempts: list[dict], start: str) -> list[float]:
    """Return when attempts were made, in seconds after an instant."""
    began = datetime.fromisoformat(start)
    return [(datetime.fromisoformat(each["at"]) - began).total_seconds() for each in attempts]


async def accepted_at(box: Box, message: dict) -> str:
    return (await box.details(message))["timeline"][0]["at"]


async def test_a_callback_url_receives_each_status_as_documented(
    box: Box, receiver: Receiver
) -> None:
    message = await box.accepted(callbackUrl=receiver.url, **{"from": "MyApp"})
    await box.advance(seconds=10)
    assert receiver.events == ["message.sent", "message.delivered"]
    content = receiver.received[1].content
    assert datetime.fromisoformat(content.pop("timestamp")).microsecond == 0
    assert content == {
        "id": message["id"],
        "event": "message.delivered",
        "status": "delivered",
        "to": NUMBER,
        "from": "MyApp",
        "messageId": message["id"],
        "sid": message["sid"],
    }
    assert receiver.received[1].headers["content-type"] == "application/json"


async def test_an_endpoint_receives_only_the_events_it_subscribes_to(
    box: Box, receiver: Receiver
) -> None:
    await box.listen(receiver.url, events=["message.failed"])
    await box.accepted(["+256700000001", NUMBER])
    await box.advance(seconds=10)
    assert receiver.events == ["message.failed"]
    assert receiver.received[0].content["to"] == "+256700000001"


async def test_a_callback_url_overrides_the_endpoints(box: Box, receiver: Receiver) -> None:
    await box.listen("http://127.0.0.1:9/never")
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=10)
    assert {attempt["url"] for attempt in await box.attempts()} == {receiver.url}


async def test_three_recipients_have_events_of_their_own(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    message = await box.accepted([NUMBER, "+256701234568", "+256700000002"])
    await box.advance(seconds=10)
    received = {(each.content["to"], each.event) for each in receiver.received}
    assert received == {
        (NUMBER, "message.sent"),
        (NUMBER, "message.delivered"),
        ("+256701234568", "message.sent"),
        ("+256701234568", "message.delivered"),
        ("+256700000002", "message.failed"),
    }
    assert (message["cost"], len({each.headers["user-agent"] for each in receiver.received})) == (
        0.15,
        1,
    )


async def test_no_webhook_is_sent_before_its_time(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    await box.accepted()
    await box.advance(seconds=0.499)
    assert receiver.events == []
    await box.advance(seconds=0.001)
    assert receiver.events == ["message.sent"]
    await box.advance(seconds=1.499)
    assert receiver.events == ["message.sent"]
    await box.advance(seconds=0.001)
    assert receiver.events == ["message.sent", "message.delivered"]


async def test_an_advance_sends_retries_in_due_order_each_at_its_own_time(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [500, 200, 503]
    await box.listen(receiver.url)
    message = await box.accepted()
    await box.advance(hours=1)
    assert receiver.events == [
        "message.sent",
        "message.delivered",
        "message.sent",
        "message.sent",
    ]
    attempts = await box.attempts()
    assert seconds_of(attempts, await accepted_at(box, message)) == [0.5, 2, 5.5, 30.5]
    assert [each["status"] for each in attempts] == [500, 200, 503, 200]
    assert [each["attempt"] for each in attempts] == [1, 1, 2, 3]


async def test_a_webhook_is_tried_eight_times_on_a_growing_schedule(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [500] * 20
    await box.listen(receiver.url, events=["message.sent"])
    message = await box.accepted("+256700000004")
    await box.advance(days=3)
    tried = seconds_of(await box.attempts(), await accepted_at(box, message))
    assert tried == [0.5 + after for after in (0, 5, 30, 120, 600, 1800, 7200, 21600)]


async def test_every_attempt_has_the_same_id_and_a_standard_webhooks_signature(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    receiver.answers = [500, 500]
    await box.listen(receiver.url, SECRET)
    await box.accepted("+256700000004")
    await box.advance(hours=1000)  # the signature's time stays real, so that it verifies
    assert len(receiver.received) == 3
    assert len({webhook.headers["webhook-id"] for webhook in receiver.received}) == 1
    for webhook in receiver.received:
        assert Webhook(SECRET).verify(webhook.body, webhook.headers) == webhook.content


async def test_a_signature_covers_the_body(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url, SECRET)
    await box.accepted()
    await box.advance(seconds=10)
    webhook = receiver.received[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(webhook.body.replace(b"sent", b"sunk"), webhook.headers)


async def test_while_a_secret_is_replaced_receivers_verify_with_either(
    box: Box, receiver: Receiver
) -> None:
    new, other = "whsec_bmV3", "whsec_b3RoZXI="
    await box.listen(receiver.url, new, previousSecret=SECRET)
    await box.accepted()
    await box.accepted(callbackUrl=f"{receiver.url}/of-the-message")
    await box.advance(seconds=10)
    assert len(receiver.received) == 4
    for webhook in receiver.received:
        first, second = webhook.headers["webhook-signature"].split(" ")
        for secret, signature in ((new, first), (SECRET, second)):
            alone = webhook.headers | {"webhook-signature": signature}
            assert Webhook(secret).verify(webhook.body, alone) == webhook.content
            assert Webhook(secret).verify(webhook.body, webhook.headers) == webhook.content
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(webhook.body, webhook.headers)


async def test_wrong_signatures_are_wrong_for_both_secrets(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url, "whsec_bmV3", previousSecret=SECRET)
    await box.accepted("+256700000008")
    await box.advance(seconds=10)
    for webhook in receiver.received:
        assert len(webhook.headers["webhook-signature"].split(" ")) == 2
        for secret in ("whsec_bmV3", SECRET):
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(webhook.body, webhook.headers)


async def test_without_a_secret_there_is_no_signature(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    await box.accepted()
    await box.advance(seconds=10)
    assert not any(name.startswith("webhook-") for name in receiver.received[0].headers)


async def test_a_response_that_never_ends_is_cut_off_at_the_timeout(receiver: Receiver) -> None:
    gave_up = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"..")
        try:
            while not gave_up.wait(0.02):
                handler.wfile.write(b".")
                handler.wfile.flush()
        except OSError:
            gave_up.set()
        handler.close_connection = True

    receiver.answers = [drip]
    async with sandbox(webhook_timeout=4) as box:
        await box.freeze()
        await box.listen(receiver.url, events=["message.sent"])
        await box.accepted("+256700000004")
        await box.advance(seconds=1)
        [attempt] = await box.attempts()
        assert attempt["error"] == "No complete answer within 4 s"
        assert attempt["durationMs"] >= 4000
        assert attempt["response"]["body"].startswith("..")
        await box.advance(hours=1)
        assert (await box.attempts())[-1]["status"] == 200
    gave_up.set()


async def test_a_receiver_can_ask_for_more_time(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    receiver.answers = [(503, {"Retry-After": "100"}), (429, {"Retry-After": "1"})]
    await box.listen(receiver.url, events=["message.sent"])
    message = await box.accepted("+256700000004")
    await box.advance(hours=1)
    tried = seconds_of(await box.attempts(), await accepted_at(box, message))
    assert tried == [0.5, 100.5, 101.5]


async def test_a_receiver_can_name_a_date(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    real = datetime.fromisoformat((await box.control("GET", "/clock"))["realNow"])
    later = format_datetime(real.replace(year=real.year + 1), usegmt=True)
    receiver.answers = [(503, {"Retry-After": later})]
    await box.listen(receiver.url, events=["message.sent"])
    message = await box.accepted("+256700000004")
    await box.advance(days=2)
    tried = seconds_of(await box.attempts(), await accepted_at(box, message))
    assert tried == [0.5, 0.5 + 86_400]  # at most a day


async def test_status_410_ends_the_attempts(box: Box, receiver: Receiver) -> None:
    receiver.answers = [410]
    await box.listen(receiver.url, events=["message.sent"])
    await box.accepted("+256700000004")
    await box.advance(days=2)
    assert [each["status"] for each in await box.attempts()] == [410]


async def test_a_redirect_is_not_followed(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    receiver.answers = [(302, {"Location": receiver.url})]
    await box.listen(receiver.url, events=["message.sent"])
    await box.accepted("+256700000004")
    await box.advance(seconds=1)
    assert [each["status"] for each in await box.attempts()] == [302]


async def test_every_attempt_is_recorded_with_request_and_response(
    box: Box, receiver: Receiver
) -> None:
    await box.listen(receiver.url, SECRET, events=["message.sent"])
    message = await box.accepted()
    await box.advance(seconds=1)
    [attempt] = await box.attempts()
    assert (attempt["event"], attempt["messageId"]) == ("message.sent", message["id"])
    assert json.loads(attempt["request"]["body"])["messageId"] == message["id"]
    assert attempt["request"]["headers"]["webhook-id"] == receiver.received[0].headers["webhook-id"]
    assert (attempt["status"], attempt["error"]) == (200, None)
    assert attempt["response"]["body"] == "ok"
    assert attempt["durationMs"] > 0


async def test_a_receiver_that_is_not_there_is_an_error_and_a_retry(box: Box) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        await box.freeze()
        await box.listen(url, events=["message.sent"])
        await box.accepted("+256700000004")
        await box.advance(seconds=10)
        attempts = await box.attempts()
    assert [each["status"] for each in attempts] == [None, None]
    assert attempts[0]["error"].startswith("ConnectError")


async def test_an_attempt_can_be_sent_again_at_once(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url, SECRET, events=["message.sent"])
    await box.accepted()
    await box.advance(seconds=1)
    [first] = await box.attempts()
    again = await box.control("POST", f"/webhooks/attempts/{first['id']}/resend")
    assert (again["attempt"], again["status"]) == (2, 200)
    assert len({webhook.headers["webhook-id"] for webhook in receiver.received}) == 1
    assert len(await box.attempts()) == 2


async def test_a_magic_number_duplicates_every_webhook(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    await box.listen(receiver.url, SECRET)
    await box.accepted("+256700000006")
    await box.advance(seconds=10)
    assert receiver.events == [*["message.sent"] * 2, *["message.delivered"] * 2]
    assert len({webhook.headers["webhook-id"] for webhook in receiver.received}) == 2


async def test_a_magic_number_reverses_the_order(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    await box.accepted("+256700000007")
    await box.advance(seconds=10)
    assert receiver.events == ["message.delivered", "message.sent"]
    delivered, sent = (each.content["timestamp"] for each in receiver.received)
    assert sent < delivered


async def test_a_magic_number_forges_the_signature(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url, SECRET)
    await box.accepted("+256700000008")
    await box.advance(seconds=10)
    assert len(receiver.received) == 2
    for webhook in receiver.received:
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(webhook.body, webhook.headers)


async def test_a_magic_number_loses_webhooks(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    await box.accepted("+256700000009")
    await box.advance(days=1)
    assert receiver.received == []
    assert [each["error"] for each in await box.attempts()] == [
        "Lost on purpose, by a fault or by the recipient's magic number"
    ] * 2


async def test_with_real_time_delivered_waits_for_the_first_attempt_of_sent(
    receiver: Receiver,
) -> None:
    released = threading.Event()

    def hold(handler: BaseHTTPRequestHandler) -> None:
        assert released.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answers = [hold]
    async with sandbox(sent_after=0, delivered_after=0.01, webhook_timeout=600) as box:
        await box.listen(receiver.url)
        held = await box.accepted()
        await receiver.until(1)
        await box.control("GET", "/messages/wait?status=delivered")
        await box.accepted()  # another message's webhooks need not wait
        await receiver.until(3)
        assert [each.content["id"] == held["id"] for each in receiver.received] == [
            True,
            False,
            False,
        ]
        released.set()
        await receiver.until(4)
        assert (receiver.received[3].content["id"], receiver.events[3]) == (
            held["id"],
            "message.delivered",
        )


async def test_a_webhook_during_an_advance_has_the_time_of_its_step(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    await box.accepted()
    await box.advance(hours=1)
    looks = [each.content["timestamp"] for each in receiver.received]
    assert looks == sorted(looks)
    clock = await box.control("GET", "/clock")
    assert datetime.fromisoformat(clock["now"]) > datetime.fromisoformat(looks[-1])


async def test_an_impossible_date_in_retry_after_is_ignored(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    receiver.answers = [(503, {"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"})]
    await box.listen(receiver.url, events=["message.sent"])
    message = await box.accepted("+256700000004")
    await box.advance(hours=1)
    tried = seconds_of(await box.attempts(), await accepted_at(box, message))
    assert tried == [0.5, 5.5]
