"""A request of any shape is answered, and never with a server error that nobody asked for."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from box import NUMBER
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sync_box import SyncBox, sync_sandbox

API = [
    "/messages",
    "/messages/sms",
    "/messages/{id}",
    "/account",
    "/developers/sms",
    "/developers/email",
    "/developers/push",
    "/developers/push/device",
    "/developers/sms/history",
    "/developers/messages/{id}",
    "/developers/analytics/overview",
    "/developers/analytics/daily",
]
CONTROL = [
    "/health",
    "/account",
    "/accounts",
    "/clock",
    "/clock/advance",
    "/clock/freeze",
    "/clock/resume",
    "/coverage",
    "/definitions",
    "/faults",
    "/faults/{id}",
    "/magic",
    "/messages",
    "/messages/{id}",
    "/messages/{id}/status",
    "/messages/wait",
    "/requests",
    "/requests/{id}",
    "/reset",
    "/webhooks",
    "/webhooks/attempts",
    "/webhooks/attempts/{id}/resend",
]
PATHS = [*(f"/api/v1{path}" for path in API), *(f"/_sandbox{path}" for path in CONTROL)]
PATHS += ["/", "/docs/{id}", "/static/{id}", "/api/v1/{id}", "/_sandbox/{id}", "/{id}"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]
PARAMETERS = [
    *("page", "limit", "to", "status", "q", "since", "before", "contains", "matches", "channel"),
    *("from", "days", "message", "method", "path", "warning", "messageId", "x"),
]
FIELDS = [
    *("to", "message", "from", "callbackUrl", "subject", "html", "text", "title", "body", "data"),
    *("tokens", "topic", "userIds", "scheduledFor", "idempotencyKey", "seconds", "status", "token"),
    *("effect", "match", "times", "endpoints", "limits", "price", "senderId", "platform"),
    *("deviceId", "imageUrl"),
]
HEADERS = [
    *("Authorization", "X-Api-Key", "Idempotency-Key", "Content-Type", "Origin", "Referer"),
    *("X-Sandbox-Account", "X-Control-Token", "Last-Event-ID", "Cookie", "Sec-Fetch-Site"),
]

odd_texts = st.sampled_from(
    [
        *("", "\ud800", "\udfff/", "\0", "\x1b[31m\n", "\u202e", "*", "../..", "%00", "é" * 99),
        *("9" * 400, "-1", "0", "1e999", "NaN", "abc", "²", NUMBER, "9999-12-31T23:59:59Z"),
        *("0001-01-01", "9999-12-31", "msg_ffffffffffffffff", "acc_7fffffffffffffff", "a" * 5000),
        *("http://[::1", "http://localhost:99999/", "delivered", "sms", "(", "x@shop.example"),
    ]
)
texts = odd_texts | st.text(st.characters(), max_size=20)
scalars = (
    st.sampled_from([None, True, 10**400, -(2**63) - 1, 2**64, 1e308, float("inf"), float("nan")])
    | st.integers()
    | st.floats()
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | texts, inner, max_size=4)
    ),
    max_leaves=6,
)
deep = st.integers(1, 3000).map(lambda depth: "[" * depth + "]" * depth)
bodies = (
    st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=6).map(json.dumps)
    | values.map(json.dumps)
    | deep
    | st.binary(max_size=40)
    | st.just("")
)
header_values = texts.map(
    lambda text: text.encode("utf-8", "surrogatepass").translate(None, b"\0\r\n")
)


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        yield it


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a request with an odd path, query, headers and body."""
    name = quote(draw(texts).encode("utf-8", "surrogatepass"), safe="")
    path = draw(st.sampled_from(PATHS)).format(id=name)
    query = draw(st.dictionaries(st.sampled_from(PARAMETERS) | texts, texts, max_size=3))
    written = "&".join(
        "=".join(quote(each.encode("utf-8", "surrogatepass"), safe="") for each in pair)
        for pair in query.items()
    )
    # No request may wait: the time that it may take is not what is tested here.
    written = f"timeout=0&{written}" if path.endswith("/wait") else written
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=3))
    return {
        "method": draw(st.sampled_from(METHODS)),
        "url": f"{path}?{written}",
        "content": draw(bodies),
        "headers": {"Authorization": b"Bearer test_any", "Content-Type": b"application/json"}
        | headers,
    }


def request(method: str, url: str, body: Any, **headers: str) -> dict[str, Any]:
    """An example of a request."""
    given = {"Authorization": "Bearer test_any", "Content-Type": "application/json"} | headers
    return {"method": method, "url": url, "content": json.dumps(body), "headers": given}


SEND = "/api/v1/messages/sms"


@settings(max_examples=150)
@given(asked=requests())
@example(asked=request("POST", SEND, {"to": NUMBER, "message": "x", "\ud800": "\ud800"}))
@example(asked=request("POST", SEND, {"to": [NUMBER, "\ud800"], "message": "\ud800"}))
@example(asked=request("POST", SEND, {"to": NUMBER, "message": "x", "\x1b\n": {"\0": 10**400}}))
@example(asked=request("GET", "/api/v1/messages?%ed%a0%80=%ed%a0%80&page=%ed%a0%80", None))
@example(asked=request("GET", "/api/v1/messages/%ed%a0%80%00%ff", None))
@example(asked=request("POST", "/_sandbox/faults", {"match": {"path": "/\ud800"}, "effect": {}}))
@example(asked=request("POST", "/_sandbox/clock/advance", {"seconds": 10**400}))
@example(asked=request("POST", "/_sandbox/clock/advance", {"to": "\ud800"}))
@example(asked=request("PATCH", "/_sandbox/account", {"senderId": "\ud800"}))
@example(asked=request("PUT", "/_sandbox/webhooks", {"endpoints": [{"url": "http://\ud800/"}]}))
@example(asked=request("GET", "/_sandbox/messages?to=%ed%a0%80&since=%ed%a0%80", None))
def test_any_request_is_answered(sync: SyncBox, asked: dict[str, Any]) -> None:
    answer = sync.run(ask(sync, asked))  # an exception is a defect, too
    assert answer.status_code < 500
    if answer.status_code >= 400 and asked["method"] != "HEAD":
        assert answer.json()["error"]["message"]
    # What the request has left behind does no harm either.
    for path in ("/_sandbox/requests", "/_sandbox/messages", "/api/v1/messages"):
        assert sync.run(sync.box.http.get(path, headers=READER)).status_code < 500


READER = {"Authorization": "Bearer test_any"}


async def ask(sync: SyncBox, asked: dict[str, Any]) -> httpx.Response:
    answer = await sync.box.http.request(**asked)
    # Faults are meant to cause server errors.
    await sync.box.http.delete("/_sandbox/faults")
    return answer
