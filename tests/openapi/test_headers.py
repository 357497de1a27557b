"""The headers of answers: those that are sent are those that the OpenAPI documents describe."""

from typing import Any

import httpx
import pytest
from box import BASE_PATH, Box, sandbox
from jsonschema import Draft202012Validator
from sends import SENDS

PUBLIC, CONTROL = "/openapi.json", "/_sandbox/openapi.json"
OF_HTTP = {"content-type", "content-length"}
"""OpenAPI has other places for these."""
WAIT = "/_sandbox/messages/wait"


def problems(
    document: dict[str, Any], path: str, answer: httpx.Response, method: str = "get"
) -> list[str]:
    """Return how the headers of an answer differ from those that a document describes."""
    described = document["paths"][path][method]["responses"][str(answer.status_code)]
    return differences(document, resolved(document, described), answer)


def differences(
    document: dict[str, Any], described: dict[str, Any], answer: httpx.Response
) -> list[str]:
    headers = {
        name.lower(): resolved(document, each) for name, each in described["headers"].items()
    }
    sent = {name: value for name, value in answer.headers.items() if name not in OF_HTTP}
    return [
        *(f"{name} is not described" for name in sent.keys() - headers),
        *(f"{name} is missing" for name in headers.keys() - sent if headers[name].get("required")),
        *(
            f"{name} is {value}"
            for name, value in sent.items()
            if name in headers and not fits(headers[name]["schema"], value)
        ),
    ]


def resolved(document: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    """Return what the document has, or refers to."""
    if "$ref" not in content:
        return content
    kind, name = content["$ref"].split("/")[2:]
    return document["components"][kind][name]


def fits(schema: dict[str, Any], text: str) -> bool:
    value = int(text) if schema["type"] == "integer" else text
    return Draft202012Validator(schema).is_valid(value)


async def test_every_401_says_how_to_send_the_credential() -> None:
    async with sandbox(control_token="sesame") as box:
        for path, call, base in (
            (PUBLIC, "/messages", BASE_PATH),
            (CONTROL, "/_sandbox/clock", ""),
        ):
            document = await box.anonymous.get(path)
            answer = await box.anonymous.call("GET", base + call)
            assert answer.status_code == 401
            assert problems(document, call, answer) == []
            for methods in document["paths"].values():
                for operation in methods.values():
                    refusal = resolved(document, operation["responses"]["401"])
                    assert "WWW-Authenticate" in refusal["headers"]


async def test_an_error_of_a_fault_has_the_headers_that_are_described(box: Box) -> None:
    document = await box.get(PUBLIC)
    described = document["paths"]["/messages/sms"]["post"]["responses"]
    statuses = [int(each) for each in described if int(each) >= 400]
    assert {400, 401, 403, 429, 500, 502, 503} <= set(statuses)
    await box.control("PATCH", "/account", {"tier": "unlimited"})
    for status in statuses:
        for more in ({"retryAfter": 5}, {}):
            await box.add_fault({"status": status, **more}, times=1)
            answer = await box.send(unknown=1)
            assert answer.status_code == status
            assert problems(document, "/messages/sms", answer, "post") == []
            is_told = "retry-after" in answer.headers
            assert is_told is (bool(more) or status == 429)


async def test_the_longest_time_to_wait_is_described(box: Box) -> None:
    document = await box.get(PUBLIC)
    longest = document["components"]["headers"]["RetryAfter"]["schema"]["maximum"]
    await box.add_fault({"status": 429, "retryAfter": longest}, times=1)
    answer = await box.send()
    assert problems(document, "/messages/sms", answer, "post") == []
    assert answer.headers["retry-after"] == str(longest)
    content = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]
    assert content["retryAfter"]["maximum"] == longest
    effect = {"status": 429, "retryAfter": longest + 1}
    error = await box.control_error("POST", "/faults", {"effect": effect})
    assert error["details"]["field"] == "effect.retryAfter"


async def test_successes_and_refusals_of_the_api_have_the_headers_that_are_described(
    box: Box,
) -> None:
    document = await box.get(PUBLIC)
    for _ in range(2):  # the second one is a replay
        answer = await box.send(key="k", unknown=1)
        assert problems(document, "/messages/sms", answer, "post") == []
    await box.control("PATCH", "/account", {"limits": {"perMinute": 1}})
    answer = await box.send()
    assert answer.status_code == 429
    assert problems(document, "/messages/sms", answer, "post") == []


async def test_a_405_names_the_methods_of_the_path(box: Box) -> None:
    document = await box.get(PUBLIC)
    answer = await box.call("PATCH", f"{BASE_PATH}/messages")
    described = document["components"]["responses"]["Status405"]
    assert differences(document, described, answer) == []


async def test_a_message_as_html_or_as_text_has_the_headers_that_are_described(box: Box) -> None:
    email = {**SENDS["/email"], "html": "<p>Your code is 271828</p>"}
    message = await box.developers("POST", "/email", email)
    document = await box.get(CONTROL)
    html = "/_sandbox/messages/{id}/html"
    answer = await box.call("GET", html.replace("{id}", message["id"]))
    assert "content-security-policy" in answer.headers
    assert problems(document, html, answer) == []
    for params in ({}, {"field": "code"}, {"field": "text"}):
        answer = await box.call("GET", WAIT, params=params)
        assert ("x-content-type-options" in answer.headers) is bool(params)
        assert problems(document, WAIT, answer) == []


@pytest.mark.parametrize("path", ["/events", "/metrics", "/report", "/messages", "/health"])
async def test_a_control_call_has_the_headers_that_are_described(box: Box, path: str) -> None:
    document = await box.get(CONTROL)
    answer = await box.call("HEAD", f"/_sandbox{path}")  # the events never end
    assert answer.status_code == 200
    assert problems(document, f"/_sandbox{path}", answer) == []
