"""Which recipients are telephone numbers; `fixtures/phones.json` has the vectors."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import phonenumbers
import pytest
from box import NUMBER, Box, sandbox
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from matching import assert_refused
from sync_box import SyncBox, sync_sandbox
from vectors import vectors

from msgine_sandbox.services.magic import REQUEST_FAULTS

PHONES = vectors("phones.json")
ACCEPTED = "accepted"
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
EXAMPLES = [
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    if (number := phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE))
]
GOOD = [each["number"] for each in PHONES if each["expected"] == ACCEPTED] + EXAMPLES
OTHER_DIGITS = "٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐０𝟎𝟘"
"""The zeros of other scripts; their nine other digits follow each in Unicode."""

numbers = st.sampled_from(GOOD) | st.from_regex(E164, fullmatch=True)
near_numbers = (
    numbers
    | st.text("+0123456789 -.()\n\t٣７²xe;,", max_size=18)
    | st.text(st.characters(exclude_categories=["Cs"]))
)


@pytest.fixture(scope="module")
def sync() -> Iterator[SyncBox]:
    with sync_sandbox() as it:
        yield it


def assert_number_refused(answer: httpx.Response, number: str) -> None:
    error = assert_refused(answer, 400, "invalid_phone_number")
    assert error["message"] == "The phone number must be in E.164 format"
    assert error["details"] == {
        "field": "to",
        "value": number,
        "expected": "+[country code][number]",
    }


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: ascii(phone["number"])[1:-1][:40])
async def test_a_number_is_accepted_or_refused_as_in_its_vector(phone: Any, strict: bool) -> None:
    number = phone["number"]
    expected = phone.get("strict", phone["expected"]) if strict else phone["expected"]
    async with sandbox(strict_numbers=strict) as box:
        alone = await box.send(number)
        among_others = await box.send([NUMBER, number, "+256771234567"])
        if expected == ACCEPTED:
            assert alone.json()["to"] == [number]
            assert number in among_others.json()["to"]
        else:
            assert_number_refused(alone, number)
            assert_number_refused(among_others, number)
            assert (await box.get("/_sandbox/messages"))["total"] == 0


async def test_the_first_of_several_bad_numbers_is_named(box: Box) -> None:
    answer = await box.send([NUMBER, "0701234567", "0701234568"])
    assert_number_refused(answer, "0701234567")


@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
async def test_a_mobile_of_every_country_is_accepted(strict: bool) -> None:
    async with sandbox(strict_numbers=strict) as box:
        for start in range(0, len(EXAMPLES), 100):
            some = list(dict.fromkeys(EXAMPLES[start : start + 100]))
            assert (await box.accepted(some))["to"] == some


@settings(max_examples=200)
@given(text=near_numbers)
@example(text="")
def test_what_is_accepted_is_e164_and_unchanged(sync: SyncBox, text: str) -> None:
    assume(text not in REQUEST_FAULTS)  # which are accepted, and then answered as they say
    answer = sync.run(sync.box.send(text))
    if answer.status_code == 201:
        assert E164.fullmatch(text)
        assert answer.json()["to"] == [text]
    else:
        assert_number_refused(answer, text)


@given(number=st.sampled_from(GOOD), data=st.data())
def test_a_number_with_a_digit_of_another_script_is_refused(
    sync: SyncBox, number: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(number) - 1))
    zero = data.draw(st.sampled_from(OTHER_DIGITS))
    digit = chr(ord(zero) + int(number[place]))
    assert int(digit) == int(number[place])
    mutated = number[:place] + digit + number[place + 1 :]
    assert_number_refused(sync.run(sync.box.send(mutated)), mutated)


@given(
    number=st.sampled_from(GOOD),
    stuff=st.sampled_from(["\n", "\r\n", " ", "\t", "\0", "\u2028", "\u200b", "\ufeff", ";", "x"]),
    data=st.data(),
)
def test_a_number_with_anything_added_is_refused(
    sync: SyncBox, number: str, stuff: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(number)))
    mutated = number[:place] + stuff + number[place:]
    assert_number_refused(sync.run(sync.box.send(mutated)), mutated)


def test_no_vector_is_repeated() -> None:
    written = [json.dumps(each["number"]) for each in PHONES]
    assert len(written) == len(set(written)) >= 60
