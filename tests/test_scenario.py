"""Scenarios: accounts and messages that a sandbox starts with."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import Box, sandbox
from project import FIXTURES

from msgine_sandbox.app import app_of
from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.scenario import load
from msgine_sandbox.settings import Settings, SettingsError

SHOP = FIXTURES / "scenarios" / "shop.json"
NUMBER = "+256701234567"
HELLO = {"to": NUMBER, "message": "Hello"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@asynccontextmanager
async def starting_with(scenario: Path | str, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run a sandbox that starts with a scenario, as the command does."""
    built = Sandbox(Settings(**settings))
    transport = httpx.ASGITransport(app_of(built))
    try:
        await built.lifecycle.start()
        await load(built, str(scenario))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http
    finally:
        await built.lifecycle.close()


def written(folder: Path, content: Any) -> Path:
    """Write a scenario's file."""
    file = folder / "scenario.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def accounts(*bodies: dict[str, Any]) -> dict[str, Any]:
    return {"accounts": list(bodies)}


EMAIL = {
    "channel": "email",
    "from": "shop@example.com",
    "to": "jane@example.com",
    "subject": "Your order",
    "text": "It is on its way",
}
PUSH = {"channel": "push", "title": "Your order", "body": "It is on its way", "tokens": ["one"]}


async def texts(box: Box) -> list[str]:
    """What was sent, the oldest first."""
    return [each["message"] for each in (await box.get("/_sandbox/messages"))["data"]][::-1]


async def test_the_shop_has_its_accounts_and_their_messages() -> None:
    async with starting_with(SHOP) as http:
        shop, clinic = Box(http, "test_shop"), Box(http, "test_clinic")
        account = await shop.get("/_sandbox/account")
        assert (account["senderId"], account["tier"]) == ("KampalaShop", "professional")
        assert account["limits"] == {"perMinute": 500, "perSecond": 50}
        page = await shop.get("/api/v1/messages")
        assert page["pagination"]["total"] == 5
        senders = [each["from"] for each in page["data"]]
        assert senders == ["ShopLogin"] + ["KampalaShop"] * 4
        assert (await clinic.get("/_sandbox/account"))["tier"] == "starter"
        assert (await clinic.get("/api/v1/messages"))["pagination"]["total"] == 1


async def test_messages_reach_the_statuses_that_their_age_implies() -> None:
    async with starting_with(SHOP) as http:
        shop = Box(http, "test_shop")
        # What is over by now happens at once; waiting for the last of it is waiting for all.
        await shop.get("/_sandbox/messages/wait", status="delivered", contains="Enkya", timeout=60)
        found = (await shop.get("/_sandbox/messages"))["data"]
        assert [each["status"] for each in found] == [
            "pending",
            "delivered",
            "failed",
            "delivered",
            "delivered",
        ]


async def test_an_old_message_has_old_times(tmp_path: Path) -> None:
    file = written(tmp_path, accounts({"token": "t", "messages": [HELLO | {"secondsAgo": 3600}]}))
    async with starting_with(file) as http:
        box = Box(http, "t")
        message = await box.get("/_sandbox/messages/wait", status="delivered", timeout=60)
        clock = await box.get("/_sandbox/clock")
        steps = message["recipients"][0]["timeline"]
        assert [each["status"] for each in steps] == ["pending", "sent", "delivered"]
        assert all(each["at"] < clock["now"] for each in steps)
        assert message["createdAt"] < message["updatedAt"] < clock["now"]


async def test_a_frozen_account_does_not_perform_later_steps(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        accounts({"token": "t", "frozen": True, "messages": [HELLO | {"secondsAgo": 1}, HELLO]}),
    )
    async with starting_with(file, sent_after=2, delivered_after=4) as http:
        box = Box(http, "t")
        assert (await box.get("/_sandbox/clock"))["frozen"] is True
        assert (await box.advance(seconds=1))["performed"] == 1
        found = (await box.get("/_sandbox/messages"))["data"]
        assert [each["status"] for each in found] == ["pending", "sent"]


