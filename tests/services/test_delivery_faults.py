"""Delivery faults: how deliveries to any recipient end, why, when, and how often."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from hypothesis import given, settings
from hypothesis import strategies as st
from receiver import Receiver
from sync_box import sync_sandbox

from msgine_sandbox.model.magic import ALL, Outcome

OTHER = "+254712345678"
PUSH = {"title": "Your order", "body": "It is on its way"}
EMAIL = {"from": "shop@example.com", "subject": "Your order", "text": "It is on its way"}
ENDS = {
    "delivered": ["pending", "sent", "delivered"],
    "failed": ["pending", "sent", "failed"],
    "refused": ["pending", "failed"],
    "sent": ["pending", "sent"],
    "pending": ["pending"],
}


async def history(box: Box, message: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the statuses of a message's first recipient, with the seconds after the first."""
    timeline = (await box.details(message))["recipients"][0]["timeline"]
    times = [datetime.fromisoformat(each["at"]) for each in timeline]
    seconds = [(time - times[0]).total_seconds() for time in times]
    return list(zip([each["status"] for each in timeline], seconds, strict=True))


async def ended(box: Box, **send: Any) -> dict[str, Any]:
    """Send an SMS, let a day pass, and return its first recipient."""
    message = await box.accepted(**send)
    await box.advance(days=1)
    return (await box.details(message))["recipients"][0]


# Outcomes


@pytest.mark.parametrize("outcome", [*Outcome])
async def test_a_delivery_ends_as_the_fault_says(box: Box, outcome: str) -> None:
    fault = await box.add_fault({"delivery": outcome})
    assert fault["effect"] == {"delivery": outcome}
    answer = await box.send()
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    await box.advance(days=1)
    found = await history(box, answer.json())
    assert [status for status, _ in found] == ENDS[outcome]


@pytest.mark.parametrize(
    ("outcome", "usual"),
    [
        ("failed", "The handset is unreachable"),
        ("refused", "The carrier refuses the message"),
        ("delivered", None),
        ("sent", None),
        ("pending", None),
    ],
)
async def test_a_failure_has_the_usual_reason_unless_the_fault_has_one(
    box: Box, outcome: str, usual: str | None
) -> None:
    await box.add_fault({"delivery": outcome}, times=1)
    assert (await ended(box))["reason"] == usual
    if usual is not None:
        await box.add_fault({"delivery": outcome, "reason": "Tebatudde 🙁"})
        assert (await ended(box))["reason"] == "Tebatudde 🙁"


async def test_a_webhook_reports_the_outcome_of_a_fault(box: Box, receiver: Receiver) -> None:
    await box.listen(receiver.url)
    await box.add_fault({"delivery": "refused", "reason": "The recipient has opted out"})
    await box.accepted()
    await box.advance(seconds=1)
    assert [each["event"] for each in await box.attempts()] == ["message.failed"]


async def test_a_fault_matches_by_recipient_and_channel(box: Box) -> None:
    await box.add_fault({"delivery": "refused"}, match={"to": "+254*", "channel": "sms"})
    both = await box.accepted([NUMBER, OTHER])
    email = await box.developers("POST", "/email", EMAIL | {"to": "jane@example.com"})
    await box.advance(seconds=2)
    found = (await box.details(both))["recipients"]
    assert [each["status"] for each in found] == ["delivered", "failed"]
    assert (await box.details(email))["status"] == "delivered"


async def test_a_fault_of_emails_matches_all_recipients(box: Box) -> None:
    await box.add_fault({"delivery": "failed"}, match={"to": "*@example.org", "channel": "email"})
    body = EMAIL | {"to": "jane@example.com", "cc": "joe@example.org", "bcc": "bea@example.org"}
    email = await box.developers("POST", "/email", body)
    await box.advance(seconds=2)
    found = (await box.details(email))["recipients"]
    assert [(each["status"], each["reason"]) for each in found] == [
        ("delivered", None),
        ("failed", "The message bounced"),
        ("failed", "The message bounced"),
    ]


