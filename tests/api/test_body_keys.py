"""Idempotency keys in the body, where the Developers API has them."""

import unicodedata
from typing import Any

import pytest
from box import DEVELOPERS, Box, sandbox
from hypothesis import example, given
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


ZWNJ, FLAG = "می\u200cخواهم", "\U0001f3f3\ufe0f\u200d\U0001f308"
REFUSED = {"Cc", "Cs", "Zl", "Zp"}
"""Categories of characters that no key has."""


def test_a_key_in_the_body_has_up_to_64_characters_of_one_line() -> None:
    with sync_sandbox() as s:

        @given(
            st.text(max_size=66)
            | st.text(st.characters(max_codepoint=0x7F), max_size=66)
            | st.sampled_from(["k" * length for length in (1, 63, 64, 65)])
            | st.sampled_from(["é" * length for length in (64, 65)])
        )
        @example("order 42 / kampala")
        @example(" ")
        @example("a\u2028b")
        @example("a\u2029b")
        @example("a\x85b")
        @example("a\xa0b")
        @example("a\u200bb")
        @example("\U0010ffff\ue000\u0378")
        @example(ZWNJ)
        @example(FLAG * 16)
        @example(FLAG * 16 + "k")
        def check(key: str) -> None:
            body = SMS | {"idempotencyKey": key}
            before = s.messages()
            answers = [s.run(s.box.call("POST", f"{DEVELOPERS}/sms", json=body)) for _ in range(2)]
            if 1 <= len(key) <= 64 and not REFUSED & set(map(unicodedata.category, key)):
                assert [answer.status_code for answer in answers] == [201, 201]
                assert answers[0].json() == answers[1].json()
                assert s.messages() - before in {0, 1}  # 0 for a key that came before
            else:
                assert_refused(answers[0], 400, "invalid_request")

        check()


async def test_a_key_that_a_user_would_write_is_taken_as_it_is(box: Box) -> None:
    key = "order 42 / kampala – café"
    for path, body in SENDS.items():
        sent = body | {"idempotencyKey": key + path}
        first = await box.call("POST", DEVELOPERS + path, json=sent)
        again = await box.call("POST", DEVELOPERS + path, json=sent)
        assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")
        other = await box.developers("POST", path, sent | {"idempotencyKey": f" {key}{path}"})
        assert other["id"] != first.json()["id"]
    entries = (await box.get("/_sandbox/requests"))["data"]
    keys = {each["key"] for entry in entries for each in entry["decisions"] if "key" in each}
    assert keys == {start + key + path for path in SENDS for start in ("", " ")}


@CHANNELS
@pytest.mark.parametrize("key", [ZWNJ, FLAG, "a\u00a0b", "a\u200bb"], ids=ascii)
async def test_a_key_of_any_language_makes_a_retry_safe(box: Box, path: str, key: str) -> None:
    body = SENDS[path] | {"idempotencyKey": key}
    first = await box.call("POST", DEVELOPERS + path, json=body)
    again = await box.call("POST", DEVELOPERS + path, json=body)
    assert (first.status_code, again.headers["idempotent-replayed"]) == (201, "true")


@pytest.mark.parametrize("key", ["a\u2028b", "a\u2029b", "a\x7fb", "a\x85b", "a\0b"], ids=ascii)
async def test_the_error_of_a_key_says_which_characters_are_refused(box: Box, key: str) -> None:
    error = await box.developers_error("POST", "/sms", SMS | {"idempotencyKey": key})
    assert error["details"]["expected"] == (
        "1 to 64 characters, without control characters, line breaks and halves of surrogate pairs"
    )


async def test_a_key_in_the_header_has_no_spaces(box: Box) -> None:
    answer = await box.send(key="order 42 / kampala")
    assert_refused(answer, 400, "invalid_request")


@pytest.mark.parametrize("key", [5, True, ["a"], {"a": 1}, "", "a\nb", "k" * 65])
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
