"""Any body gets 201 or an error; `fixtures/bodies.json` has the vectors."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from box import NUMBER, Box, sandbox
from hypothesis import example, given
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import SyncBox, sync_sandbox
from vectors import vectors

SEND = "/api/v1/messages/sms"
JSON = {"Content-Type": "application/json"}
VALID = {"to": NUMBER, "message": "Hello", "from": "MyApp", "callbackUrl": "http://localhost:1/"}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner)
)
texts = st.text(st.characters())
likely = (
    st.sampled_from([NUMBER, "MyApp", "http://localhost:1/", "", "+", "http://", "\ud83d", "\0"])
    | st.from_regex(r"\+[1-9][0-9]{5,14}\n?", fullmatch=True)
    | st.from_regex(r"https?://[^/]*(/.*)?")
)


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        yield it


@pytest.mark.parametrize("vector", vectors("bodies.json"), ids=lambda vector: vector["why"])
async def test_a_body_gets_the_response_of_its_vector(vector: Any) -> None:
    async with sandbox(delivery="manual") as box:  # so that no callbackUrl is ever called
        answer = await post(box, content_of(vector), pairs(vector.get("headers", {})))
        total = (await box.get("/_sandbox/messages"))["total"]
    if vector["status"] == 201:
        assert (answer.status_code, total) == (201, 1), answer.text
    else:
        error = assert_refused(answer, vector["status"], vector["code"])
        assert error.get("details", {}).get("field") == vector.get("field")
        assert total == 0


@given(value=values)
@example(value="\ud83d")
@example(value=float("inf"))
@example(value=10**400)
def test_any_json_is_answered(sync: SyncBox, value: Any) -> None:
    assert_answered(sync, json.dumps(value))


@given(body=st.binary())
def test_any_bytes_are_answered(sync: SyncBox, body: bytes) -> None:
    assert_answered(sync, body)


@given(start=st.integers(0, 60), end=st.integers(0, 60), stuff=st.binary(max_size=4))
def test_any_damage_to_a_good_body_is_answered(
    sync: SyncBox, start: int, end: int, stuff: bytes
) -> None:
    good = json.dumps(VALID).encode()
    assert_answered(sync, good[:start] + stuff + good[end:])


@pytest.mark.parametrize("name", VALID)
@given(value=texts | likely | values)
@example(value="\ud83d")
@example(value=["\ud83d"])
@example(value={"\ud83d": float("nan")})
def test_any_value_of_a_field_is_answered(sync: SyncBox, name: str, value: Any) -> None:
    assert_answered(sync, json.dumps(VALID | {name: value}))


@given(key=st.binary(max_size=300).filter(lambda key: not set(key) & set(b"\0\r\n")))
def test_any_idempotency_key_is_answered(sync: SyncBox, key: bytes) -> None:
    good = json.dumps(VALID)
    assert_answered(sync, good, {"Idempotency-Key": key})


@given(media_type=st.text(st.characters(codec="latin-1")).map(lambda text: text.encode("latin-1")))
@example(media_type=b"application/json; charset")
@example(media_type=b"application/json; charset=\xff")
def test_any_content_type_is_answered(sync: SyncBox, media_type: bytes) -> None:
    assert_answered(sync, json.dumps(VALID), {"Content-Type": media_type})


def assert_answered(sync: SyncBox, content: str | bytes, headers: Mapping[str, Any] = JSON) -> None:
    """Post a body: the response is 201 or an error in the envelope, which creates nothing."""
    before = sync.messages()
    answer = sync.run(post(sync.box, content, pairs(headers)))
    created = sync.messages() - before
    if answer.status_code == 201:
        assert created == ("idempotent-replayed" not in answer.headers)
    else:
        assert 400 <= answer.status_code < 500
        assert_refused(answer, answer.status_code, answer.json()["error"]["code"])
        assert created == 0


def content_of(vector: Any) -> str | bytes:
    if "hexBody" in vector:
        return bytes.fromhex(vector["hexBody"])
    return json.dumps(vector["body"]) if "body" in vector else vector["rawBody"]


def pairs(headers: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return headers as vectors write them: null is none, an array is one for each."""
    return [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, given in (JSON | headers).items()
        for value in (given if isinstance(given, list) else [given])
        if value is not None
    ]


async def post(
    box: Box, content: str | bytes, headers: list[tuple[bytes, bytes]]
) -> httpx.Response:
    authorization = (b"Authorization", f"Bearer {box.token}".encode())
    return await box.http.post(SEND, content=content, headers=[authorization, *headers])
