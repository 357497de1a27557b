"""Warnings about webhook endpoints."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from box import Box, boxed, sandbox
from receiver import Hanging, Receiver, receiving

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

PATIENT = Settings(webhook_timeout=600)
"""With which no receiver is slow, however slow the machine is."""


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with boxed(Sandbox(PATIENT)) as box:
        yield box


async def test_a_slow_receiver_causes_a_warning(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msgine_sandbox.services.client_warnings._SLOW", 0.1 / 600)

    def slow(handler: Any) -> None:
        time.sleep(0.2)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    async with boxed(Sandbox(PATIENT)) as box:
        receiver.answers = [slow]
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        [warning] = await box.warnings()
    assert warning["code"] == "webhook-slow"
    assert receiver.url in warning["message"]


async def test_a_receiver_that_refuses_a_webhook_causes_a_warning(
    box: Box, receiver: Receiver
) -> None:
    receiver.answers = [500]
    answer = await box.send(callbackUrl=receiver.url)
    await box.advance(seconds=1)
    assert "x-sandbox-warning" not in answer.headers  # it was not known yet
    [warning] = await box.warnings()
    assert warning["code"] == "webhook-failed"
    assert "message.sent: it answered 500" in warning["message"]


async def test_a_receiver_that_fails_often_causes_one_warning(box: Box, receiver: Receiver) -> None:
    receiver.answers = [500] * 20
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(hours=10)
    assert await box.warning_codes() == ["webhook-failed"]


async def test_a_receiver_that_accepts_webhooks_causes_no_warning(
    box: Box, receiver: Receiver
) -> None:
    await box.accepted(callbackUrl=receiver.url)
    await box.advance(seconds=10)
    assert await box.warning_codes() == []


@pytest.mark.parametrize("end", ["0008", "0009"])
async def test_a_webhook_that_fails_on_purpose_causes_no_warning(
    box: Box, receiver: Receiver, end: str
) -> None:
    await box.listen(receiver.url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    receiver.answers = [401, 401]
    await box.accepted(f"+25670000{end}")
    await box.advance(seconds=3)
    assert await box.warning_codes() == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "app.localhost"])
async def test_localhost_in_a_container_causes_a_warning(host: str) -> None:
    async with boxed(Sandbox(PATIENT, in_container=True)) as box:
        await box.accepted(callbackUrl=f"http://{host}:9/hooks")
        await box.advance(seconds=1)
        assert await box.warning_codes() == ["webhook-failed", "webhook-localhost-in-container"]


async def test_localhost_outside_of_a_container_causes_no_such_warning() -> None:
    async with boxed(Sandbox(PATIENT, in_container=False)) as box:
        await box.accepted(callbackUrl="http://localhost:9/hooks")
        await box.advance(seconds=1)
        assert await box.warning_codes() == ["webhook-failed"]


async def test_a_reachable_receiver_in_the_same_container_causes_no_warning(
    receiver: Receiver,
) -> None:
    async with boxed(Sandbox(PATIENT, in_container=True)) as box:
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        assert await box.warning_codes() == []


def hang_up(handler: Any) -> None:
    handler.close_connection = True


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("answers", [[hang_up], [500], [hang_up, hang_up]])
async def test_a_receiver_that_was_reached_in_a_container_is_not_taken_for_absent(
    receiver: Receiver, answers: list[Any], host: str
) -> None:
    receiver.answers = answers * 2
    url = receiver.url.replace("127.0.0.1", host)
    async with boxed(Sandbox(PATIENT, in_container=True)) as box:
        await box.accepted(callbackUrl=url)
        await box.advance(seconds=6)  # two attempts, the second perhaps on a kept connection
        assert await box.warning_codes() == ["webhook-failed"]


async def test_a_receiver_that_does_not_answer_in_time_is_not_taken_for_absent(
    receiver: Receiver,
) -> None:
    hanging = Hanging(asyncio.Event(), asyncio.Event())
    receiver.answers = [hanging]
    settings = Settings(webhook_timeout=4.0)
    async with boxed(Sandbox(settings, in_container=True)) as box:
        await box.freeze()
        await box.accepted(callbackUrl=receiver.url)
        await box.advance(seconds=1)
        assert await box.warning_codes() == ["webhook-slow", "webhook-failed"]
        hanging.let_go.set()


async def test_a_receiver_without_tls_is_not_taken_for_absent(receiver: Receiver) -> None:
    async with boxed(Sandbox(PATIENT, in_container=True)) as box:
        await box.accepted(callbackUrl=receiver.url.replace("http:", "https:"))
        await box.advance(seconds=1)
        assert await box.warning_codes() == ["webhook-failed"]


async def test_a_receiver_whose_certificate_is_not_trusted_is_not_taken_for_absent() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(tls)
    with receiving(tls) as receiver:
        async with boxed(Sandbox(PATIENT, in_container=True)) as box:
            await box.accepted(callbackUrl=receiver.url)
            await box.advance(seconds=1)
            assert await box.warning_codes() == ["webhook-failed"]


async def test_a_name_that_is_not_resolved_in_time_is_no_slow_receiver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: let_go.wait() and [])
    try:
        async with sandbox(webhook_timeout=0.2) as box:
            await box.accepted(callbackUrl="http://receiver.example/hooks")
            await box.advance(seconds=1)
            assert await box.warning_codes() == ["webhook-failed"]
    finally:
        let_go.set()


async def test_a_webhook_that_the_sandbox_refuses_to_send_is_not_blamed_on_its_receiver() -> None:
    async with boxed(Sandbox(PATIENT, in_container=True)) as box:
        await box.accepted(callbackUrl="http://8.8.8.8/hooks")
        await box.advance(seconds=1)
        [warning] = await box.warnings()
    assert warning["code"] == "webhook-failed"
    assert warning["message"].startswith("message.sent was not sent to http://8.8.8.8/hooks: ")
    assert "--webhook-policy any" in warning["message"]


async def test_a_policy_that_refuses_localhost_is_not_taken_for_a_container() -> None:
    async with boxed(Sandbox(Settings(webhook_policy="public"), in_container=True)) as box:
        await box.accepted(callbackUrl="http://localhost:9/hooks")
        await box.advance(seconds=1)
        assert await box.warning_codes() == ["webhook-failed"]