@pytest.mark.parametrize(
    ("to", "pattern"),
    [
        ("D@Full.org", "*@full.org"),
        ("d@full.org", "D@FULL.org"),
        ("Jane@Shop.example.com", "jANE*EXAMPLE*"),
    ],
)
async def test_a_fault_matches_email_addresses_in_any_case(box: Box, to: str, pattern: str) -> None:
    await box.add_fault({"delivery": "refused"}, match={"to": pattern})
    email = await box.developers("POST", "/email", EMAIL | {"to": to})
    await box.advance(seconds=2)
    assert (await box.details(email))["status"] == "failed"
    await box.add_fault({"status": 503}, match={"to": pattern})
    refused = await box.developers_error("POST", "/email", EMAIL | {"to": to})
    assert refused["code"] == "service_unavailable"


async def test_a_fault_matches_the_targets_of_a_push_as_they_are_written(box: Box) -> None:
    for to in ("APA91b:x", "user:Jane@example.com", "topic:News"):
        await box.add_fault({"status": 503}, match={"to": to})
    for targets in (
        {"tokens": ["apa91b:x"]},
        {"userIds": ["jane@example.com"]},
        {"topic": "news"},
    ):
        answer = await box.call("POST", f"{BASE_PATH}/developers/push", json=PUSH | targets)
        assert answer.status_code != 503
    for targets in (
        {"tokens": ["APA91b:x"]},
        {"userIds": ["Jane@example.com"]},
        {"topic": "News"},
    ):
        answer = await box.call("POST", f"{BASE_PATH}/developers/push", json=PUSH | targets)
        assert answer.status_code == 503


@pytest.mark.parametrize(
    ("outcome", "counts", "later"),
    [
        ("delivered", (1, 0), "delivered"),
        ("failed", (1, 0), "failed"),
        ("refused", (0, 1), "failed"),
        ("sent", (1, 0), "sent"),
        ("pending", (0, 0), "pending"),
    ],
)
@pytest.mark.parametrize("target", ["token-of-a-phone", "user:7", "topic:news"])
async def test_the_answer_to_a_push_has_what_its_service_says_at_once(
    box: Box, outcome: str, counts: tuple[int, int], later: str, target: str
) -> None:
    await box.add_fault(
        {"delivery": outcome, "after": 5 if later != "pending" else None}, match={"to": target}
    )
    kind, _, name = target.rpartition(":")
    to = {"": {"tokens": [name]}, "user": {"userIds": [name]}, "topic": {"topic": name}}[kind]
    push = await box.developers("POST", "/push", PUSH | to)
    assert (push["successCount"], push["failureCount"]) == counts
    await box.advance(seconds=5)
    assert (await box.details(push))["status"] == later


async def test_a_push_that_a_fault_refuses_for_some_counts_as_partial(box: Box) -> None:
    await box.add_fault({"delivery": "refused"}, match={"to": "one"})
    await box.developers("POST", "/push", PUSH | {"tokens": ["one", "two"]})
    assert "a push that fails for some" in (await box.get("/_sandbox/coverage"))["met"]


async def test_a_fault_decides_also_for_a_device_that_was_removed(box: Box) -> None:
    device = {"token": "phone", "platform": "ios"}
    await box.developers("POST", "/push/device", device)
    await box.developers("DELETE", "/push/device", device)
    await box.add_fault({"delivery": "delivered"}, times=1)
    found = [await box.developers("POST", "/push", PUSH | {"tokens": ["phone"]}) for _ in range(2)]
    assert [push["failureCount"] for push in found] == [0, 1]


# Times


