"""The webhook receiver of the Python client."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from standardwebhooks import Webhook

from msgine_sandbox.testing import (
    STAYS_PENDING,
    STAYS_SENT,
    WEBHOOKS_FORGED,
    Account,
    Server,
    WebhookNotFound,
    WebhookReceiver,
)
from msgine_sandbox.testing.listener import ReceiverResponse, WebhookListener

NUMBER = "+256701234567"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.start() as server:
        yield server


@pytest.fixture
def account(server: Server) -> Account:
    return server.account()


@pytest.fixture
def hooks(account: Account) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(account) as hooks:
        yield hooks


def send(account: Account, to: str = NUMBER) -> str:
    answer = httpx.post(
        f"{account.base_url}/messages/sms",
        json={"to": to, "message": "Hello"},
        headers={"Authorization": f"Bearer {account.token}"},
    )
    return str(answer.json()["id"])


def test_a_webhook_is_recorded_and_verified(account: Account, hooks: WebhookReceiver) -> None:
    number = send(account)
    account.clock.advance(seconds=2)
    assert hooks.events == ["message.sent", "message.delivered"]
    first = hooks.received[0]
    assert (first.message_id, first.to, first.status) == (number, NUMBER, "sent")
    assert first.content["event"] == first.event
    assert first.verified is True
    assert Webhook(hooks.secret).verify(first.body, dict(first.headers)) == first.content
    assert first.id.startswith("evt_")


def test_a_wrong_or_missing_signature_is_reported(account: Account, hooks: WebhookReceiver) -> None:
    send(account, WEBHOOKS_FORGED)
    account.clock.advance(seconds=2)
    assert [each.verified for each in hooks.received] == [False, False]
    httpx.post(hooks.url, content=b"no JSON")
    other = hooks.received[-1]
    assert (other.verified, other.content, other.event) == (None, None, "")


def test_it_sends_the_given_responses_and_the_webhook_is_tried_again(
    account: Account, hooks: WebhookReceiver
) -> None:
    hooks.answer(503, headers={"Retry-After": "7"}, body="later")
    hooks.drop()
    send(account, STAYS_SENT)
    account.clock.advance(minutes=1)
    assert hooks.events == ["message.sent"] * 3
    assert len({each.id for each in hooks.received}) == 1
    tries = account.webhooks.attempts[::-1]
    assert [each.status for each in tries] == [503, None, 200]
    assert {each.webhook_id for each in tries} == {hooks.received[0].id}
    assert {each.signature for each in tries} == {"right"}
    assert tries[0].response is not None
    assert (tries[0].response.body, tries[0].response.headers["retry-after"]) == ("later", "7")


def test_an_attempt_says_when_the_next_one_comes(account: Account, hooks: WebhookReceiver) -> None:
    hooks.answer(503, times=None)
    account.clock.freeze()
    send(account, STAYS_SENT)
    account.clock.advance(seconds=1)
    [attempt] = account.webhooks.attempts
    due = account.clock.next
    assert due is not None
    assert attempt.next_attempt_at == due.at
    hooks.answer(410, times=None)
    account.clock.advance(until="next")
    assert [each.next_attempt_at for each in account.webhooks.attempts] == [None, None]


def test_a_permanent_response_lasts_until_it_is_cleared(
    account: Account, hooks: WebhookReceiver
) -> None:
    hooks.answer(410, times=None)
    assert [httpx.post(hooks.url).status_code for _ in range(3)] == [410] * 3
    hooks.clear()
    assert hooks.received == []
    assert httpx.post(hooks.url).status_code == 200


def test_an_attempt_is_sent_again(account: Account, hooks: WebhookReceiver) -> None:
    send(account, STAYS_PENDING)
    account.messages[0].mark_sent()
    first = hooks.wait_for(event="message.sent")
    account.clock.advance(seconds=1)  # until the answer is recorded, too
    again = account.webhooks.resend(account.webhooks.attempts[0])
    assert (again.attempt, hooks.received[1].id) == (2, first.id)


def test_a_wait_ends_as_soon_as_enough_have_come(account: Account, hooks: WebhookReceiver) -> None:
    account.clock.freeze()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(hooks.wait_for, event="message.failed", to=NUMBER, count=2)
        for _ in range(2):
            send(account)
            account.messages[0].fail()
        assert waiting.result(timeout=60).message_id == account.messages[0].id


def test_a_wait_that_times_out_lists_the_webhooks_received(
    account: Account, hooks: WebhookReceiver
) -> None:
    with pytest.raises(WebhookNotFound, match=r"No webhook arrived within 0 s\. .* no webhooks"):
        hooks.wait_for(timeout=0)
    send(account)
    account.clock.advance(seconds=2)
    with pytest.raises(WebhookNotFound) as raised:
        hooks.wait_for(event="message.failed", timeout=0)
    assert str(raised.value).splitlines() == [
        "No webhook with event='message.failed' arrived within 0 s. Received, newest last:",
        f"  message.sent to {NUMBER}",
        f"  message.delivered to {NUMBER}",
    ]
    with pytest.raises(AssertionError, match="Only 1 of 2 arrived"):
        hooks.wait_for(event="message.sent", count=2, timeout=0)


def test_webhooks_go_wrong_on_purpose(account: Account, hooks: WebhookReceiver) -> None:
    account.clock.freeze()

    def events() -> list[str]:
        hooks.clear()
        send(account)
        account.clock.advance(seconds=2)
        return [each.removeprefix("message.") for each in hooks.events]

    with account.faults.duplicate_webhooks(event="message.sent"):
        assert events() == ["sent", "sent", "delivered"]
    with account.faults.reorder_webhooks():
        assert events() == ["delivered", "sent"]
    with account.faults.lose_webhooks(event="message.delivered"):
        assert events() == ["sent"]
    with account.faults.forge_webhooks(times=1):
        events()
        assert [each.verified for each in hooks.received] == [False, True]
    with account.faults.delay_webhooks(60, event="message.delivered"):
        assert events() == ["sent"]
        account.clock.advance(minutes=1)
        assert hooks.events == ["message.sent", "message.delivered"]


def test_nothing_listens_after_the_block(account: Account) -> None:
    threads = threading.active_count()
    with WebhookReceiver(account) as hooks:
        where = urlsplit(hooks.url)
        stuck = socket.create_connection((where.hostname, where.port))
        half = http.client.HTTPConnection(where.netloc)
        half.putrequest("POST", where.path)
        half.endheaders()
        httpx.post(hooks.url)
    stuck.close()
    half.close()
    assert threading.active_count() == threads
    assert account.webhooks.endpoints == []
    with pytest.raises(httpx.ConnectError):
        httpx.post(hooks.url)


def test_a_delayed_response_does_not_delay_the_stop(account: Account) -> None:
    with ThreadPoolExecutor() as pool:
        with WebhookReceiver(account) as hooks:
            hooks.answer(200, delay=60)
            answer = pool.submit(httpx.post, hooks.url, timeout=120)
            hooks.wait_for()
            began = time.monotonic()
        assert time.monotonic() - began < 45
        answer.exception()


def test_a_request_to_another_path_is_not_recorded(
    account: Account, hooks: WebhookReceiver
) -> None:
    where = urlsplit(hooks.url)
    assert httpx.post(f"http://{where.netloc}/webhooks").status_code == 404
    assert hooks.received == []


def test_its_url_has_the_given_host_name(account: Account) -> None:
    with WebhookReceiver(account, host="localhost") as hooks:
        assert urlsplit(hooks.url).hostname == "localhost"
        send(account)
        account.clock.advance(seconds=2)
        assert len(hooks.received) == 2


def test_a_burst_of_webhooks_waits_to_be_accepted() -> None:
    listener = WebhookListener("127.0.0.1", "/hook", lambda *_: ReceiverResponse())
    try:
        listener.shutdown()  # it listens on, and accepts nothing any more
        with ExitStack() as opened:
            for _ in range(100):
                address = ("127.0.0.1", listener.server_port)
                opened.enter_context(socket.create_connection(address, timeout=5))
    finally:
        listener.server_close()
