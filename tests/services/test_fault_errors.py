"""The errors of faults and magic recipients: their codes, and the details of a real refusal."""

import json
from typing import Any

import httpx
import pytest
from box import BASE_PATH, NUMBER, Box, sandbox
from matching import assert_refused
from sends import EMAIL, PUSH, SENDS, SMS

from msgine_sandbox.model.errors import ApiError, documented_errors

MAX_BODY = 1024 * 1024
CODES = {
    400: "invalid_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    407: "proxy_authentication_required",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    411: "length_required",
    412: "precondition_failed",
    413: "payload_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    417: "expectation_failed",
    418: "im_a_teapot",
    421: "misdirected_request",
    422: "unprocessable_content",
    423: "locked",
    424: "failed_dependency",
    425: "too_early",
    426: "upgrade_required",
    428: "precondition_required",
    429: "rate_limit_exceeded",
    431: "header_fields_too_large",
    451: "unavailable_for_legal_reasons",
    500: "internal_error",
    501: "not_implemented",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
    505: "http_version_not_supported",
    506: "variant_also_negotiates",
    507: "insufficient_storage",
    508: "loop_detected",
    510: "not_extended",
    511: "network_authentication_required",
}
"""With every version of Python; all others are `http_` and the number."""


async def refused(box: Box, effect: dict[str, Any], *request: Any, **kwargs: Any) -> Any:
    """Return the response to a request that a fault with this effect refuses."""
    fault = await box.add_fault(effect)
    answer = await box.call(*request, **kwargs)
    await box.control("DELETE", f"/faults/{fault['id']}")
    return answer


async def test_every_status_has_a_code_of_its_own() -> None:
    async with sandbox(tier="unlimited") as box:
        for status in range(400, 600):
            code = CODES.get(status, f"http_{status}")
            await box.add_fault({"status": status}, times=1)
            error = assert_refused(await box.send(), status, code)
            assert (error["message"] == f"HTTP {status}") is (status not in CODES)


@pytest.mark.parametrize("status", [status for status in CODES if status != 429])
async def test_the_code_of_a_status_can_be_named(box: Box, status: int) -> None:
    await box.add_fault({"status": status, "code": CODES[status]})
    assert_refused(await box.send(), status, CODES[status])


@pytest.mark.parametrize("kind", list(documented_errors()), ids=lambda kind: kind.code)
async def test_a_fault_can_cause_every_documented_error(box: Box, kind: type[ApiError]) -> None:
    await box.add_fault({"status": kind.status, "code": kind.code})
    assert_refused(await box.send(), kind.status, kind.code)


SMS_PATH, LONG = f"{BASE_PATH}/messages/sms", "a" * 1601
HEAD = {"Content-Type": "application/json"}
REFUSALS: dict[str, tuple[int, Any, dict[str, str]]] = {
    "invalid_request": (400, {"to": NUMBER, "message": 5}, {}),
    "invalid_phone_number": (400, {"to": "0701234567", "message": "Hello"}, {}),
    "invalid_message": (400, {"to": NUMBER, "message": LONG}, {}),
    "invalid_sender_id": (400, {"to": NUMBER, "message": "Hello", "from": "Kampala Shop"}, {}),
    "payload_too_large": (413, {"to": NUMBER, "message": "a" * MAX_BODY}, {}),
    "unsupported_media_type": (415, SMS, {"Content-Type": "text/plain"}),
    "misdirected_request": (421, SMS, {"Host": "elsewhere.example"}),
    "idempotency_key_reused": (422, SMS, {"Idempotency-Key": "used"}),
}
"""How the API itself refuses: a body and headers, and the status."""


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_code_has_the_message_and_details_of_a_real_refusal(code: str) -> None:
    status, body, headers = REFUSALS[code]
    async with sandbox(strict_idempotency=True) as box:
        await box.send(message="First", key="used")
        request = {"content": json.dumps(body), "headers": HEAD | headers}
        real = assert_refused(await box.call("POST", SMS_PATH, **request), status, code)
        request = {"json": SMS, "headers": {"Idempotency-Key": "used"}}
        effect = {"status": status, "code": code}
        answer = await refused(box, effect, "POST", SMS_PATH, **request)
        error = assert_refused(answer, status, code)
    assert error["details"].keys() == real["details"].keys()
    if code == "invalid_request":
        return  # what is wrong with a request differs from one to the next
    assert error["message"] == real["message"] or code == "misdirected_request"
    for name in {"field", "limit", "maxLength", "expected"} & real["details"].keys():
        assert error["details"][name] == real["details"][name]