@given(
    outcome=st.sampled_from(["delivered", "failed", "refused", "sent"]),
    after=st.floats(0, 400_000_000, allow_subnormal=False) | st.integers(0, 3),
    wait=st.none() | st.integers(1, 100_000),
)
def test_the_last_status_comes_exactly_when_the_fault_says(
    outcome: str, after: float, wait: int | None
) -> None:
    after = min(after, 315_619_200)  # ten years
    with sync_sandbox(delivery="auto") as sync:
        box, run = sync.box, sync.run
        now = datetime.fromisoformat(run(box.freeze())["now"])
        run(box.add_fault({"delivery": outcome, "after": after}))
        body: dict[str, Any] = {"to": NUMBER, "message": "Hello"}
        if wait is not None:
            until = datetime.fromtimestamp(now.timestamp() + wait, now.tzinfo)
            body["scheduledFor"] = until.isoformat()
            body["scheduledFor"] = body["scheduledFor"].replace("+00:00", "Z")
        message = run(box.developers("POST", "/sms", body))
        run(box.control("POST", "/clock/advance", {"seconds": 315_000_000}))
        run(box.control("POST", "/clock/advance", {"seconds": 1_000_000}))
        found = run(history(box, message))
        expected = ["queued"] * (wait is not None) + ENDS[outcome]
        assert [status for status, _ in found] == expected
        first = found[len(expected) - len(ENDS[outcome])][1]
        assert found[-1][1] - first == pytest.approx(after, abs=2e-6, rel=1e-15)
        times = [time for _, time in found]
        assert times == sorted(times)


async def test_after_0_the_last_status_comes_with_the_first(box: Box) -> None:
    await box.freeze()
    await box.add_fault({"delivery": "failed", "after": 0})
    answer = await box.send()
    assert answer.json()["status"] == "pending"
    assert (await box.read(answer.json()))["status"] == "failed"
    assert await history(box, answer.json()) == [("pending", 0), ("sent", 0), ("failed", 0)]


async def test_without_after_the_settings_say_when() -> None:
    async with sandbox(sent_after=7, delivered_after=9) as box:
        for outcome, last in {"delivered": 9, "failed": 9, "refused": 7, "sent": 7}.items():
            await box.add_fault({"delivery": outcome}, times=1)
            message = await box.accepted()
            await box.advance(seconds=10)
            assert (await history(box, message))[-1][1] == last


async def test_a_fault_decides_a_scheduled_push_when_it_is_accepted(box: Box) -> None:
    now = (await box.freeze())["now"]
    at = now[:-1].replace(now[:4], str(int(now[:4]) + 1)) + "Z"
    body = PUSH | {"tokens": ["one", "two", "three"], "scheduledFor": at}
    fault = await box.add_fault({"delivery": "failed", "after": 3}, match={"to": "one"}, times=1)
    await box.add_fault({"delivery": "pending"}, match={"to": "two"}, times=1)
    push = await box.developers("POST", "/push", body)
    await box.control("DELETE", f"/faults/{fault['id']}")
    assert push["status"] == "queued"
    await box.control("POST", "/clock/advance", {"to": at})
    found = (await box.details(push))["recipients"]
    assert [each["status"] for each in found] == ["sent", "pending", "sent"]
    await box.advance(seconds=3)
    found = (await box.details(push))["recipients"]
    assert [each["status"] for each in found] == ["failed", "pending", "delivered"]


async def test_a_scheduled_push_tells_of_what_a_fault_decided(box: Box, receiver: Receiver) -> None:
    await box.freeze()
    now = (await box.get("/_sandbox/clock"))["now"]
    at = now[:-1].replace(now[:4], str(int(now[:4]) + 1)) + "Z"
    await box.listen(receiver.url)
    await box.add_fault({"delivery": "failed", "after": 60}, match={"to": "one"})
    await box.developers("POST", "/push", PUSH | {"tokens": ["one"], "scheduledFor": at})
    await box.control("POST", "/clock/advance", {"to": at})
    assert [each["event"] for each in await box.attempts()] == ["message.sent"]
    await box.advance(seconds=60)
    assert [each["event"] for each in await box.attempts()] == ["message.sent", "message.failed"]


# Which rule decides


@pytest.mark.parametrize("magic", [each for each in ALL if not each.fault], ids=lambda it: it.name)
@pytest.mark.parametrize("outcome", ["delivered", "pending"])
async def test_a_fault_takes_precedence_over_a_magic_recipient(
    box: Box, magic: Any, outcome: str
) -> None:
    await box.add_fault({"delivery": outcome})
    message = await box.accepted(magic.number)
    await box.advance(days=1)
    assert (await box.read(message))["status"] == outcome


async def test_a_magic_recipient_decides_once_the_fault_is_used_up(box: Box) -> None:
    fault = await box.add_fault({"delivery": "delivered"}, times=1)
    found = [await ended(box, to="+256700000002") for _ in range(2)]
    assert [(each["status"], each["rule"]) for each in found] == [
        ("delivered", fault["id"]),
        ("failed", "refused"),
    ]


