"""`python -m benchmarks.filling FILE COUNT`: a database file with so many messages.

A few messages are sent and delivered as any others; then they are stored again and again under new
ids, by what stores every message, so that the file is one that a sandbox has written.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace

from benchmarks.application import Application
from msgine_sandbox.model.ids import parse_id
from msgine_sandbox.model.message import Message
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import Settings

TOKEN = "test_unlimited_full"
FAILED = 20
"""One of so many messages has failed, the others are delivered."""
SHOPS = 1000
"""One of so many messages is from a certain shop, which its text names."""
_BATCH = 2000
_DELIVERED, _REFUSED = "+256701234567", "+256700000002"


def filled(file: Path, count: int) -> Path:
    """Return a file with so many messages of one account, written in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.filling", str(file), str(count)]
    subprocess.run(command, check=True)
    return file


async def _fill(file: str, count: int) -> None:
    sandbox = Sandbox(Settings(database=file))
    application = Application(sandbox)
    delivered, failed = [await _sent(sandbox, application, to) for to in (_DELIVERED, _REFUSED)]
    first = failed.id + 1
    numbers = range(2, count)  # after the two that were sent
    for start in range(0, len(numbers), _BATCH):
        async with sandbox.store.write():
            for number in numbers[start : start + _BATCH]:
                kind = delivered if number % FAILED else failed
                message = replace(kind, id=first + number, text=_text(number))
                await sandbox.store.messages.add(message)
    sandbox.store.close()


async def _sent(sandbox: Sandbox, application: Application, to: str) -> Message:
    """Send a message, wait for its final status on the account's clock, and return it."""
    sent = json.loads(await application.send(to, _text(0), TOKEN))
    await application.call("POST", "/_sandbox/clock/advance", {"seconds": 10}, TOKEN)
    message = await sandbox.store.messages.get(parse_id("msg", sent["id"]) or 0)
    assert message is not None
    return message


def _text(number: int) -> str:
    return f"Your code for shop {number % SHOPS:03d} is {number:08d}"


if __name__ == "__main__":
    asyncio.run(_fill(sys.argv[1], int(sys.argv[2])))
