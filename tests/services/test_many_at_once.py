"""Much that falls due at one instant: done in parts, between which others are answered."""

import asyncio

from box import Box, boxed, sandbox
from iterations import iterations

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services.bus import StatusesChanged
from msgine_sandbox.settings import Settings

ENDPOINTS = [{"url": f"http://127.0.0.1:9/{n}"} for n in range(16)]
RECIPIENTS = [f"+2567012345{n:02d}" for n in range(40)]
ACCOUNTS = 400


async def subscribed(box: Box) -> None:
    """Let sixteen endpoints receive the events of an account, whose webhooks are all lost."""
    await box.control("PUT", "/webhooks", {"endpoints": ENDPOINTS})
    await box.add_fault({"webhook": "lose"})


async def test_the_webhooks_of_one_instant_are_planned_in_parts() -> None:
    built = Sandbox(Settings())
    parts: list[int] = []
    built.bus.listen(StatusesChanged, lambda event: parts.append(len(event.changes)))
    async with boxed(built) as box:
        await box.freeze()
        await subscribed(box)
        message = await box.accepted(RECIPIENTS)
        await box.advance(seconds=0.5)
        assert (await box.read(message))["status"] == "sent"
        attempts = await box.attempts()
        assert len(attempts) == len(RECIPIENTS) * len(ENDPOINTS)
    assert sum(parts) == len(RECIPIENTS)
    assert max(parts) * len(ENDPOINTS) <= 200


async def test_a_status_set_by_hand_is_set_for_all_recipients_at_once() -> None:
    async with sandbox(delivery="manual") as box:
        await subscribed(box)
        message = await box.accepted(RECIPIENTS)
        changed = await box.control("POST", f"/messages/{message['id']}/status", {"status": "sent"})
        assert {each["status"] for each in changed["recipients"]} == {"sent"}
        await box.advance(seconds=0)
        assert len(await box.attempts()) == len(RECIPIENTS) * len(ENDPOINTS)


async def test_the_clocks_of_many_accounts_begin_to_move_one_after_another(box: Box) -> None:
    accounts = [box.other() for _ in range(ACCOUNTS)]
    await asyncio.gather(*[each.control("GET", "/clock") for each in accounts])
    path, body = "/clock/advance", {"seconds": 3600}
    count, _ = await iterations(box.anonymous.control("POST", path, body))
    assert count > ACCOUNTS / 20
    ahead = [(await each.control("GET", "/clock"))["aheadSeconds"] for each in accounts]
    assert set(ahead) == {3600}