async def test_the_oldest_fault_that_matches_decides(box: Box) -> None:
    first = await box.add_fault({"delivery": "sent"}, match={"to": "+254*"}, times=1)
    second = await box.add_fault({"delivery": "refused"})
    found = [await ended(box, to=to) for to in (OTHER, OTHER, NUMBER)]
    assert [each["rule"] for each in found] == [first["id"], second["id"], second["id"]]


async def test_journal_and_timeline_name_what_decided(box: Box) -> None:
    await box.freeze()
    fault = await box.add_fault({"delivery": "failed"}, match={"to": OTHER})
    message = await box.accepted([NUMBER, OTHER, "+256700000003"])
    expected = [
        {"by": "delivery", "outcome": "failed", "to": OTHER, "rule": fault["id"]},
        {"by": "delivery", "outcome": "pending", "to": "+256700000003", "rule": "stuck"},
    ]
    [entry] = (await box.get("/_sandbox/requests"))["data"]
    assert [each for each in entry["decisions"] if each["by"] == "delivery"] == expected
    details = await box.details(message)
    assert [each.get("rule") for each in details["recipients"]] == [None, fault["id"], "stuck"]
    asked, *statuses = details["timeline"]
    assert asked["decisions"] == entry["decisions"]
    rules = [(each["to"], each.get("rule")) for each in statuses]
    assert rules == [(NUMBER, None), (OTHER, fault["id"]), ("+256700000003", "stuck")]


async def test_an_ordinary_delivery_is_decided_by_nothing(box: Box) -> None:
    await box.add_fault({"webhook": "lose"})
    message = await box.accepted("+256700000006")
    [entry] = (await box.get("/_sandbox/requests"))["data"]
    assert {each["by"] for each in entry["decisions"]} == {"auth", "window"}
    assert (await box.details(message))["recipients"][0].get("rule") is None


async def test_a_delivery_fault_applies_to_no_request_and_to_no_webhook(box: Box) -> None:
    fault = await box.add_fault({"delivery": "pending"}, match={"to": NUMBER}, times=1)
    assert (await box.call("GET", f"{BASE_PATH}/messages")).status_code == 200
    await box.listen("http://127.0.0.1:1/")
    assert (await box.send(OTHER)).status_code == 201
    await box.advance(seconds=1)
    [now] = (await box.get("/_sandbox/faults"))["data"]
    assert now == fault


async def test_a_request_fault_and_a_delivery_fault_apply_to_the_same_message(box: Box) -> None:
    await box.add_fault({"delivery": "refused"}, times=1)
    await box.add_fault({"status": 503, "commit": True}, times=1)
    assert (await box.send()).status_code == 503
    await box.advance(seconds=1)
    [message] = (await box.get("/_sandbox/messages"))["data"]
    assert message["status"] == "failed"


async def test_a_fault_of_all_accounts_decides_in_each(box: Box) -> None:
    await box.anonymous.add_fault({"delivery": "refused"}, times=2)
    found = [(await ended(each))["status"] for each in (box, box.other(), box.other())]
    assert found == ["failed", "failed", "delivered"]


async def test_by_hand_a_message_leaves_what_a_fault_has_decided(box: Box) -> None:
    await box.add_fault({"delivery": "pending"})
    message = await box.accepted()
    await box.control("POST", f"/messages/{message['id']}/status", {"status": "sent"})
    assert (await box.read(message))["status"] == "sent"


async def test_under_manual_delivery_only_added_faults_decide() -> None:
    async with sandbox(delivery="manual") as box:
        magic = await ended(box, to="+256700000002")
        await box.add_fault({"delivery": "failed"}, times=1)
        found = [await ended(box) for _ in range(2)]
        assert [each["status"] for each in (magic, *found)] == ["pending", "failed", "pending"]


# How often


