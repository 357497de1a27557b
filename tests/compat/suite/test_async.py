"""The application and the receiver of its webhooks run in the event loop of the test."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio
from aiohttp import web
from conftest import NUMBER
from freezegun import freeze_time
from shop import post_by_aiohttp

from msgine_sandbox.testing.errors import MessageNotFound, WebhookNotFound

TO_THREAD = r"asyncio\.to_thread"
BOTH = ["message.sent", "message.delivered"]


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[str, list[str]]]:
    """Receive webhooks in this loop; return the URL, and the events that came."""
    events: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        events.append((await request.json())["event"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/hooks", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}/hooks", events
    finally:
        await runner.cleanup()


async def text(msgine, number: str = NUMBER) -> None:
    await post_by_aiohttp(
        f"{msgine.base_url}/messages/sms",
        {"to": number, "message": "Hello"},
        {"Authorization": f"Bearer {msgine.token}"},
    )


@pytest.mark.asyncio
async def test_a_blocking_advance_in_the_loop_of_the_receiver_says_what_to_do(msgine):
    async with receiving() as (url, events):
        msgine.webhooks.listen(url)
        await text(msgine)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(Warning, match=TO_THREAD):
                msgine.clock.advance(seconds=3)
        await asyncio.to_thread(msgine.clock.advance, seconds=3)
        assert events == BOTH


@pytest.mark.asyncio
async def test_waiting_for_long_in_a_loop_says_what_to_do(msgine, msgine_webhooks):
    with (
        pytest.warns(Warning, match=TO_THREAD),
        pytest.raises(MessageNotFound),
    ):
        msgine.wait_for_message(timeout=2)
    with (
        pytest.warns(Warning, match=TO_THREAD),
        pytest.raises(WebhookNotFound),
    ):
        msgine_webhooks.wait_for(timeout=2)


@pytest.mark.asyncio
@pytest.mark.filterwarnings("error")
async def test_a_blocking_call_in_a_loop_that_is_answered_at_once(msgine, msgine_webhooks):
    await text(msgine)
    msgine.clock.advance(seconds=3)
    assert msgine_webhooks.events == BOTH
    assert msgine.messages[0].status == "delivered"


@pytest.mark.asyncio
async def test_an_advance_in_a_thread(msgine):
    async with receiving() as (url, events):
        msgine.webhooks.listen(url)
        await text(msgine)
        await asyncio.to_thread(msgine.clock.advance, seconds=3)
        assert events == BOTH
        attempts = await asyncio.to_thread(lambda: msgine.webhooks.attempts)
        assert [attempt.status for attempt in attempts] == [200, 200]


@pytest.mark.asyncio
async def test_sending_and_waiting_at_once(msgine, msgine_webhooks):
    sms, _ = await asyncio.gather(
        asyncio.to_thread(msgine.wait_for_message, to=NUMBER, status="delivered"), text(msgine)
    )
    assert sms.text == "Hello"
    await asyncio.to_thread(msgine_webhooks.wait_for, count=2)
    assert msgine_webhooks.events == BOTH


@pytest.mark.asyncio
async def test_time_is_frozen_in_a_coroutine(msgine):
    with freeze_time("2026-01-01", real_asyncio=True):
        async with receiving() as (url, events):
            await asyncio.to_thread(msgine.webhooks.listen, url)
            await text(msgine)
            await asyncio.to_thread(msgine.clock.advance, seconds=3)
            assert events == BOTH


@pytest.mark.asyncio
async def test_httpx_is_mocked_in_a_coroutine(msgine, msgine_webhooks, httpx_mock):
    httpx_mock.add_response(url="https://pay.example/charges", json={"id": "ch_1"})
    async with httpx.AsyncClient() as client:
        assert (await client.post("https://pay.example/charges")).json() == {"id": "ch_1"}
    await text(msgine)
    await asyncio.to_thread(msgine.clock.advance, seconds=3)
    assert msgine_webhooks.events == BOTH


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """A client that lives as long as the loop of the session."""
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("_", range(2))
async def test_a_loop_for_the_whole_session(msgine, msgine_webhooks, api, _):
    response = await api.post(
        f"{msgine.base_url}/messages/sms",
        json={"to": NUMBER, "message": "Hello"},
        headers={"Authorization": f"Bearer {msgine.token}"},
    )
    assert response.status_code == 201
    await asyncio.to_thread(msgine.clock.advance, seconds=3)
    assert msgine_webhooks.events == BOTH
