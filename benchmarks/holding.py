"""For how long the event loop is held, so that nobody else is answered."""

import asyncio
import json
import time
from asyncio.base_events import BaseEventLoop
from collections.abc import Coroutine
from typing import Any

from benchmarks.application import Application
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

MESSAGES = 30_000
GROUPS = 500
RECIPIENTS = [f"+2567012{n:05d}" for n in range(100)]
WAITS = 2000
ACCOUNTS = 2000


class Holds:
    """The longest iteration of the event loop, in milliseconds of the processor's time.

    Nobody else's request is read during an iteration. Time of the processor, so that it depends
    less on what else the machine does.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        run = BaseEventLoop._run_once

        def timed(loop: BaseEventLoop) -> None:
            began = time.thread_time()
            run(loop)
            self.longest = max(self.longest, (time.thread_time() - began) * 1000)

        BaseEventLoop._run_once = timed


async def measured(holds: Holds, name: str, call: Coroutine[Any, Any, Any]) -> None:
    """Print what a call takes, and for how long it holds the event loop."""
    await asyncio.sleep(0)  # the present iteration does not count
    holds.longest, began = 0.0, time.perf_counter()
    answer = await asyncio.ensure_future(call)  # in callbacks of its own
    took = (time.perf_counter() - began) * 1000
    size = f", {len(answer) / 1e6:.1f} MB" if isinstance(answer, bytes) else ""
    print(f"{name}: the loop held for {holds.longest:.0f} ms at most, {took:.0f} ms in all{size}")


async def searches(holds: Holds) -> None:
    """Search among many messages, and list messages of many recipients."""
    client = Application(Sandbox(Settings(delivery="manual")))
    await client.fill(MESSAGES, "+256701234567", "Your code is")
    for query in (
        "limit=1",
        "limit=1000",
        "status=sent",
        "status=pending&limit=1000",
        "q=nothing",
        "to=%2B256701234567",
        "matches=%5Cd%7B7%7D",
        "matches=%5E(Your|code|is|%20|%5Cd)*x%24",
    ):
        name = f"search {query} among {MESSAGES}"
        await measured(holds, name, client.call("GET", f"/_sandbox/messages?{query}"))
    await client.call("DELETE", "/_sandbox/messages")
    await client.fill(GROUPS, RECIPIENTS, "Hello")
    path = "/_sandbox/messages?limit=1000"
    await measured(holds, f"list {GROUPS} messages to 100", client.call("GET", path))
    path = "/api/v1/messages?limit=100"
    await measured(holds, "API: list 100 messages to 100", client.call("GET", path))
    path = "/_sandbox/messages/wait?contains=x&timeout=0"
    await measured(holds, f"wait among {GROUPS} to 100", client.call("GET", path))


async def waits(holds: Holds) -> None:
    """Accept a message that many calls wait for, and one that none of them waits for."""
    client = Application(Sandbox(Settings(delivery="manual")))
    path = "/_sandbox/messages/wait?contains=now&timeout=60"
    waiting = [asyncio.ensure_future(client.call("GET", path)) for _ in range(WAITS)]
    await asyncio.sleep(1)

    async def ignored() -> None:
        await client.send("+256701234567", "not for them")
        await asyncio.sleep(0.5)

    await measured(holds, f"a message that {WAITS} waits ignore", ignored())

    async def found() -> None:
        await client.send("+256701234567", "now")
        await asyncio.gather(*waiting)

    await measured(holds, f"a message that {WAITS} waits are for", found())


async def advances(holds: Holds) -> None:
    """Advance over many steps, without webhooks, and plan many webhooks."""
    sandbox = Sandbox(Settings())
    client = Application(sandbox)
    await client.call("POST", "/_sandbox/clock/freeze")
    await client.fill(10_000, "+256701234567", "Hello")
    path, body = "/_sandbox/clock/advance", {"seconds": 3600}
    await measured(holds, "advance over 20000 steps", client.call("POST", path, body))
    for n in range(5):
        await client.send(RECIPIENTS, f"Hello {n}")
    await measured(holds, "advance over 5 messages to 100", client.call("POST", path, body))
    endpoints = [{"url": f"http://127.0.0.1:9/{n}"} for n in range(16)]
    token = "test_unlimited_hooks"
    await client.call("POST", "/_sandbox/clock/freeze", token=token)
    await client.call("PUT", "/_sandbox/webhooks", {"endpoints": endpoints}, token)
    message = json.loads(await client.send(RECIPIENTS, "Hello", token))
    status = f"/_sandbox/messages/{message['id']}/status"
    sent = client.call("POST", status, {"status": "sent"}, token)
    await measured(holds, "100 recipients set to sent, 16 endpoints", sent)


async def accounts(holds: Holds) -> None:
    """List many accounts, and advance all of them."""
    client = Application(Sandbox(Settings()))
    for n in range(ACCOUNTS):
        await client.send("+256701234567", "Hello", f"test_unlimited_{n}")
    path = "/_sandbox/accounts?limit=1000"
    listed = client.call("GET", path, token="")
    await measured(holds, f"list 1000 of {ACCOUNTS} accounts", listed)
    path = "/_sandbox/clock/advance"
    advanced = client.call("POST", path, {"seconds": 10}, token="")
    await measured(holds, f"advance {ACCOUNTS} accounts", advanced)


async def scenarios(holds: Holds) -> None:
    """Load a scenario of many messages, into an account that has as many from the second time."""
    client = Application(Sandbox(Settings()))
    messages = [{"to": "+256701234567", "message": f"Your code is {n}"} for n in range(MESSAGES)]
    body = {"accounts": [{"messages": messages}]}
    for name in ("load", "replace"):
        call = client.call("PUT", "/_sandbox/scenario", body)
        await measured(holds, f"{name} a scenario of {MESSAGES}", call)


def compare() -> None:
    """Print all figures."""
    holds = Holds()
    for part in (searches, waits, advances, accounts, scenarios):
        asyncio.run(part(holds))


if __name__ == "__main__":
    compare()