async def test_an_account_gets_all_its_settings(tmp_path: Path) -> None:
    endpoint = {"url": "http://localhost:9/", "events": ["message.failed"], "secret": SECRET}
    said = {
        "name": "Their shop",
        "tier": "free",
        "limits": {"perMinute": 7, "perSecond": 3},
        "scopes": ["SEND_SMS"],
        "senderId": "Said",
        "currency": "UGX",
        "price": 30,
        "developerPrices": {"sms": 29, "email": 4, "push": 1},
    }
    file = written(tmp_path, accounts({"token": "token_of_theirs", "endpoints": [endpoint]} | said))
    async with starting_with(file) as http:
        box = Box(http, "token_of_theirs")
        assert await box.get("/_sandbox/account") == said | {
            "token": "token…eirs",
            "answers": "documented",
        }
        assert await box.get("/_sandbox/webhooks") == {"endpoints": [endpoint]}
        assert (await box.accepted())["cost"] == 30


async def test_a_scenario_has_messages_of_every_channel(tmp_path: Path) -> None:
    later = EMAIL | {"subject": "For later", "scheduledFor": "2099-01-01T00:00:00Z"}
    messages = [EMAIL | {"secondsAgo": 3600}, PUSH, later]
    file = written(tmp_path, accounts({"token": "t", "frozen": True, "messages": messages}))
    async with starting_with(file) as http:
        box = Box(http, "t")
        found = (await box.get("/_sandbox/messages"))["data"][::-1]
        assert [each["channel"] for each in found] == ["email", "push", "email"]
        assert [each["status"] for each in found][1:] == ["sent", "queued"]
        await box.get("/_sandbox/messages/wait", channel="email", status="delivered")


async def test_a_scenario_has_faults_and_statuses(tmp_path: Path) -> None:
    fault = {"effect": {"delivery": "refused"}, "match": {"to": NUMBER}, "times": 3, "hits": 2}
    timeline = [
        {"status": "pending", "after": 0},
        {"status": "failed", "after": 1, "reason": "Off"},
    ]
    known = HELLO | {"secondsAgo": 5, "recipients": [{"to": NUMBER, "timeline": timeline}]}
    account = {"token": "t", "frozen": True, "faults": [fault], "messages": [HELLO, known]}
    async with starting_with(written(tmp_path, accounts(account))) as http:
        box = Box(http, "t")
        for _ in range(2):
            await box.accepted()
        await box.advance(seconds=2)
        found = (await box.get("/_sandbox/messages"))["data"][::-1]
        assert [each["status"] for each in found] == ["delivered", "failed", "failed", "delivered"]
        assert found[1]["recipients"][0]["reason"] == "Off"


async def test_what_a_call_exports_is_a_scenario_to_start_with(tmp_path: Path) -> None:
    async with sandbox() as box:
        await box.freeze()
        await box.accepted()
        await box.advance(seconds=1)
        scenario = await box.get("/_sandbox/scenario")
    async with starting_with(written(tmp_path, scenario)) as http:
        assert await Box(http, box.token).get("/_sandbox/scenario") == scenario


