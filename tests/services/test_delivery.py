"""Deliveries: steps by the account's clock, and statuses that are set."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from box import NUMBER, Box, sandbox


def timeline(details: dict, recipient: int = 0) -> list[tuple[str, float]]:
    """A recipient's statuses, each with its seconds after acceptance."""
    steps = details["recipients"][recipient]["timeline"]
    times = [datetime.fromisoformat(step["at"]) for step in steps]
    return [
        (step["status"], (at - times[0]).total_seconds())
        for step, at in zip(steps, times, strict=True)
    ]


async def test_a_message_is_sent_and_delivered_each_at_its_own_time(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    advanced = await box.advance(hours=1)
    assert advanced["performed"] == 2
    assert timeline(await box.details(message)) == [("pending", 0), ("sent", 0.5), ("delivered", 2)]


async def test_nothing_happens_before_its_time(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    for at, status in [(0.499, "pending"), (0.5, "sent"), (1.999, "sent"), (2, "delivered")]:
        now = (await box.control("GET", "/clock"))["now"]
        gone = datetime.fromisoformat(now) - datetime.fromisoformat(
            (await box.details(message))["timeline"][0]["at"]
        )
        await box.advance(seconds=round(at - gone.total_seconds(), 6))
        assert (await box.read(message))["status"] == status


async def test_with_real_time_a_message_arrives_by_itself() -> None:
    async with sandbox(sent_after=0, delivered_after=0) as box:
        message = await box.accepted()
        found = await box.control("GET", f"/messages/wait?to=%2B{NUMBER[1:]}&status=delivered")
        assert found["id"] == message["id"]


@pytest.mark.parametrize(
    ("number", "course", "reason"),
    [
        ("+256700000000", [("pending", 0), ("sent", 0.5), ("delivered", 2)], None),
        (
            "+256700000001",
            [("pending", 0), ("sent", 0.5), ("failed", 2)],
            "The handset is unreachable",
        ),
        ("+256700000002", [("pending", 0), ("failed", 0.5)], "The carrier refuses the message"),
        ("+256700000003", [("pending", 0)], None),
        ("+256700000004", [("pending", 0), ("sent", 0.5)], None),
        ("+256700000005", [("pending", 0), ("sent", 0.5), ("delivered", 3600)], None),
        ("+256700000006", [("pending", 0), ("sent", 0.5), ("delivered", 2)], None),
        ("+256700000007", [("pending", 0), ("sent", 0.5), ("delivered", 2)], None),
        ("+256700000008", [("pending", 0), ("sent", 0.5), ("delivered", 2)], None),
        ("+256700000009", [("pending", 0), ("sent", 0.5), ("delivered", 2)], None),
    ],
)
async def test_a_magic_recipient_determines_the_delivery_of_its_message(
    box: Box, number: str, course: list, reason: str | None
) -> None:
    message = await box.accepted(number)
    await box.advance(days=2)
    details = await box.details(message)
    assert timeline(details) == course
    assert details["recipients"][0]["reason"] == reason
    assert (await box.read(message))["status"] == course[-1][0]


@pytest.mark.parametrize(
    ("recipients", "summed_up"),
    [
        (["+256700000001", "+256700000002"], "failed"),
        (["+256700000001", NUMBER], "delivered"),
        (["+256700000004", NUMBER], "sent"),
        (["+256700000004", "+256700000001"], "sent"),
        (["+256700000003", NUMBER], "pending"),
        (["+256700000003", "+256700000001"], "pending"),
    ],
)
async def test_the_status_of_a_message_sums_up_its_recipients(
    box: Box, recipients: list[str], summed_up: str
) -> None:
    message = await box.accepted(recipients)
    await box.advance(days=1)
    assert (await box.read(message))["status"] == summed_up


async def test_with_manual_delivery_a_status_changes_only_when_it_is_set() -> None:
    async with sandbox(delivery="manual") as box:
        message = await box.accepted()
        assert (await box.advance(days=30))["performed"] == 0
        assert (await box.read(message))["status"] == "pending"
        for status in ("sent", "delivered"):
            await box.control("POST", f"/messages/{message['id']}/status", {"status": status})
            assert (await box.read(message))["status"] == status


async def test_a_step_that_the_lifecycle_forbids_is_refused_and_changes_nothing() -> None:
    async with sandbox(delivery="manual") as box:
        message = await box.accepted()
        path = f"/_sandbox/messages/{message['id']}/status"
        answer = await box.call("POST", path, json={"status": "delivered"})
        error = answer.json()["error"]
        assert (answer.status_code, error["details"]["field"]) == (400, "status")
        assert error["details"]["expected"] == ["failed", "sent"]
        assert (await box.read(message))["status"] == "pending"


async def test_a_status_is_set_for_all_recipients_or_for_none() -> None:
    async with sandbox(delivery="manual") as box:
        message = await box.accepted([NUMBER, "+256701234568"])
        path = f"/messages/{message['id']}/status"
        await box.control("POST", path, {"status": "failed", "to": NUMBER})
        answer = await box.call("POST", f"/_sandbox{path}", json={"status": "sent"})
        assert answer.status_code == 400
        details = await box.details(message)
        assert [each["status"] for each in details["recipients"]] == ["failed", "pending"]


async def test_a_status_that_is_set_overrides_the_planned_steps(box: Box) -> None:
    await box.freeze()
    message = await box.accepted()
    await box.control("POST", f"/messages/{message['id']}/status", {"status": "failed"})
    await box.advance(hours=1)
    assert timeline(await box.details(message)) == [("pending", 0), ("failed", 0)]


async def test_deliveries_go_on_after_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    async with sandbox(database=database) as before:
        await before.freeze()
        message = await before.accepted()
    async with sandbox(database=database) as fresh:
        box = fresh.other(before.token)
        assert (await box.read(message)) == message
        await box.advance(seconds=2)
        assert timeline(await box.details(message))[-1] == ("delivered", 2)


async def test_steps_that_were_due_during_a_stop_are_performed_after_the_restart(
    tmp_path: Path,
) -> None:
    database = str(tmp_path / "sandbox.db")
    async with sandbox(database=database, sent_after=0.01, delivered_after=0.02) as before:
        message = await before.accepted()
    async with sandbox(database=database) as fresh:
        box = fresh.other(before.token)
        await box.control("GET", "/messages/wait?status=delivered")
        assert timeline(await box.details(message))[-1] == ("delivered", 0.02)


async def test_an_advance_performs_the_steps_of_a_hundred_messages() -> None:
    async with sandbox(tier="unlimited") as box:
        await box.freeze()
        sent = await asyncio.gather(*[box.accepted() for _ in range(100)])
        assert (await box.advance(seconds=10))["performed"] == 200
        statuses = {(await box.read(message))["status"] for message in sent}
        assert statuses == {"delivered"}
