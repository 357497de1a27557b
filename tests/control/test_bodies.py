"""Any JSON in the body of a control call, or in a scenario, is accepted or refused with 400."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from box import NUMBER, sandbox
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import SyncBox, sync_sandbox

from msgine_sandbox.sandbox import Sandbox
from msgine_sandbox.scenario import load
from msgine_sandbox.settings import Settings, SettingsError

JSON = {"Content-Type": "application/json"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENDPOINT = {"url": "http://localhost:9/", "events": ["message.failed"], "secret": SECRET}
ACCOUNT = {
    "tier": "free",
    "limits": {"perMinute": 7, "perSecond": 3},
    "scopes": ["FULL_ACCESS"],
    "senderId": "MyApp",
    "currency": "UGX",
    "price": 30,
    "developerPrices": {"sms": 29, "email": 4.5, "push": 1},
}
EFFECT = {"status": 503, "code": "service_unavailable", "retryAfter": 2, "delay": 1}
MATCH = {"method": "POST", "path": "/messages/sms", "to": NUMBER}
OFTEN = {"times": 2, "probability": 0.5, "seed": 7, "commit": False}
BODIES = {
    "account": ("PATCH", "/account", ACCOUNT),
    "advance": ("POST", "/clock/advance", {"seconds": 0.000001}),
    "advance to": ("POST", "/clock/advance", {"to": "2020-01-01T00:00:00Z"}),
    "endpoints": ("PUT", "/webhooks", {"endpoints": [ENDPOINT, {"url": "http://localhost:9/a"}]}),
    "request fault": ("POST", "/faults", {"effect": EFFECT, "match": MATCH} | OFTEN),
    "dropped request": ("POST", "/faults", {"effect": {"drop": "before", "malformed": None}}),
    "webhook fault": (
        "POST",
        "/faults",
        {
            "effect": {"webhook": "delay", "delay": 5},
            "match": {"event": "message.sent", "to": NUMBER},
        }
        | OFTEN,
    ),
    "status": ("POST", "/messages/{id}/status", {"status": "sent", "to": NUMBER}),
}
TIMELINE = [
    {"status": "queued", "after": 0},
    {"status": "pending", "after": 1.5},
    {"status": "failed", "after": 2, "reason": "Off"},
]
SCENARIO = {
    "accounts": [
        {"token": "t", "frozen": False, "endpoints": [ENDPOINT]} | ACCOUNT,
        {
            "token": "u",
            "faults": [
                {"effect": EFFECT, "match": MATCH, "hits": 1, "seen": 3} | OFTEN,
                {"effect": {"delivery": "failed", "reason": "Off", "after": 1.5}},
            ],
            "messages": [
                {"channel": "sms", "to": NUMBER, "message": "Hello", "secondsAgo": 60},
                {
                    "to": NUMBER,
                    "message": "Hello",
                    "secondsAgo": 60,
                    "scheduledAfter": 1.5,
                    "recipients": [{"to": NUMBER, "rule": "stuck", "timeline": TIMELINE}],
                },
            ],
        },
    ]
}

texts = st.text(st.characters())
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8
)
likely = st.sampled_from(
    ["", "/", "*", "+256*", "/\ud83d", "\0", NUMBER, 0, 1, -1, 1.5, 10**400, 2**63, 1e308, "UGX\n"]
)
unlikely = [
    *[float(text) for text in ("inf", "-inf", "nan")],
    "\ud83d",
    "/\ud83d",
    {"\ud83d": 1},
    ["\ud83d"],
]


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in JSON, as the keys and positions that lead to it."""
    yield path
    if isinstance(content, dict):
        yield (*path, "unknown")
    members = content if isinstance(content, dict) else range(len(content))
    for key in members:
        if isinstance(content[key], dict | list):
            yield from places(content[key], (*path, key))
        else:
            yield (*path, key)


