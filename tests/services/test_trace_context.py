"""The trace context of a request goes on in the webhooks of its message (W3C Trace Context)."""

import re
from pathlib import Path

import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from receiver import Receiver

from msgine_sandbox.asgi.context import open_context
from msgine_sandbox.asgi.credentials import traceparent

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SENDS = {
    "/messages/sms": {"to": NUMBER, "message": "Hello"},
    "/developers/sms": {"to": NUMBER, "message": "Hello"},
    "/developers/email": {"from": "a@b.example", "to": "c@d.example", "subject": "S", "text": "T"},
    "/developers/push": {"tokens": ["a"], "title": "T", "body": "B"},
}


async def send(box: Box, path: str = "/messages/sms", trace: str = TRACE, **fields: str) -> str:
    answer = await box.call(
        "POST", BASE_PATH + path, json=SENDS[path] | fields, headers={"traceparent": trace}
    )
    assert answer.status_code == 201, answer.text
    return str((answer.json().get("data") or answer.json())["id"])


@pytest.mark.parametrize("path", SENDS)
async def test_a_message_and_its_webhooks_carry_the_trace_of_the_request(
    box: Box, receiver: Receiver, path: str
) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    message = await send(box, path)
    await box.advance(days=1)
    assert (await box.get(f"/_sandbox/messages/{message}"))["traceparent"] == TRACE
    [first, *_] = received = [each.headers.get("traceparent") for each in receiver.received]
    assert first == TRACE
    assert set(received) == {TRACE}
    [attempt, *_] = await box.attempts()
    assert attempt["request"]["headers"]["traceparent"] == TRACE


async def test_a_retry_after_a_restart_carries_it_too(tmp_path: Path, receiver: Receiver) -> None:
    file = str(tmp_path / "sandbox.db")
    receiver.answers = [500]
    async with sandbox(database=file) as box:
        token = box.token
        await box.freeze()
        message = await send(box, callbackUrl=receiver.url)
        await box.advance(seconds=1)
    async with sandbox(database=file) as box:
        box = box.other(token)
        await box.advance(days=1)
        assert (await box.get(f"/_sandbox/messages/{message}"))["traceparent"] == TRACE
    assert len(receiver.received) == 3
    assert {each.headers.get("traceparent") for each in receiver.received} == {TRACE}


async def test_without_a_valid_trace_nothing_is_kept_and_the_message_is_accepted(
    box: Box, receiver: Receiver
) -> None:
    await box.freeze()
    await box.listen(receiver.url)
    for invalid in ["", "x", TRACE[:-1], TRACE.upper(), f"{TRACE}-more", "ff" + TRACE[2:]]:
        message = await send(box, trace=invalid)
        assert "traceparent" not in await box.get(f"/_sandbox/messages/{message}")
    await box.advance(days=1)
    assert len(receiver.received) == 12
    assert not any("traceparent" in each.headers for each in receiver.received)


async def test_a_replay_does_not_change_the_trace(box: Box) -> None:
    other = TRACE.replace("4bf9", "ffff")
    for trace in (TRACE, other):
        headers = {"traceparent": trace, "Idempotency-Key": "one"}
        answer = await box.call(
            "POST", f"{BASE_PATH}/messages/sms", json=SENDS["/messages/sms"], headers=headers
        )
    assert (await box.details(answer.json()))["traceparent"] == TRACE


def read(*sent: bytes) -> str | None:
    scope = {
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"traceparent", each) for each in sent],
    }
    return traceparent(open_context(scope, None, "/", "req", 0))  # type: ignore[arg-type]


def digits(length: int, nothing: bool = False) -> st.SearchStrategy[str]:
    found = st.text("0123456789abcdef", min_size=length, max_size=length)
    return found if nothing else found.filter(lambda text: text.strip("0") != "")


@given(digits(32), digits(16), digits(2, nothing=True))
def test_every_trace_of_this_version_is_kept_as_it_is(trace: str, parent: str, flags: str) -> None:
    text = f"00-{trace}-{parent}-{flags}"
    assert read(text.encode()) == text
    assert read(text.encode(), text.encode()) is None
    assert read(f"{text}-".encode()) is None


@given(
    st.integers(1, 254), digits(32), digits(16), st.integers(0, 255), st.text("-a0 ", max_size=9)
)
def test_one_of_a_later_version_is_read_as_far_as_this_one_goes(
    version: int, trace: str, parent: str, flags: int, more: str
) -> None:
    text = f"{version:02x}-{trace}-{parent}-{flags:02x}"
    expected = f"00-{trace}-{parent}-{flags & 1:02x}"
    assert read(text.encode()) == read(f"{text}-{more}".encode()) == expected
    assert read(f"{text}a{more}".encode()) is None


VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@given(
    st.binary(max_size=70)
    | st.text("0123456789abcdefF-", min_size=50, max_size=60).map(str.encode)
    | st.integers(0, 54).flatmap(
        lambda place: st.binary(min_size=1, max_size=1).map(
            lambda byte: TRACE.encode()[:place] + byte + TRACE.encode()[place + 1 :]
        )
    )
    | st.sampled_from(
        [
            f"00-{'0' * 32}-00f067aa0ba902b7-01".encode(),
            f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01".encode(),
        ]
    )
)
def test_whatever_is_sent_only_what_is_valid_is_kept(sent: bytes) -> None:
    kept = read(sent)
    assert kept is None or VALID.fullmatch(kept)
    if VALID.fullmatch(sent.decode("latin-1")):
        assert kept == sent.decode()
