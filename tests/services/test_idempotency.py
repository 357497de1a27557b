"""One key, one message, for 24 hours."""

import asyncio
from pathlib import Path

import pytest
from box import Box, sandbox
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msgine_sandbox.api.handlers import MessageHandlers
from msgine_sandbox.asgi.answers import Answer, json_answer


def without(answer, *names: str) -> dict[str, str]:
    return {k: v for k, v in answer.headers.items() if k not in names}


async def count(box: Box) -> int:
    return (await box.control("GET", "/messages"))["total"]


async def test_a_key_replays_the_first_answer_and_creates_nothing(box: Box) -> None:
    first = await box.send(key="order-17")
    second = await box.send(key="order-17")
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert await count(box) == 1


async def test_a_replay_equals_the_first_response_after_the_message_changed(box: Box) -> None:
    first = await box.send(key="k")
    await box.advance(hours=1)
    assert (await box.read(first.json()))["status"] == "delivered"
    assert (await box.send(key="k")).json() == first.json()


async def test_fifty_at_once_are_one_message_and_fifty_answers() -> None:
    async with sandbox(tier="unlimited") as box:
        answers = await asyncio.gather(*[box.send(key="k") for _ in range(50)])
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49
        assert await count(box) == 1


DAY = 86_400


@settings(max_examples=25)
@given(gap=st.floats(0, 3 * DAY).map(lambda gap: round(gap, 3)))
@example(gap=DAY - 0.001)
@example(gap=DAY)
@example(gap=DAY + 0.001)
def test_a_key_is_kept_for_less_than_a_day(gap: float) -> None:
    async def check() -> None:
        async with sandbox() as box:
            await box.freeze()
            first = await box.accepted(key="k")
            await box.advance(seconds=gap)
            again = await box.accepted(key="k")
            assert (again["id"] == first["id"]) == (gap < DAY)

    asyncio.run(check())


async def test_an_expired_key_can_be_used_for_another_day(box: Box) -> None:
    await box.freeze()
    await box.accepted(key="k")
    await box.advance(hours=24)
    second = await box.accepted(key="k")
    await box.advance(hours=23)
    assert (await box.accepted(key="k"))["id"] == second["id"]


async def test_two_tokens_never_share_a_key(box: Box) -> None:
    mine, theirs = await box.accepted(key="k"), await box.other().accepted(key="k")
    assert mine["id"] != theirs["id"]


async def test_a_refused_request_does_not_use_its_key(box: Box) -> None:
    assert (await box.send("0701234567", key="k")).status_code == 400
    answer = await box.send(key="k")
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers


async def test_a_key_with_another_body_gets_the_original_answer(box: Box) -> None:
    first = await box.send(message="one", key="k")
    assert (await box.send(message="two", key="k")).content == first.content


async def test_a_key_with_an_invalid_body_gets_the_original_answer(box: Box) -> None:
    first = await box.send(key="k")
    assert (await box.send("not a number", key="k")).content == first.content


async def test_a_strict_sandbox_refuses_a_key_with_another_body() -> None:
    async with sandbox(strict_idempotency=True) as box:
        first = await box.send(message="one", key="k")
        refused = await box.send(message="two", key="k")
        assert refused.status_code == 422
        assert refused.json()["error"]["code"] == "idempotency_key_reused"
        assert (await box.send(message="one", key="k")).content == first.content


async def test_a_key_on_a_read_does_nothing(box: Box) -> None:
    headers = {"Idempotency-Key": "k"}
    await box.call("GET", "/api/v1/messages", headers=headers)
    assert "idempotent-replayed" not in (await box.send(key="k")).headers


async def test_a_key_survives_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    async with sandbox(database=database) as before:
        first = await before.send(key="k")
    async with sandbox(database=database) as fresh:
        again = await fresh.other(before.token).send(key="k")
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"


async def test_a_handler_that_forgets_to_store_its_answer_is_a_defect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def forgetful(*_: object) -> Answer:
        return json_answer({}, 201)

    monkeypatch.setattr(MessageHandlers, "send", forgetful)  # before the routes refer to it
    async with sandbox() as box:
        assert (await box.send()).status_code == 201
        with pytest.raises(RuntimeError, match="did not store its answer"):
            await box.send(key="k")
        with pytest.raises(RuntimeError, match="did not store its answer"):
            await box.send(key="k")  # the key is not locked for ever