@pytest.mark.parametrize(("path", "body"), [*SENDS.items(), ("/messages/sms", SMS)])
async def test_the_limit_of_a_text_is_that_of_the_call(
    box: Box, path: str, body: dict[str, Any]
) -> None:
    field = {"/email": "text", "/push": "body"}.get(path, "message")
    path = BASE_PATH + (path if path == "/messages/sms" else f"/developers{path}")
    real = await box.call("POST", path, json=body | {field: "a" * 600_000})
    answer = await refused(box, {"status": 400, "code": "invalid_message"}, "POST", path, json=body)
    error, expected = answer.json()["error"], real.json()["error"]
    assert (error["message"], error["details"]["field"]) == (expected["message"], field)
    assert error["details"]["maxLength"] == expected["details"]["maxLength"]
    assert error["details"]["actualLength"] == error["details"]["maxLength"] + 1


CALLS = [
    ("POST", "/messages/sms"),
    ("GET", "/messages"),
    ("GET", "/messages/msg_0000000000000001"),
    *(("POST", f"/developers{path}") for path in SENDS),
    *(("GET", f"/developers{path}/history") for path in SENDS),
    ("GET", "/developers/msg_0000000000000001"),
    ("POST", "/developers/push/device"),
    ("DELETE", "/developers/push/device"),
    ("GET", "/developers/analytics/overview"),
    ("GET", "/developers/analytics/daily"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_a_403_names_the_scope_that_the_call_needs(box: Box, method: str, path: str) -> None:
    other = "SEND_SMS" if method == "GET" or "sms" not in path else "READ_MESSAGES"
    await box.control("PATCH", "/account", {"scopes": [other]})
    request = {"content": "{}", "headers": HEAD}
    real = await box.call(method, BASE_PATH + path, **request)
    answer = await refused(box, {"status": 403}, method, BASE_PATH + path, **request)
    assert (real.status_code, answer.status_code) == (403, 403)
    assert answer.json()["error"] == real.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "scope"),
    [
        ("/messages/sms", SMS | {"to": "+256700004030"}, "SEND_SMS"),
        ("/developers/sms", SMS | {"to": "+256700004030"}, "SEND_SMS"),
        ("/developers/email", EMAIL | {"to": "answered-403@sandbox.msgine.test"}, "SEND_EMAIL"),
        ("/developers/push", PUSH | {"tokens": ["sandbox-answered-403"]}, "SEND_PUSH"),
    ],
)
async def test_a_magic_403_names_the_scope(box: Box, path: str, body: Any, scope: str) -> None:
    answer = await box.call("POST", BASE_PATH + path, json=body)
    assert assert_refused(answer, 403, "forbidden")["details"] == {"requiredScope": scope}


@pytest.mark.parametrize(
    ("path", "body", "field", "value"),
    [
        ("email", EMAIL, "cc", "Answered-400+x@sandbox.msgine.test"),
        ("push", PUSH, "tokens", "sandbox-answered-400"),
    ],
)
async def test_a_magic_400_names_the_field_and_the_recipient(
    box: Box, path: str, body: Any, field: str, value: str
) -> None:
    sent = body | {field: [value]}
    error = await box.developers_error("POST", f"/{path}", sent)
    assert (error["code"], error["details"]["field"]) == ("invalid_request", field)
    assert error["details"]["value"] == value
    assert error["details"]["expected"]