async def test_times_counts_recipients(box: Box) -> None:
    fault = await box.add_fault({"delivery": "refused"}, times=2)
    message = await box.accepted([NUMBER, OTHER, "+256701234568"])
    await box.advance(seconds=2)
    found = (await box.details(message))["recipients"]
    assert [each["status"] for each in found] == ["failed", "failed", "delivered"]
    now = await box.get(f"/_sandbox/faults/{fault['id']}")
    assert (now["hits"], now["left"]) == (2, 0)


async def test_times_is_exact_however_many_messages_come_at_once(box: Box) -> None:
    account = box.other("test_unlimited_at_once")
    fault = await account.add_fault({"delivery": "refused"}, times=7, probability=0.9)
    messages = await asyncio.gather(*[account.accepted() for _ in range(50)])
    found = [await account.details(each) for each in messages]
    assert sum("rule" in each["recipients"][0] for each in found) == 7
    assert (await account.get(f"/_sandbox/faults/{fault['id']}"))["left"] == 0


@pytest.mark.parametrize(
    "refused",
    [
        {"to": "0701234567"},
        {"message": ""},
        {"message": "x" * 1601},
        {"to": NUMBER, "callbackUrl": "nonsense"},
    ],
)
async def test_a_refused_message_draws_nothing(box: Box, refused: dict[str, Any]) -> None:
    fault = await box.add_fault({"delivery": "refused"}, times=1, probability=0.5, seed=3)
    assert (await box.send(**refused)).status_code == 400
    assert await box.get(f"/_sandbox/faults/{fault['id']}") == fault


async def test_a_replay_draws_nothing(box: Box) -> None:
    fault = await box.add_fault({"delivery": "refused"}, times=5)
    for _ in range(2):
        await box.accepted(key="k")
    assert (await box.get(f"/_sandbox/faults/{fault['id']}"))["hits"] == 1


def drawn(seed: int, probability: float, recipients: list[int], *, pauses: bool) -> list[str]:
    """Return the outcomes of messages to so many recipients each, in the order of acceptance."""
    found: list[str] = []
    with sync_sandbox() as sync:
        box, run = sync.box, sync.run
        run(box.add_fault({"delivery": "refused"}, probability=probability, seed=seed))
        for count in recipients:
            to = [f"+2567012345{index:02}" for index in range(count)]
            message = run(box.accepted(to))
            if pauses:
                run(box.advance(hours=count))
            details = run(box.details(message))
            rules = [each.get("rule") for each in details["recipients"]]
            found += ["ordinary" if rule is None else "decided" for rule in rules]
    return found


@settings(max_examples=25)  # each is three sandboxes
@given(
    seed=st.integers(-5, 2**63 - 1),
    probability=st.floats(0, 1),
    recipients=st.lists(st.integers(1, 5), min_size=1, max_size=6),
)
def test_draws_follow_the_order_of_acceptance_and_not_the_time(
    seed: int, probability: float, recipients: list[int]
) -> None:
    expected = drawn(seed, probability, recipients, pauses=False)
    assert drawn(seed, probability, recipients, pauses=True) == expected
    assert drawn(seed, probability, [1] * sum(recipients), pauses=False) == expected


async def test_some_fail_by_chance(box: Box) -> None:
    account = box.other("test_unlimited_chance")
    await account.add_fault({"delivery": "failed"}, probability=0.3, seed=1)
    to = [f"+2567012345{index:02}" for index in range(100)]
    message = await account.accepted(to)
    await account.advance(seconds=2)
    found = [each["status"] for each in (await account.details(message))["recipients"]]
    assert 15 < found.count("failed") < 45
    assert found.count("delivered") == 100 - found.count("failed")


async def test_a_restart_keeps_what_is_left_and_what_was_drawn(tmp_path: Path) -> None:
    async def decided(box: Box, count: int) -> list[bool]:
        found = [await box.details(await box.accepted()) for _ in range(count)]
        return ["rule" in each["recipients"][0] for each in found]

    fault = {"probability": 0.5, "seed": 11, "times": 6}
    async with sandbox(tier="unlimited") as box:
        await box.add_fault({"delivery": "sent"}, **fault)
        expected = await decided(box, 20)
    database, runs = str(tmp_path / "sandbox.db"), []
    for run in range(4):
        async with sandbox(tier="unlimited", database=database) as box:
            box = box.other("test_restarted")
            if not run:
                await box.add_fault({"delivery": "sent"}, **fault)
            runs += await decided(box, 5)
    assert runs == expected
    assert runs.count(True) == 6


