"""Coroutines run by anyio's pytest plugin."""

import anyio.to_thread
import httpx
import pytest
from conftest import NUMBER


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_a_text_is_sent_in_a_coroutine_of_anyio(msgine, msgine_webhooks):
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {msgine.token}"}) as client:
        await client.post(
            f"{msgine.base_url}/messages/sms", json={"to": NUMBER, "message": "Hello"}
        )
    await anyio.to_thread.run_sync(lambda: msgine.clock.advance(seconds=3))
    assert msgine_webhooks.events == ["message.sent", "message.delivered"]
