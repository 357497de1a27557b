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

from msgine_sandbox.model.choices import NumberCheck
from msgine_sandbox.model.errors import InvalidPhoneNumber
from msgine_sandbox.model.phone_numbers import NumberingPlan
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


def assert_number_refused(answer: httpx.Response, number: str) -> str:
    """Return the reason, which every refusal of a number has."""
    error = assert_refused(answer, 400, "invalid_phone_number")
    assert error["message"] == "The phone number must be in E.164 format"
    reason = error["details"].pop("reason")
    assert error["details"] == {
        "field": "to",
        "value": number,
        "expected": "+[country code][number]",
    }
    assert re.fullmatch(r"[A-Z].+\.", reason)
    return str(reason)


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: ascii(phone["number"])[1:-1][:40])
async def test_a_number_is_accepted_or_refused_as_in_its_vector(
    phone: Any, check: NumberCheck
) -> None:
    number = phone["number"]
    expected = phone.get({"possible": "", "valid": "strict"}.get(check, check), phone["expected"])
    async with sandbox(numbers=check) as box:
        alone = await box.send(number)
        among_others = await box.send([NUMBER, number, "+256771234567"])
        if expected == ACCEPTED:
            assert alone.json()["to"] == [number]
            assert number in among_others.json()["to"]
        else:
            assert assert_number_refused(alone, number) == phone["reason"]
            assert assert_number_refused(among_others, number) == phone["reason"]
            assert (await box.get("/_sandbox/messages"))["total"] == 0


@pytest.mark.parametrize("settings", [{}, {"numbers": "possible"}, {"strict_numbers": False}])
async def test_without_settings_numbers_must_be_possible(settings: dict[str, Any]) -> None:
    async with sandbox(**settings) as box:
        assert (await box.send("+12005550123")).status_code == 201
        assert_number_refused(await box.send("+1234567890"), "+1234567890")


@pytest.mark.parametrize("settings", [{"numbers": "valid"}, {"strict_numbers": True}])
async def test_strict_numbers_means_valid(settings: dict[str, Any]) -> None:
    async with sandbox(**settings) as box:
        reason = assert_number_refused(await box.send("+12005550123"), "+12005550123")
        assert "not assigned" in reason


async def test_the_number_that_the_documentation_shows_passes_where_the_format_counts() -> None:
    async with sandbox(numbers="format") as box:
        await box.accepted("+1234567890")
        [warning] = await box.warnings()
        assert warning["code"] == "number-not-mobile"
        assert "+1234567890 is not a phone number" in warning["message"]


async def test_the_first_of_several_bad_numbers_is_named(box: Box) -> None:
    answer = await box.send([NUMBER, "0701234567", "0701234568"])
    assert_number_refused(answer, "0701234567")


@pytest.mark.parametrize("check", NumberCheck)
async def test_a_mobile_of_every_country_is_accepted(check: NumberCheck) -> None:
    async with sandbox(numbers=check) as box:
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


@given(text=near_numbers | st.from_regex(r"\+[0-9]{0,18}", fullmatch=True))
@example(text="+1")
@example(text="+10")
@example(text="+" + "1" * 15)
@example(text="+" + "1" * 16)
def test_where_the_format_counts_every_text_of_that_form_is_a_number(text: str) -> None:
    plan = NumberingPlan(NumberCheck.FORMAT)
    if E164.fullmatch(text):
        assert plan.check(text) == text
    else:
        with pytest.raises(InvalidPhoneNumber) as refused:
            plan.check(text)
        assert refused.value.details["reason"]


@given(st.from_regex(r"[1-9][0-9]{0,11}", fullmatch=True))
@example("70123456")
@example("701234567")
@example("7012345678")
def test_the_reason_says_whether_a_number_is_too_short_or_too_long(national: str) -> None:
    text = f"+256{national}"
    if len(national) == 9:  # as many digits as numbers of Uganda have
        assert NumberingPlan().check(text) == text
        return
    with pytest.raises(InvalidPhoneNumber) as refused:
        NumberingPlan().check(text)
    words = "too long" if len(national) > 9 else "too short|area code is missing"
    assert re.search(words, refused.value.details["reason"])


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