def put(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The JSON with another value at one place."""
    if not path:
        return value
    first, *rest = path
    if isinstance(content, dict):
        return content | {first: put(content.get(first), tuple(rest), value)}
    return [
        put(each, tuple(rest), value) if position == first else each
        for position, each in enumerate(content)
    ]


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        yield it


@pytest.fixture(scope="module")
def message(sync: SyncBox) -> str:
    return sync.run(sync.box.accepted())["id"]


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=50)
@given(data=st.data())
def test_any_json_at_any_place_of_a_body_is_answered(
    sync: SyncBox, message: str, name: str, data: st.DataObject
) -> None:
    method, path, good = BODIES[name]
    place = data.draw(st.sampled_from(list(places(good))))
    body = json.dumps(put(good, place, data.draw(values | likely)))
    assert_answered(sync.run(send(sync, method, path.format(id=message), body)))


@pytest.mark.parametrize("name", BODIES)
def test_an_unlikely_value_at_any_place_of_a_body_is_answered(
    sync: SyncBox, message: str, name: str
) -> None:
    method, path, good = BODIES[name]
    for place in places(good):
        for value in unlikely:
            body = json.dumps(put(good, place, value))
            assert_answered(sync.run(send(sync, method, path.format(id=message), body)))


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("depth", [10, 500, 700, 800, 900, 950, 990, 1_000, 10_000, 100_000])
def test_a_deep_value_at_any_place_of_a_body_is_refused(
    sync: SyncBox, message: str, name: str, depth: int
) -> None:
    method, path, good = BODIES[name]
    for place in places(good):
        body = json.dumps(put(good, place, "deep")).replace('"deep"', "[" * depth + "]" * depth)
        answer = sync.run(send(sync, method, path.format(id=message), body))
        assert_refused(answer, 400, "invalid_request")


@given(place=st.sampled_from(list(places(SCENARIO))), value=values | likely)
@example(place=("accounts", 1, "messages", 0, "secondsAgo"), value=float("inf"))
@example(place=("accounts", 1, "messages", 0, "unknown"), value={"\ud83d": "\ud83d"})
def test_any_json_at_any_place_of_a_scenario_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: Any
) -> None:
    file = tmp_path_factory.getbasetemp() / "scenario.json"
    file.write_text(json.dumps(put(SCENARIO, place, value)))
    with suppress(SettingsError):  # any other exception is a defect
        asyncio.run(begin(file))


@settings(max_examples=200)
@given(place=st.sampled_from(list(places(SCENARIO))), value=values | likely)
def test_any_json_at_any_place_of_a_scenario_that_a_call_loads_is_answered(
    sync: SyncBox, place: tuple[Any, ...], value: Any
) -> None:
    for account in SCENARIO["accounts"]:
        content = put(SCENARIO, place, value)
        if isinstance(content, dict) and isinstance(content.get("accounts"), list):
            content["accounts"] = [
                each for each in content["accounts"] if not _is(each, account["token"])
            ]
        box = sync.box.other("test_unlimited_loaded")
        body = json.dumps(content)
        answer = sync.run(box.call("PUT", "/_sandbox/scenario", content=body, headers=JSON))
        assert_answered(answer)


def _is(account: Any, token: str) -> bool:
    return isinstance(account, dict) and account.get("token") == token


async def begin(file: Path) -> None:
    built = Sandbox(Settings(delivery="manual"))
    try:
        await built.lifecycle.start()
        await load(built, str(file))
    finally:
        await built.lifecycle.close()


async def test_the_message_and_the_details_name_the_path_of_a_field() -> None:
    async with sandbox() as box:
        body = {"endpoints": [ENDPOINT, {"url": "http://localhost:9/a", "secret": 5}]}
        answer = await box.call("PUT", "/_sandbox/webhooks", json=body)
        error = assert_refused(answer, 400, "invalid_request")
        assert error["message"] == "endpoints[1].secret must be a string"
        field = "endpoints[1].secret"
        assert error["details"] == {"field": field, "value": 5, "expected": "a string"}


async def send(sync: SyncBox, method: str, path: str, body: str) -> httpx.Response:
    await sync.box.call("DELETE", "/_sandbox/faults")
    return await sync.box.call(method, f"/_sandbox{path}", content=body, headers=JSON)


def assert_answered(answer: httpx.Response) -> None:
    """Check that a call succeeded, or was refused with 400 in the envelope."""
    if not answer.is_success:
        assert_refused(answer, 400, answer.json()["error"]["code"])