async def test_a_restart_on_a_database_adds_nothing(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    seen = []
    for _ in range(3):
        async with starting_with(SHOP, database=database) as http:
            shop, clinic = Box(http, "test_shop"), Box(http, "test_clinic")
            await shop.get("/_sandbox/messages/wait", status="delivered", contains="Enkya")
            await clinic.get("/_sandbox/messages/wait", status="delivered")
            seen.append([await box.get("/_sandbox/messages") for box in (shop, clinic)])
    assert seen[0] == seen[1] == seen[2]


async def test_a_restart_does_not_undo_later_changes(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    async with starting_with(SHOP, database=database) as http:
        await Box(http, "test_shop").control("PATCH", "/account", {"senderId": "Changed"})
    async with starting_with(SHOP, database=database) as http:
        assert (await Box(http, "test_shop").get("/_sandbox/account"))["senderId"] == "Changed"


async def test_a_scenario_that_is_refused_leaves_nothing_on_the_database(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    good = {"token": "t", "senderId": "Shop", "messages": [HELLO]}
    bad = {"token": "u", "messages": [HELLO, HELLO | {"to": "0701234567"}]}
    file = written(tmp_path, accounts(good, bad))
    with pytest.raises(SettingsError):
        async with starting_with(file, database=database):
            pass
    async with sandbox(database=database) as box:
        assert await box.anonymous.control("GET", "/accounts") == {"data": [], "total": 0}
        assert await box.anonymous.message_count() == 0


NO_JSON = ["", "{", "not json", '{"accounts": []} x', '{"accounts": NaN}', "[" * 100_000]


@pytest.mark.parametrize("content", NO_JSON, ids=lambda content: content[:20])
def test_a_file_that_is_not_json_is_refused_by_name(tmp_path: Path, content: str) -> None:
    assert "is not JSON" in refusal(written(tmp_path, content))


@pytest.mark.parametrize("content", [[], "accounts", 5, None], ids=str)
def test_a_file_that_is_not_an_object_is_refused_by_name(tmp_path: Path, content: Any) -> None:
    assert refusal(written(tmp_path, json.dumps(content))).endswith("is not a JSON object.")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "missing.json")
    assert "cannot be read: Is a directory" in refusal(tmp_path)


def refusal(file: Path, **settings: Any) -> str:
    """Return the sentence that a scenario is refused with; it begins with flag and file."""

    async def start() -> None:
        async with starting_with(file, **settings):
            pass

    with pytest.raises(SettingsError) as refused:
        asyncio.run(start())
    sentence = str(refused.value)
    assert sentence.startswith(f"--scenario {file}")
    assert "\n" not in sentence
    return sentence


def second(**fields: Any) -> dict[str, Any]:
    """A scenario whose second account is bad."""
    return accounts({"token": "t"}, {"token": "u"} | fields)


def third(**fields: Any) -> dict[str, Any]:
    """A scenario whose second account has a bad third message."""
    return second(messages=[HELLO, HELLO, HELLO | fields])


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        ({}, "accounts", "required"),
        ({"accounts": {}}, "accounts", "array"),
        ({"accounts": ["t"]}, "accounts[0]", "object"),
        (second(token=None), "accounts[1]", "token"),
        (second(token=5), "accounts[1]", "token"),
        (second(token=""), "accounts[1]", "token"),
        (second(token="two words"), "accounts[1]", "token"),
        (second(nickname="shop"), "accounts[1]", "nickname"),
        (second(tier="gold"), "accounts[1]", "tier"),
        (second(senderId="far too long for one"), "accounts[1]", "Sender ID"),
        (second(price=-1), "accounts[1]", "price"),
        (second(frozen="yes"), "accounts[1]", "frozen"),
        (second(endpoints=[{"url": "nonsense"}]), "accounts[1]", "url"),
        (second(endpoints=5), "accounts[1]", "endpoints"),
        (second(messages={}), "accounts[1]", "messages"),
        (second(messages=["Hello"]), "accounts[1]", "messages"),
        (third(to="0701234567"), "accounts[1]", "E.164"),
        (third(to="+25670123456"), "accounts[1]", "of +256: too short)."),
        (third(to=None), "accounts[1]", "to"),
        (third(message=""), "accounts[1]", "empty"),
        (third(text="Hello"), "accounts[1]", "text"),
        (third(secondsAgo=-1), "accounts[1]", "secondsAgo"),
        (third(secondsAgo="60"), "accounts[1]", "secondsAgo"),
        (third(secondsAgo=51 * 365 * 86_400), "accounts[1]", "secondsAgo"),
        (third(callbackUrl="nonsense"), "accounts[1]", "callbackUrl"),
        (third(channel="fax"), "accounts[1]", "channel"),
        (third(channel="email"), "accounts[1]", "message"),
        (second(messages=[EMAIL | {"to": "jane"}]), "accounts[1]", "email address"),
        (second(messages=[PUSH | {"tokens": None}]), "accounts[1]", "register a device first"),
        (second(messages=[PUSH | {"tokens": []}]), "accounts[1]", "1 to 100 recipients"),
        (second(messages=[EMAIL | {"idempotencyKey": "k"}]), "accounts[1]", "idempotencyKey"),
        (second(faults=[{"effect": {}}]), "accounts[1].faults[0].effect: ", "needs one of"),
        (third(recipients=[{"to": NUMBER}]), "accounts[1].messages[2].recipients[0]", "timeline"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_invalid_scenario_is_refused_with_its_place(
    tmp_path: Path, content: Any, place: str, what: str
) -> None:
    sentence = refusal(written(tmp_path, content))
    _, found, problem = sentence.partition(f": {place}")
    assert found
    assert what in problem


def test_an_invalid_message_of_a_scenario_is_named_by_its_index(tmp_path: Path) -> None:
    sentence = refusal(written(tmp_path, third(message="")))
    assert ": accounts[1].messages[2].message: " in sentence


def test_an_account_that_is_not_accepted_is_refused_with_its_place(tmp_path: Path) -> None:
    assert ": accounts[1]: " in refusal(written(tmp_path, second()), token=("t",))
