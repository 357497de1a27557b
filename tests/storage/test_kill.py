"""`kill -9` in the middle of load: nothing acknowledged is lost, and no key makes two messages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import LIMIT
from live import Live, serving
from receiver import ReceivedWebhook, Receiver

KILLS = 3
ANSWERS = 100  # before each kill
AT_ONCE = 8
FLAGS = ("--tier", "unlimited", "--sent-after", "0.02", "--delivered-after", "0.1")
HEADERS = {"Authorization": "Bearer test_killed"}


@dataclass
class Client:
    """Sends with a new key each time, and records every response."""

    callback: str
    keys: Iterable[int] = field(default_factory=count)
    tried: list[int] = field(default_factory=list)
    acknowledged: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def send(self, http: httpx.AsyncClient, key: int) -> dict[str, Any]:
        called = {"callbackUrl": self.callback} if calls_back(key) else {}
        body = {"to": "+256701234567", "message": f"number {key}"} | called
        headers = {"Idempotency-Key": f"key-{key}"}
        answer = await http.post("/api/v1/messages/sms", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def load(self, http: httpx.AsyncClient, live: Live) -> None:
        """Send until the process is killed, which happens after so many responses."""
        enough = len(self.acknowledged) + ANSWERS

        async def one_after_another() -> None:
            for key in self.keys:
                self.tried.append(key)
                try:
                    self.acknowledged[key] = await self.send(http, key)
                except httpx.TransportError:
                    return
                if len(self.acknowledged) == enough:
                    live.process.kill()

        await asyncio.gather(*[one_after_another() for _ in range(AT_ONCE)])


def calls_back(key: int) -> bool:
    return key % 5 == 0


@asynccontextmanager
async def connected(live: Live) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=live.origin, headers=HEADERS, timeout=LIMIT, trust_env=False
    ) as http:
        yield http


async def for_each(
    keys: Iterable[int], ask: Callable[[int], Coroutine[Any, Any, dict[str, Any]]]
) -> dict[int, dict[str, Any]]:
    """Call a function for every key, a few at once."""
    left, answers = iter(keys), {}

    async def one_after_another() -> None:
        for key in left:
            answers[key] = await ask(key)

    await asyncio.gather(*[one_after_another() for _ in range(AT_ONCE)])
    return answers


@pytest.mark.live
async def test_nothing_acknowledged_is_lost_and_no_key_makes_two_messages(
    tmp_path: Path, receiver: Receiver
) -> None:
    database = str(tmp_path / "sandbox.db")
    client = Client(receiver.url)
    for _ in range(KILLS):
        with serving("--database", database, *FLAGS) as live:
            async with connected(live) as http:
                named = {"name": f"Killed after {len(client.acknowledged)}"}
                assert (await http.patch("/_sandbox/account", json=named)).status_code == 200
                await client.load(http, live)
            assert live.wait() == -9
    with serving("--database", database, *FLAGS) as live:
        async with connected(live) as http:
            assert (await http.get("/_sandbox/account")).json()["name"] == named["name"]
            await check_messages(client, http)
            await check_deliveries(client, http, receiver)


async def check_messages(client: Client, http: httpx.AsyncClient) -> None:
    """Every acknowledged message is there; every key has one message, acknowledged or not."""

    async def look_up(key: int) -> dict[str, Any]:
        answer = await http.get(f"/api/v1/messages/{client.acknowledged[key]['id']}")
        assert answer.status_code == 200, f"message of key {key} is lost"
        return answer.json()

    found = await for_each(client.acknowledged, look_up)
    for key, message in client.acknowledged.items():
        changing = {name: found[key][name] for name in ("status", "updatedAt")}
        assert found[key] == message | changing
    assert len(client.acknowledged) >= KILLS * ANSWERS
    assert len(client.tried) > len(client.acknowledged)

    again = await for_each(client.tried, lambda key: client.send(http, key))
    assert {key: again[key] for key in client.acknowledged} == client.acknowledged
    assert len({message["id"] for message in again.values()}) == len(client.tried)
    page = (await http.get("/api/v1/messages")).json()
    assert page["pagination"]["total"] == len(client.tried)


async def check_deliveries(client: Client, http: httpx.AsyncClient, receiver: Receiver) -> None:
    """Every message is delivered, and each that asked for it has called back."""
    answer = await http.post("/_sandbox/clock/advance", json={"seconds": 86_400})
    assert answer.status_code == 200
    listed = (await http.get("/_sandbox/messages?limit=1000&status=delivered")).json()
    assert listed["total"] == len(client.tried)
    delivered = {each["id"] for each in listed["data"] if each["callbackUrl"] is not None}
    assert len(delivered) == sum(map(calls_back, client.tried))
    contents = [webhook.content for webhook in receiver.received if came_whole(webhook)]
    assert {
        each["messageId"] for each in contents if each["event"] == "message.delivered"
    } == delivered


def came_whole(webhook: ReceivedWebhook) -> bool:
    """Return whether the sender was not killed before the end of the body."""
    return len(webhook.body) == int(webhook.headers["content-length"])
