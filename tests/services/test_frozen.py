"""With a frozen clock, a suite has the same transcript wherever the server pauses, and how long."""

import json
import re
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from box import DEVELOPERS, NUMBER, boxed
from history import history, start
from hypothesis import given, settings
from hypothesis import strategies as st
from receiver import Receiver, receiving
from transcript import Call, get, perform, post

from msgine_sandbox.model.clock import SECOND, RealTime
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.settings import BASE_PATH, Settings

TOKEN = "test_frozen"
SMS = f"{BASE_PATH}/messages/sms"
WAIT = "/_sandbox/messages/wait?timeout=0"
_DIFFER = re.compile(r"(acc|att|dev|evt|flt|msg|req|SM)_?[0-9a-f]{16}|127\.0\.0\.1:[0-9]+")


def sms(text: str, to: Any = NUMBER, **headers: str) -> Call:
    return post(TOKEN, SMS, {"to": to, "message": text}, **headers)


def advance(**body: Any) -> Call:
    return post(TOKEN, "/_sandbox/clock/advance", body)


def suite(url: str) -> list[Call]:
    """The calls of a suite that meets much of what depends on time."""
    endpoints = {"endpoints": [{"url": url}]}
    later = {"to": NUMBER, "message": "Doors open", "scheduledFor": "2090-01-01T09:00:00Z"}
    many = [sms(f"No. {number}") for number in range(22)]
    return [
        {"token": TOKEN, "method": "PUT", "path": "/_sandbox/webhooks", "json": endpoints},
        sms("Your code is 493817", **{"Idempotency-Key": "login-1"}),
        sms("Your code is 493817", **{"Idempotency-Key": "login-1"}),
        get(TOKEN, f"{WAIT}&field=code"),
        get(TOKEN, f"{WAIT}&status=sent"),
        get(TOKEN, f"{WAIT}&status=sent&jump=true"),
        get(TOKEN, "/_sandbox/clock"),
        sms("Goodbye", ["+256700000001", "+256700000005"]),
        post(TOKEN, f"{DEVELOPERS}/sms", later),
        advance(until="next"),
        get(TOKEN, f"{WAIT}&contains=493817&status=delivered&jump=true"),
        get(TOKEN, f"{WAIT}&contains=493817&status=failed&jump=true"),
        *many,  # more than a second allows
        advance(seconds=1),
        sms("In the next second"),
        get(TOKEN, f"{BASE_PATH}/messages"),
        advance(until="idle"),
        get(TOKEN, "/_sandbox/messages?limit=1000"),
        get(TOKEN, "/_sandbox/requests?limit=1000&view=summary"),
        sms("The same key a day later", **{"Idempotency-Key": "login-1"}),
        get(TOKEN, "/_sandbox/coverage"),
    ]


class Pausing(RealTime):
    """Real time on which the process pauses before it reads the time, for microseconds by turns."""

    def __init__(self, pauses: list[int]) -> None:
        super().__init__()
        self.pauses: Iterator[int] = cycle(pauses)

    def now(self) -> int:
        self.not_before(super().now() + next(self.pauses))
        return super().now()


async def transcript(receiver: Receiver, pauses: list[int]) -> Any:
    """Run the suite, and return what its calls were answered and what has happened."""
    receiver.received.clear()
    receiver.answers = [503, 200, (503, {"Retry-After": "60"}), 503]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("msgine_sandbox.sandbox.RealTime", lambda: Pausing(pauses))
        built = Sandbox(Settings())
    async with boxed(built) as box:
        box = box.other(TOKEN)
        await start(box)
        answers = [await perform(box.http, call, fresh=True) for call in suite(receiver.url)]
        result = [answers, await history(box), [each.content for each in receiver.received]]
    return json.loads(_DIFFER.sub("*", json.dumps(result)))


_without_pauses: list[Any] = []
"""The transcript that all others are compared with, once it is made."""

PAUSES = st.lists(
    st.sampled_from([0, 0, 0, 1, SECOND // 100, SECOND, 61 * SECOND, 3600 * SECOND]),
    min_size=1,
    max_size=50,
)


@settings(max_examples=25)
@given(pauses=PAUSES)
async def test_the_transcript_is_the_same_however_long_the_server_pauses(
    pauses: list[int],
) -> None:
    with receiving() as receiver:
        if not _without_pauses:
            _without_pauses.append(await transcript(receiver, [0]))
        [(answers, *_)] = _without_pauses
        assert {200, 201, 408, 429} <= {each["status"] for each in answers}
        assert [await transcript(receiver, pauses)] == _without_pauses
