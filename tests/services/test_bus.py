"""Announcements: a listener that fails harms nobody else."""

from typing import Any, NoReturn

import pytest
from box import NUMBER, Box, boxed
from receiver import Receiver

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.services import bus
from msgine_sandbox.settings import Settings

KINDS = [
    bus.MessageAccepted,
    bus.StatusesChanged,
    bus.InboxEmptied,
    bus.WebhookAttempted,
    bus.RequestAnswered,
    bus.RequestWarned,
    bus.Stopping,
]


async def use(box: Box, receiver: Receiver) -> None:
    """Cause every announcement but the last."""
    receiver.answers = [500]
    await box.freeze()
    await box.listen(receiver.url)
    assert (await box.send(unknown=1)).status_code == 201
    await box.advance(seconds=10)
    assert [each["status"] for each in await box.attempts()] == [500, 200, 200]
    assert await box.control("DELETE", "/messages")
    assert (await box.get("/_sandbox/coverage"))["percent"] > 0


async def test_a_listener_that_fails_fails_no_request_and_no_other_listener(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    built, heard = Sandbox(Settings()), []

    def broken(event: Any) -> NoReturn:
        raise ValueError(f"broken at {type(event).__name__}")

    for kind in KINDS:
        built.bus.listen(kind, broken)
        built.bus.listen(kind, lambda event: heard.append(type(event)))
    async with boxed(built) as box:
        await use(box, receiver)
        built.lifecycle.stop()
    assert set(heard) == set(KINDS)
    assert {f"broken at {kind.__name__}" for kind in KINDS} == {
        str(each.exc_info[1]) for each in caplog.records if each.exc_info
    }


@pytest.mark.parametrize("page", ["abc", "", "-1", "9" * 5000, "²", "%00", "%FF", "1&page=x"])
async def test_an_invalid_page_that_a_fault_answers_with_success_is_no_defect(
    box: Box, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    await box.add_fault({"malformed": True})
    for path in ("messages", "developers/sms/history"):
        answer = await box.call("GET", f"/api/v1/{path}?page={page}")
        assert answer.status_code == 200
    assert not caplog.records
    assert "200 a page past the first" not in (await box.get("/_sandbox/coverage"))["met"]
    assert (await box.send(NUMBER)).status_code == 201