@pytest.mark.parametrize(
    ("method", "path", "field"),
    [
        ("POST", "/messages/sms", "Idempotency-Key"),
        *(("POST", f"/developers{path}", "idempotencyKey") for path in SENDS),
        ("POST", "/developers/push/device", "Idempotency-Key"),
        ("GET", "/messages", "Idempotency-Key"),
    ],
)
async def test_a_reused_key_of_a_fault_is_in_a_place_that_the_call_has(
    box: Box, method: str, path: str, field: str
) -> None:
    effect = {"status": 422, "code": "idempotency_key_reused"}
    request = {"content": json.dumps({"idempotencyKey": "k"}), "headers": HEAD}
    answer = await refused(box, effect, method, BASE_PATH + path, **request)
    value = "k" if field == "idempotencyKey" else None
    error = assert_refused(answer, 422, "idempotency_key_reused")
    assert error["details"] == {"field": field, "value": value}
    request["headers"] = HEAD | {"Idempotency-Key": "h"}
    answer = await refused(box, effect, method, BASE_PATH + path, **request)
    assert answer.json()["error"]["details"] == {"field": "Idempotency-Key", "value": "h"}


async def test_a_fault_of_no_recipient_names_the_body_or_the_query(box: Box) -> None:
    await box.add_fault({"status": 400})
    listed = await box.call("GET", f"{BASE_PATH}/messages")
    device = await box.call("POST", f"{BASE_PATH}/developers/push/device", json={"token": "a"})
    found = [answer.json()["error"]["details"] for answer in (listed, device)]
    expected = "a request that no fault refuses"
    assert found == [
        {"field": field, "value": None, "expected": expected} for field in ("query", "body")
    ]


async def test_the_statuses_of_http_have_their_headers(box: Box) -> None:
    unauthorized = await refused(box, {"status": 401}, "GET", f"{BASE_PATH}/messages")
    assert unauthorized.headers["www-authenticate"] == "Bearer"
    not_allowed = await refused(box, {"status": 405}, "GET", f"{BASE_PATH}/messages")
    assert not_allowed.headers["allow"] == ""
    assert not_allowed.json()["error"]["details"] == {"allowed": []}
    too_long = await refused(box, {"status": 414}, "GET", f"{BASE_PATH}/messages")
    assert too_long.json()["error"]["details"] == {"limit": 65536}


# Without the envelope


def assert_message_alone(answer: httpx.Response, status: int, message: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"message": message})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-ratelimit-limit"] == "100"


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "The request is invalid"), (502, "Bad gateway"), (504, "Gateway Timeout")],
)
async def test_an_error_without_the_envelope_has_a_message_at_the_top(
    box: Box, status: int, message: str
) -> None:
    fault = await box.add_fault({"status": status, "envelope": False})
    assert fault["effect"] == {"status": status, "envelope": False}
    assert_message_alone(await box.send(), status, message)


async def test_a_429_without_the_envelope_says_when_in_its_header(box: Box) -> None:
    await box.add_fault({"status": 429, "retryAfter": 7, "envelope": False})
    answer = await box.send()
    assert_message_alone(answer, 429, "Too many requests. Please try again later.")
    assert answer.headers["retry-after"] == "7"


async def test_an_error_without_the_envelope_may_hide_that_the_message_was_accepted(
    box: Box,
) -> None:
    await box.add_fault({"status": 503, "envelope": False, "commit": True})
    assert_message_alone(await box.send(), 503, "Service unavailable")
    assert await box.message_count() == 1


async def test_the_journal_shows_that_the_envelope_was_left_out(box: Box) -> None:
    await box.add_fault({"status": 403, "envelope": False})
    await box.send()
    [entry] = (await box.get("/_sandbox/requests"))["data"]
    [decision] = [each for each in entry["decisions"] if each["by"] == "fault"]
    assert decision["effect"] == {"status": 403, "envelope": False}
    assert "403 forbidden" not in (await box.get("/_sandbox/coverage"))["met"]


async def test_with_the_envelope_an_effect_does_not_mention_it(box: Box) -> None:
    fault = await box.add_fault({"status": 403, "envelope": True})
    assert fault["effect"] == {"status": 403}
