"""Errors of every path are in the documented envelope."""

import re
from typing import Any

import pytest
from box import Box, sandbox
from matching import assert_refused

REQUEST_ID = r"req_[0-9a-f]{16}"
RATE_HEADERS = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
NOWHERE = [
    "/favicon.ico",
    "/messages/sms",
    "/api",
    "/api/v1",
    "/api/v2/messages",
    "/API/V1/messages",
    "//api/v1/messages",
    "/%00",
    "/%ff",
    "/\N{GRINNING FACE}",
    "/_sandbox/",
    "/_sandbox/nothing",
    "/_sandbox/health/",
    "/_sandbox/messages/msg_0123456789abcdef/nothing",
]
NOWHERE_IN_THE_API = [
    "/api/v1/",
    "/api/v1/message",
    "/api/v1/messages/",
    "/api/v1/messages/sms/",
    "/api/v1//messages",
    "/api/v1/messages/a/b",
    "/api/v1/messages/a%2Fb",
    "/api/v1/Messages",
]
NO_MESSAGES = [
    "msg_1234567890",
    "msg_0000000000000000",
    "msg_7fffffffffffffff",
    "msg_8000000000000000",
    "msg_ffffffffffffffff",
    "msg_fffffffffffffffff",
    "msg_0123456789ABCDEF",
    "msg_0123456789abcdef\N{FULLWIDTH DIGIT ONE}",
    "req_0123456789abcdef",
    "SM0123456789abcdef",
    "-1",
    "' OR 1=1 --",
    "%00",
    "%ff",
    "a" * 5000,
]
WRONG_METHODS = [
    ("GET", "/api/v1/messages/sms", ["POST"]),
    ("HEAD", "/api/v1/messages/sms", ["POST"]),
    ("PUT", "/api/v1/messages/sms", ["POST"]),
    ("OPTIONS", "/api/v1/messages/sms", ["POST"]),
    ("POST", "/api/v1/messages", ["GET", "HEAD"]),
    ("DELETE", "/api/v1/messages", ["GET", "HEAD"]),
    ("OPTIONS", "/api/v1/messages", ["GET", "HEAD"]),
    ("TRACE", "/api/v1/messages", ["GET", "HEAD"]),
    ("DANCE", "/api/v1/messages", ["GET", "HEAD"]),
    ("PATCH", "/api/v1/messages/msg_0123456789abcdef", ["GET", "HEAD"]),
    ("POST", "/_sandbox/health", ["GET", "HEAD"]),
    ("GET", "/_sandbox/reset", ["POST"]),
    ("PUT", "/_sandbox/messages", ["DELETE", "GET", "HEAD"]),
]


@pytest.mark.parametrize("path", NOWHERE)
async def test_a_path_outside_of_the_api_is_not_found_and_the_error_names_the_api(
    box: Box, path: str
) -> None:
    error = assert_refused(await box.http.get(f"http://localhost{path}"), 404, "not_found")
    assert "/api/v1" in error["message"]


@pytest.mark.parametrize("path", NOWHERE_IN_THE_API)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_of_the_api_is_not_found(box: Box, method: str, path: str) -> None:
    answer = await box.call(method, path)
    error = assert_refused(answer, 404, "not_found")
    assert "details" not in error
    assert answer.headers.keys() >= RATE_HEADERS


@pytest.mark.parametrize("identifier", NO_MESSAGES)
@pytest.mark.parametrize("under", ["/api/v1", "/_sandbox"])
async def test_an_unknown_or_invalid_message_id_is_not_found(
    box: Box, under: str, identifier: str
) -> None:
    answer = await box.call("GET", f"{under}/messages/{identifier}")
    assert assert_refused(answer, 404, "not_found")["message"] == "Message not found"


@pytest.mark.parametrize("identifier", ["att_0000000000000000", "att_ffffffffffffffff", "att_x"])
async def test_an_unknown_or_invalid_attempt_id_is_not_found(box: Box, identifier: str) -> None:
    answer = await box.call("POST", f"/_sandbox/webhooks/attempts/{identifier}/resend")
    assert_refused(answer, 404, "not_found")


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_METHODS)
async def test_an_unsupported_method_is_refused_with_the_supported_ones(
    box: Box, method: str, path: str, allowed: list[str]
) -> None:
    answer = await box.call(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == ", ".join(allowed)
    if method != "HEAD":
        error = assert_refused(answer, 405, "method_not_allowed")
        assert error["details"] == {"allowed": allowed}


@pytest.mark.parametrize("path", ["/api/v1/messages", "/_sandbox/messages", "/_sandbox/health"])
async def test_head_is_get_without_the_body(box: Box, path: str) -> None:
    answer = await box.call("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(REQUEST_ID, answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/api/v1/messages", "/api/v1/nothing", "/api/v1/messages/sms"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_without_a_credential_the_error_says_nothing_else(
    box: Box, method: str, path: str
) -> None:
    answer = await box.http.request(method, path)
    error = assert_refused(answer, 401, "unauthorized")
    assert error == {"code": "unauthorized", "message": "Invalid API token"}
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers.keys() >= RATE_HEADERS


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8256", "localhost.evil.example"])
@pytest.mark.parametrize(
    "path", ["/", "/ui/main.js", "/api/v1/messages", "/_sandbox/health", "/nothing"]
)
async def test_another_host_is_refused_and_the_error_names_the_flag(
    box: Box, host: str, path: str
) -> None:
    answer = await box.call("GET", path, headers={"Host": host})
    error = assert_refused(answer, 421, "misdirected_request")
    assert "--allowed-host" in error["message"]
    assert "MSGINE_SANDBOX_ALLOWED_HOST=" in error["message"]
    assert error["details"] == {"field": "Host", "value": host}


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8256", "app.localhost", "127.0.0.1:1", "[::1]:8256", "sms.example"],
)
async def test_an_allowed_host_is_accepted(host: str) -> None:
    async with sandbox(allowed_host=("sms.example",)) as box:
        answer = await box.call("GET", "/api/v1/messages", headers={"Host": host})
        assert answer.status_code == 200


@pytest.mark.parametrize("host", ["", "[", "]", ":8256", "127.0.0.1.evil.example", "é"])
async def test_an_invalid_host_is_refused(box: Box, host: str) -> None:
    answer = await box.call("GET", "/api/v1/messages", headers={"Host": host.encode()})
    assert_refused(answer, 421, "misdirected_request")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[", "é", ""])
async def test_a_page_of_another_site_may_not_use_the_control_api(box: Box, origin: str) -> None:
    answer = await box.call("GET", "/_sandbox/messages", headers={"Origin": origin.encode()})
    assert_refused(answer, 403, "forbidden")


async def test_no_two_answers_have_the_same_request_id(box: Box) -> None:
    answers: list[Any] = [await box.call("GET", "/api/v1/messages") for _ in range(10)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 10


async def test_a_client_cannot_choose_its_request_id(box: Box) -> None:
    answer = await box.call("GET", "/api/v1/messages", headers={"X-Request-Id": "mine"})
    assert re.fullmatch(REQUEST_ID, answer.headers["x-request-id"])


async def test_the_time_in_a_refusal_is_the_accounts(box: Box) -> None:
    await box.freeze()
    now = (await box.advance(hours=24))["now"]
    answer = await box.call("GET", "/api/v1/messages/nothing")
    assert answer.json()["meta"]["timestamp"] == now[:19] + "Z"
