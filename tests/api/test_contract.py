"""Every exchange in `fixtures/exchanges`, replayed over HTTP."""

import json
import re
import time
from typing import Any

import httpx
import pytest
from box import sandbox
from matching import differences
from receiver import Receiver
from vectors import exchanges

EXCHANGES = [pytest.param(each, id=each["file"]) for each in exchanges()]
SOURCES = {"documented", "documented elsewhere", "seen in SDKs", "our choice"}
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
DOCUMENTED_REFUSALS = {
    (400, "invalid_phone_number"),
    (400, "invalid_message"),
    (400, "invalid_sender_id"),
    (400, "invalid_request"),
    (401, "unauthorized"),
    (403, "forbidden"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (413, "payload_too_large"),
    (415, "unsupported_media_type"),
    (429, "rate_limit_exceeded"),
}


@pytest.mark.parametrize("exchange", EXCHANGES)
async def test_a_request_gets_the_response_of_its_exchange(
    exchange: Any, receiver: Receiver
) -> None:
    known: dict[str, Any] = {"receiver": {"url": receiver.url}}
    async with sandbox(**exchange.get("settings", {})) as box:
        await box.anonymous.freeze()
        for step in exchange.get("setup", []):
            for _ in range(step.get("times", 1)):
                before = await ask(box.http, filled(step, known))
                assert before.status_code == step.get("status", before.status_code), before.text
                assert before.is_success or "status" in step, before.text
            known[step.get("as", "")] = before.json()
        began = time.time()
        answer = await ask(box.http, filled(exchange["request"], known))
        known["answer"] = answer.json()
        assert problems(filled(exchange["answer"], known), answer) == []
        assert_common(answer, began)
        if "webhooks" in exchange:
            await box.other("YOUR_API_TOKEN").advance(seconds=3)
            received = [each.content for each in receiver.received]
            assert (
                list(differences(filled(exchange["webhooks"], known), received, "webhooks")) == []
            )


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_exchange_names_its_source(exchange: Any) -> None:
    assert exchange["source"] in SOURCES
    assert exchange["where"]
    assert exchange["name"]


def test_every_documented_refusal_has_an_exchange() -> None:
    answers = [each["answer"] for each in exchanges()]
    refusals = [each for each in answers if "error" in each["body"]]
    codes = {(each["status"], each["body"]["error"]["code"]) for each in refusals}
    assert codes >= DOCUMENTED_REFUSALS


@pytest.mark.parametrize(
    ("expected", "actual", "problem"),
    [
        ({"a": 1}, {}, "body.a is missing"),
        ({}, {"a": 1}, "body.a is 1, and should not be there"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "body.a.b is 2 instead of 1"),
        (1, True, "body is True instead of 1"),
        (0.15, 0.15000000000000002, "body is 0.15000000000000002 instead of 0.15"),
        (None, 0, "body is 0 instead of None"),
        ([1], [1, 2], "body is [1, 2] instead of [1]"),
        ([1, 2], [2, 1], "body[0] is 2 instead of 1"),
        ({"<times>": 2, "<each>": 1}, [1], "body is [1] instead of [1, 1]"),
        ({}, [], "body is [] instead of {}"),
        ("<time>", "2024-01-15T10:30:00", "body is '2024-01-15T10:30:00' instead of '<time>'"),
        (
            "<id:msg>",
            "req_0123456789abcdef",
            "body is 'req_0123456789abcdef' instead of '<id:msg>'",
        ),
        ("<date>", "2024-01-15T10:30:00Z", "body is '2024-01-15T10:30:00Z' instead of '<date>'"),
        (
            "<id:dev>",
            "msg_0123456789abcdef",
            "body is 'msg_0123456789abcdef' instead of '<id:dev>'",
        ),
        (
            "<uuid>",
            "msg_0123456789abcdef",
            "body is 'msg_0123456789abcdef' instead of '<uuid>'",
        ),
        ("<digits>", 5, "body is 5 instead of '<digits>'"),
        ("<digits>", None, "body is None instead of '<digits>'"),
    ],
)
def test_a_wrong_body_is_reported(expected: Any, actual: Any, problem: str) -> None:
    assert problem in list(differences(expected, actual))


def test_a_right_body_is_not_reported() -> None:
    expected = {"id": "<id:msg>", "at": "<time>", "to": {"<times>": 2, "<each>": "x"}, "cost": 0.15}
    actual = {
        "id": "msg_0123456789abcdef",
        "at": "2024-01-15T10:30:00Z",
        "to": ["x", "x"],
        "cost": 0.15,
    }
    assert list(differences(expected, actual)) == []


def problems(expected: Any, answer: httpx.Response) -> list[str]:
    """Everything about an answer that is not as its exchange says."""
    headers = {name: answer.headers.get(name) for name in expected["headers"]}
    return [
        *differences(expected["status"], answer.status_code, "status"),
        *differences(expected["headers"], headers, "headers"),
        *differences(expected["body"], answer.json()),
    ]


def assert_common(answer: httpx.Response, began: float) -> None:
    """Check what holds for every response to a request that began at a real time."""
    assert re.fullmatch(r"req_[0-9a-f]{16}", answer.headers["x-request-id"])
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    # Only a fault leaves out the envelope.
    has_envelope = answer.status_code >= 400 and content.keys() != {"message"}
    assert ("error" in content) is has_envelope
    if "error" in content:
        assert content["meta"]["requestId"] == answer.headers["x-request-id"]
    if answer.url.path.startswith("/api/v1/") and answer.status_code != 421:
        limit, remaining, reset = (int(answer.headers[name]) for name in RATE_HEADERS)
        assert 0 <= remaining <= limit
        assert began <= reset <= time.time() + 62


async def ask(http: httpx.AsyncClient, request: Any) -> httpx.Response:
    """Make the request of an exchange."""
    content = request.get("rawBody")
    if "body" in request:
        content = json.dumps(request["body"])
    return await http.request(
        request["method"], request["path"], headers=request["headers"], content=content
    )


def filled(value: Any, known: dict[str, Any]) -> Any:
    """Put members of earlier answers in the place of `${answer.member}`."""
    if isinstance(value, dict):
        return {name: filled(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\.(\w+)\}", lambda match: known[match[1]][match[2]], value)
    return value
