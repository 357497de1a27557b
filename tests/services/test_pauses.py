"""A process that is paused at random under load, as on a machine that is too busy."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import PROGRAM
from live import Live, serving
from receiver import LIMIT, Receiver

PAUSES = 20
AFTER_EACH = 10
"""Messages that are sent after a pause, so that their number does not depend on the machine."""
MESSAGES = PAUSES * AFTER_EACH
AT_ONCE = 8
PAUSE = 0.02  # seconds
FLAGS = ("--tier", "unlimited", "--quiet", "--sent-after", "0.1", "--delivered-after", "0.2")
PLAIN = "import sys; sys.modules['uvloop'] = None; from msgine_sandbox.cli import main; main()"


async def pause(live: Live, may_send: asyncio.Semaphore, until: asyncio.Event) -> int:
    """Stop the process for 20 ms again and again; return how often."""
    chance, count = random.Random(20), 0
    while not until.is_set():
        live.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(PAUSE)
        live.process.send_signal(signal.SIGCONT)
        for _ in range(AFTER_EACH):
            may_send.release()
        await asyncio.sleep(chance.uniform(0, 4 * PAUSE))
        count += 1
    return count


async def send(
    http: httpx.AsyncClient, receiver: Receiver, may_send: asyncio.Semaphore, count: int
) -> None:
    for _ in range(count):
        await may_send.acquire()
        body = {"to": "+256701234567", "message": "Hello", "callbackUrl": receiver.url}
        answer = await http.post("/api/v1/messages/sms", json=body)
        assert answer.status_code == 201, answer.text


def times(message: dict[str, Any]) -> dict[str, float]:
    """Return how many seconds after its acceptance a message reached each status."""
    [delivery] = message["recipients"]
    moments = {each["status"]: datetime.fromisoformat(each["at"]) for each in delivery["timeline"]}
    return {
        status: (moment - moments["pending"]).total_seconds() for status, moment in moments.items()
    }


@pytest.mark.live
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no signal pauses a process")
@pytest.mark.parametrize("program", [PROGRAM, ("-c", PLAIN)], ids=["uvloop", "asyncio"])
async def test_pauses_under_load_lose_nothing_and_every_delivery_has_its_time(
    program: Sequence[str], tmp_path: Path, receiver: Receiver
) -> None:
    errors, ended, may_send = tmp_path / "errors", asyncio.Event(), asyncio.Semaphore(0)
    headers = {"Authorization": "Bearer test_paused"}
    with (
        errors.open("w") as stderr,
        serving(*FLAGS, program=program, stderr=stderr) as live,
    ):
        async with httpx.AsyncClient(base_url=live.origin, headers=headers, timeout=LIMIT) as http:
            pausing = asyncio.create_task(pause(live, may_send, ended))
            each = MESSAGES // AT_ONCE
            await asyncio.gather(*[send(http, receiver, may_send, each) for _ in range(AT_ONCE)])
            await receiver.until(2 * MESSAGES)
            ended.set()
            assert await pausing >= PAUSES
            messages = (await http.get("/_sandbox/messages?limit=1000")).json()["data"]
            assert len(messages) == MESSAGES
            expected = {"pending": 0, "sent": 0.1, "delivered": 0.2}
            assert [times(each) for each in messages] == [expected] * MESSAGES
            attempts = (await http.get("/_sandbox/webhooks/attempts?limit=1000")).json()["data"]
            assert Counter(each["status"] for each in attempts) == {200: 2 * MESSAGES}
        assert errors.read_text() == ""
