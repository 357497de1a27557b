"""Idempotency keys in the body, where the Developers API has them."""

from typing import Any

import pytest
from box import DEVELOPERS, Box, sandbox
from hypothesis import given
from hypothesis import strategies as st
from matching import assert_refused
from sends import CHANNELS, SENDS, SMS
from sync_box import sync_sandbox


@CHANNELS
async def test_a_key_in_the_body_and_one_in_the_header_are_the_same(box: Box, path: str) -> None:
    body = SENDS[path]
    first = await box.call("POST", DEVELOPERS + path, json=body | {"idempotencyKey": "order-1042"})
    in_header = {"Idempotency-Key": "order-1042"}
    again = await box.call("POST", DEVELOPERS + path, json=body, headers=in_header)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = await box.send(key="order-1042")
    assert other.json() == first.json()
    assert (await box.get("/_sandbox/messages"))["total"] == 1


def test_a_key_in_the_body_has_up_to_64_printable_characters() -> None:
    with sync_sandbox() as s:

        @given(
            st.text(st.characters(max_codepoint=0x7F), max_size=66)
            | st.sampled_from(["k" * length for length in (1, 63, 64, 65)])
        )
        def check(key: str) -> None:
            body = SMS | {"idempotencyKey": key}
            answer = s.run(s.box.call("POST", f"{DEVELOPERS}/sms", json=body))
            fits = 1 <= len(key) <= 64 and all("!" <= sign <= "~" for sign in key)
            assert answer.status_code == (201 if fits else 400)

        check()


@pytest.mark.parametrize("key", [5, True, ["a"], {"a": 1}, ""])
async def test_an_invalid_key_is_refused(box: Box, key: Any) -> None:
    error = await box.developers_error("POST", "/sms", SMS | {"idempotencyKey": key})
    assert (error["code"], error["details"]["field"]) == ("invalid_request", "idempotencyKey")


async def test_two_keys_that_differ_are_refused(box: Box) -> None:
    answer = await box.call(
        "POST",
        f"{DEVELOPERS}/sms",
        json=SMS | {"idempotencyKey": "a"},
        headers={"Idempotency-Key": "b"},
    )
    assert assert_refused(answer, 400, "invalid_request")["details"]["field"] == "idempotencyKey"


async def test_a_key_in_the_body_makes_a_retry_safe(box: Box) -> None:
    await box.add_fault({"status": 503}, times=1)
    for status in (503, 201):
        answer = await box.call(
            "POST", f"{DEVELOPERS}/sms", json=SMS | {"idempotencyKey": "order-1042"}
        )
        assert answer.status_code == status
        assert "x-sandbox-warning" not in answer.headers


@pytest.mark.parametrize("place", ["idempotencyKey", "Idempotency-Key"])
async def test_a_reused_key_is_named_by_its_field_under_strict_idempotency(place: str) -> None:
    async with sandbox(strict_idempotency=True) as box:
        for status, message in ((201, "one"), (422, "two")):
            body, headers = SMS | {"message": message}, {}
            if place == "idempotencyKey":
                body[place] = "k"
            else:
                headers[place] = "k"
            answer = await box.call("POST", f"{DEVELOPERS}/sms", json=body, headers=headers)
            assert answer.status_code == status
        assert answer.json()["error"]["details"] == {"field": place, "value": "k"}
