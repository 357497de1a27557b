"""The one-time code in the text of a message: `fixtures/codes.json` says which number it is."""

import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis.strategies import data, from_regex, integers, lists, sampled_from, text
from linear import assert_linear
from project import ROOT
from vectors import vectors

from msgine_sandbox.model.code_words import CODE, ITEM, OTHER
from msgine_sandbox.model.contents import contents_of

EXAMPLES = [
    pytest.param(each["text"], each["code"], id=f"{section['about']}-{number}")
    for section in vectors("codes.json")
    for number, each in enumerate(section["examples"])
]
# The text around a code that stands in one piece, and its length.
FRAMES = [
    (each["text"].split(each["code"]), len(each["code"]))
    for section in vectors("codes.json")
    for each in section["examples"]
    if each["code"] and each["text"].count(each["code"]) == 1
]
HOSTILE = [
    "Nr 12345, ", "12345 ", "1 ", "1-", "1.", "+1", "(+1) 2", "12345*", "code 1 ", "a", "a.",
    "a.b/", "a@", "no.no.no.no.no.no.no. 1234 code", "code 12345 order 12345 ", "card ending in ",
    "code", "验证码1234", "\u200b", "４", "x-", " ", "\n", "code: = ", "http://a.b/(", "https://a，",
    "12345 card no. ",
]  # fmt: skip


def find_code(text: str) -> str | None:
    return contents_of(text, None, None, ()).code


@pytest.mark.parametrize(("text", "code"), EXAMPLES)
def test_the_code_is_the_one_that_a_person_would_type(text: str, code: str | None) -> None:
    assert find_code(text) == code


@pytest.mark.parametrize("words", [ITEM, OTHER], ids=["items", "other numbers"])
def test_every_language_with_words_for_codes_has_words_for_other_numbers(words) -> None:
    """Otherwise, the number of a card is taken for the code."""
    missing = {each for key in CODE for each in key.split(", ")}
    assert missing - {each for key in words for each in key.split(", ")} == set()


@given(frame=sampled_from(FRAMES), data=data())
def test_whichever_digits_a_code_has_it_is_found(frame, data) -> None:
    """An application makes codes by chance: a year or a time among them must not fail its tests."""
    (before, after), length = frame
    code = data.draw(from_regex(rf"[0-9]{{{length}}}", fullmatch=True))
    assert find_code(f"{before}{code}{after}") == code


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    assert_linear(find_code, piece, before="Your code is 4938 ")


def test_reading_codes_links_and_html_needs_only_the_standard_library() -> None:
    """As the client does, which may be installed without what the sandbox needs."""
    program = (
        "from msgine_sandbox.model.contents import contents_of; "
        "found = contents_of('https://a.example', None, '<p>PIN 4938', ()); "
        "print(found.code, found.links)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],  # -S: without installed packages
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("4938 ('https://a.example',)\n", "")


digits = from_regex(r"[0-9]{4,8}", fullmatch=True)
announced = sampled_from(["Your code is {}", "{} is your code", "OTP: {}", "PIN {}.", "Code={}"])
noise = lists(
    sampled_from(
        [
            "Pay UGX 50,000.",
            "15000 UGX left.",
            "Call +256701234567.",
            "Call 0701 234 567.",
            "At 10:30.",
            "On 2026-11-25.",
            "Order #4821.",
            "Since 2019.",
            "Order 55512.",
            "https://a.example/123456",
        ]
    ),
    max_size=3,
).map(" ".join)


@given(code=digits, announced=announced, before=noise, after=noise)
def test_an_announced_code_is_found_among_amounts_numbers_times_dates_and_orders(
    code: str, announced: str, before: str, after: str
) -> None:
    assert find_code(f"{before} {announced.format(code)} {after}") == code


@given(code=from_regex(r"[0-9]{6}|[0-9]{8}", fullmatch=True), sign=sampled_from(" -"))
def test_a_code_in_two_halves_is_one_code(code: str, sign: str) -> None:
    half = len(code) // 2
    assert find_code(f"Your code is {code[:half]}{sign}{code[half:]}") == code


@given(text())
@example("Code 493817️⃣")
def test_whatever_the_text_a_code_is_4_to_8_of_its_digits(any_text: str) -> None:
    code = find_code(any_text)
    if code is not None:
        assert re.fullmatch("[0-9]{4,8}", code)
        assert code in "".join(str(int(each)) for each in any_text if each.isdecimal())


@given(integers(10**9, 10**20))
def test_a_longer_number_has_no_code_within(number: int) -> None:
    assert find_code(f"Your code is {number}") is None