# What is refused


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"effect": {"delivery": "lost"}}, "effect.delivery"),
        ({"effect": {"delivery": True}}, "effect.delivery"),
        ({"effect": {"delivery": "failed", "status": 503}}, "effect.status"),
        ({"effect": {"delivery": "failed", "webhook": "lose"}}, "effect.delivery"),
        ({"effect": {"delivery": "failed", "commit": True}}, "effect.commit"),
        ({"effect": {"delivery": "failed"}, "commit": True}, "commit"),
        ({"effect": {"delivery": "failed", "after": -1}}, "effect.after"),
        ({"effect": {"delivery": "failed", "after": "1"}}, "effect.after"),
        ({"effect": {"delivery": "failed", "after": 1e300}}, "effect.after"),
        ({"effect": {"delivery": "failed", "after": 3653 * 86_400 + 1}}, "effect.after"),
        ({"effect": {"delivery": "pending", "after": 0}}, "effect.after"),
        (
            {"effect": {"delivery": "sent", "after": 1}, "match": {"channel": "push"}},
            "effect.after",
        ),
        (
            {"effect": {"delivery": "refused", "after": 1}, "match": {"channel": "push"}},
            "effect.after",
        ),
        ({"effect": {"delivery": "delivered", "reason": "Why not"}}, "effect.reason"),
        ({"effect": {"delivery": "failed", "reason": ""}}, "effect.reason"),
        ({"effect": {"delivery": "failed", "reason": "  "}}, "effect.reason"),
        ({"effect": {"delivery": "failed", "reason": "two\nlines"}}, "effect.reason"),
        ({"effect": {"delivery": "failed", "reason": "x" * 201}}, "effect.reason"),
        ({"effect": {"delivery": "failed", "reason": 5}}, "effect.reason"),
        ({"effect": {"delivery": "failed"}, "match": {"channel": "fax"}}, "match.channel"),
        ({"effect": {"delivery": "failed"}, "match": {"path": "/messages"}}, "match.path"),
        ({"effect": {"delivery": "failed"}, "match": {"event": "message.sent"}}, "match.event"),
        ({"effect": {"delivery": "failed"}, "match": {"to": "0701234567"}}, "match.to"),
        *(
            (
                {"effect": {"delivery": "failed"}, "match": {"to": to, "channel": channel}},
                "match.to",
            )
            for channel, to in [
                ("sms", "user:*"),
                ("sms", "*@example.org"),
                ("sms", "jane@example.org"),
                ("email", "user:1"),
                ("email", "+256701234567"),
            ]
        ),
        ({"effect": {"status": 503}, "match": {"channel": "sms"}}, "match.channel"),
        ({"effect": {"webhook": "lose"}, "match": {"channel": "sms"}}, "match.channel"),
    ],
)
async def test_an_invalid_delivery_fault_is_refused(box: Box, fault: Any, field: str) -> None:
    error = await box.control_error("POST", "/faults", fault)
    assert error["details"]["field"] == field
    assert error["details"]["expected"]
    assert (await box.get("/_sandbox/faults"))["total"] == 0


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        *(("sms", to) for to in ["*", "*4567", "+256*", "+25670*4567", "256*"]),
        *(("email", to) for to in ["*", "jane*", "*@example.org", "jane@example.org"]),
        *(("push", to) for to in ["*", "user:*", "topic:news", "a-token", "+256701234567"]),
    ],
)
async def test_a_fault_of_a_channel_may_name_what_its_recipients_can_be(
    box: Box, channel: str, to: str
) -> None:
    await box.add_fault({"delivery": "failed"}, match={"to": to, "channel": channel})


async def test_the_usual_reasons_are_listed_and_can_be_named(box: Box) -> None:
    usual = (await box.get("/_sandbox/definitions"))["reasons"]["usual"]
    assert list(usual) == ["sms", "email", "push"]
    for reason in {each for reasons in usual.values() for each in reasons}:
        await box.add_fault({"delivery": "refused", "reason": reason}, times=1)
        assert (await ended(box))["reason"] == reason
