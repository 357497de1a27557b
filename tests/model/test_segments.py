"""How texts are cut into segments; `fixtures/texts.json` has the vectors."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from box import NUMBER, Box
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import SyncBox, sync_sandbox
from vectors import vectors

from msgine_sandbox.model.segments import split

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"
LONGEST = 1600

gsm = st.text(BASIC + EXTENDED, min_size=1)
ucs2 = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
tiles = st.sampled_from(["a", "€", "ş", "😀", "e\u0301"])
boundaries = st.sampled_from([1, 33, 34, 65, 66, 67, 68, 76, 77, 151, 152, 153, 154])
tiled = st.lists(st.builds(str.__mul__, tiles, boundaries), min_size=1, max_size=8).map("".join)
texts = (gsm | ucs2 | tiled).map(lambda text: text[:LONGEST])


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        yield it


@pytest.mark.parametrize("vector", vectors("texts.json"), ids=lambda vector: vector["why"])
async def test_a_text_has_the_segments_of_its_vector(box: Box, vector: Any) -> None:
    message = await box.accepted(message=vector["text"])
    seen = await box.details(message)
    assert (seen["encoding"], seen["segments"]) == (vector["encoding"], vector["segments"])
    assert seen["message"] == message["content"] == vector["text"]


@given(text=texts)
@example(text="a" * 152 + "€" + "a" * 152)
@example(text="ş" * 66 + "😀" + "ş" * 66)
def test_a_text_has_as_many_segments_as_a_simple_count(sync: SyncBox, text: str) -> None:
    message = sync.run(sync.box.accepted(message=text))
    seen = sync.run(sync.box.details(message))
    encoding, parts = slowly_cut(text)
    assert (seen["encoding"], seen["segments"]) == (encoding, len(parts))
    assert seen["message"] == text


@settings(max_examples=200)
@given(text=texts)
@example(text="€" * 153)
@example(text="😀" * 67)
def test_parts_equal_a_simple_division(text: str) -> None:
    segments = split(text)
    encoding, parts = slowly_cut(text)
    assert segments.encoding == encoding
    assert [units(part, encoding) for part in segments.parts] == parts


@settings(max_examples=200)
@given(text=texts)
def test_parts_joined_are_the_text_and_none_is_too_long(text: str) -> None:
    segments = split(text)
    alone, joined = (160, 153) if segments.encoding == "GSM-7" else (70, 67)
    lengths = [len(units(part, segments.encoding)) for part in segments.parts]
    assert "".join(segments.parts) == text
    assert all(segments.parts)
    assert max(lengths) <= (alone if len(lengths) == 1 else joined)
    assert (len(lengths) == 1) is (len(units(text, segments.encoding)) <= alone)


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ('""', 0),
        (json.dumps("a" * 1601), 1601),
        (json.dumps("😀" * 1601), 1601),
        (r'"\ud83d"', 1),
        (r'"\ude00"', 1),
        (r'"\ude00\ud83d"', 2),
        (r'"half a smile: \ud83d!"', 16),
        (r'"a whole one, \ud83d\ude00, and a half, \ud83d"', 29),
    ],
)
async def test_a_text_that_cannot_be_sent_is_refused(box: Box, written: str, length: int) -> None:
    answer = await box.call(
        "POST",
        "/api/v1/messages/sms",
        content=f'{{"to": "{NUMBER}", "message": {written}}}',
        headers={"Content-Type": "application/json"},
    )
    error = assert_refused(answer, 400, "invalid_message")
    assert error["details"] == {"field": "message", "maxLength": 1600, "actualLength": length}
    assert (await box.get("/_sandbox/messages"))["total"] == 0


async def test_a_pair_of_surrogates_is_one_character(box: Box) -> None:
    answer = await box.call(
        "POST",
        "/api/v1/messages/sms",
        content=rf'{{"to": "{NUMBER}", "message": "\ud83d\ude00"}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.json()["message"] == "😀"


def slowly_cut(text: str) -> tuple[str, list[list[str]]]:
    """Cut a text as the standard says it: write every unit out, then fill parts one by one.

    Each unit is written with the place that it has in its character, so `€` is `["€0", "€1"]`.
    """
    is_gsm = all(character in BASIC + EXTENDED for character in text)
    encoding, alone, joined = ("GSM-7", 160, 153) if is_gsm else ("UCS-2", 70, 67)
    left = units(text, encoding)
    if len(left) <= alone:
        return encoding, [left]
    parts = []
    while left:
        end = joined
        if left[end:] and left[end].endswith("1"):  # it would be split from the unit before it
            end -= 1
        parts.append(left[:end])
        left = left[end:]
    return encoding, parts


def units(text: str, encoding: str) -> list[str]:
    """Write a text's septets or UTF-16 units out."""
    written = []
    for character in text:
        twice = character in EXTENDED if encoding == "GSM-7" else ord(character) > 0xFFFF
        written += [f"{character}0", f"{character}1"] if twice else [f"{character}0"]
    return written
