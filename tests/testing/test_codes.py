"""The one-time code and the links of a message."""

import re

import pytest
from hypothesis import example, given
from hypothesis.strategies import composite, from_regex, integers, lists, sampled_from, text

from msgine_sandbox.testing.codes import find_code, find_links

CODES = [
    ("Your code is 493817", "493817"),
    ("493817 is your MsGine code", "493817"),
    ("Your OTP: 4938", "4938"),
    ("OTP 49381726. Valid for 10 minutes.", "49381726"),
    ("Your verification code is 493 817.", "493817"),
    ("Your verification code is 493-817.", "493817"),
    ("Your code: 4938 1726", "49381726"),
    ("G-493817 is your Google verification code.", "493817"),
    ("FB-49381 is your Facebook confirmation code", "49381"),
    ("<#> 4938 is your Uber code. FA+9qCX9VSu", "4938"),
    ("@shop.example #493817", "493817"),
    ("Your code is 493817.\n\n@shop.example #493817", "493817"),
    ("PIN=0042", "0042"),
    ("Your code is 2026", "2026"),
    (
        "Dear NAKATO, your MTN MoMo PIN reset code is 493817. Call 100 or +256 77 212 3456.",
        "493817",
    ),
    ("MoMo: confirm UGX 50,000 to 0772123456 with code 49381. Fee UGX 1000.", "49381"),
    ("You are paying 15000 UGX to UMEME. OTP 493817", "493817"),
    ("Pay Shs 20000/= for order 55512 using passcode 4938", "4938"),
    ("Airtel Money: withdraw 200000 shillings. Your one-time password is 493817.", "493817"),
    ("SafeBoda: 4938 is your login code. It expires at 1430 hrs on 25 Nov 2026.", "4938"),
    ("NIRA: on 2026-11-25 at 14:30 you asked for a code. It is 493817", "493817"),
    ("Stanbic: transaction 88123456 of UGX 1,250,000 on 25/11/2026. Your OTP is 493817", "493817"),
    (
        "Centenary Bank: A/C 31004567 login code 493817, do not share it. Helpline 0800200555",
        "493817",
    ),
    ("Order #55512 is confirmed. Show code 4938 at pickup in 2026.", "4938"),
    ("Order ORD-55512: your delivery PIN is 4938", "4938"),
    ("Ref 88123456. Token for login 493817 valid for 1800 seconds", "493817"),
    ("Koodi yo eri 493817. Togigabana na muntu yenna.", "493817"),
    ("Msimbo wako ni 493817", "493817"),
    ("Toll free 0800 100 100. 493817 is your code", "493817"),
    ("Use 493817 to sign in to Jumia. Questions? https://jumia.example/h/12345678", "493817"),
    ("Hello 493817", "493817"),
    ("Your room is booked for 25 Nov 2026 - door code: 7731", "7731"),
]

NO_CODE = [
    "",
    "Hello from MsGine!",
    "You have received UGX 50,000 from NAKATO on +256772123456",
    "Pay 15000 UGX by 14:30",
    "Call 0772123456 or 0772 123 456",
    "See you on 25/11/2026, 2026-11-25 or 25 Nov 2026",
    "Happy 2026!",
    "https://shop.example/orders/493817",
    "Yaka token: 1234 5678 9012 3456 7890",
    "Balance: $1234.56",
    "Your order 55512 has shipped",
    "123",
    "1234567890",
]


@pytest.mark.parametrize(("text", "code"), CODES)
def test_the_code_is_the_one_that_a_person_would_type(text: str, code: str) -> None:
    assert find_code(text) == code


@pytest.mark.parametrize("text", NO_CODE)
def test_a_text_without_a_code_has_none(text: str) -> None:
    assert find_code(text) is None


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
@example("٤٩٣٨١٧ is your code")
@example("Code 493817️⃣")
def test_whatever_the_text_a_code_is_4_to_8_of_its_digits(any_text: str) -> None:
    code = find_code(any_text)
    if code is not None:
        assert re.fullmatch("[0-9]{4,8}", code)
        assert code in re.sub("[ \u00a0-]", "", any_text)


@given(integers(10**9, 10**20))
def test_a_longer_number_has_no_code_within(number: int) -> None:
    assert find_code(f"Your code is {number}") is None


LINKS = [
    ("Reset it: https://shop.example/r?t=abc&u=1.", ["https://shop.example/r?t=abc&u=1"]),
    ("(see http://a.example/b)", ["http://a.example/b"]),
    ("https://en.example/wiki/Kampala_(city), or", ["https://en.example/wiki/Kampala_(city)"]),
    ("<https://a.example/x>", ["https://a.example/x"]),
    ('"https://a.example/x"!', ["https://a.example/x"]),
    ("‘https://a.example/x’", ["https://a.example/x"]),
    ("HTTPS://A.EXAMPLE/X?", ["HTTPS://A.EXAMPLE/X"]),
    (
        "http://localhost:3000/a#b, https://[::1]:8/c",
        ["http://localhost:3000/a#b", "https://[::1]:8/c"],
    ),
    ("https://a.example https://b.example", ["https://a.example", "https://b.example"]),
    ("[link](https://a.example/x)", ["https://a.example/x"]),
    ("https://a.example/x...", ["https://a.example/x"]),
    ("ftp://a.example, www.a.example, https://", []),
]


@pytest.mark.parametrize(("text", "links"), LINKS)
def test_a_link_is_the_url_without_surrounding_punctuation(text: str, links: list[str]) -> None:
    assert find_links(text) == links


@composite
def urls(draw):
    path = draw(from_regex(r"(/[a-z0-9_-]{1,8}){0,3}(\?[a-z]=[a-z0-9%]{1,8})?", fullmatch=True))
    return f"https://shop.example{path}"


@given(
    url=urls(),
    around=sampled_from(
        ["{}", "({})", "[{}]", "<{}>", "“{}”", "see {}.", "{}, now", "{}?!", "«{}»"]
    ),
)
def test_a_url_is_found_whatever_stands_around_it(url: str, around: str) -> None:
    assert find_links(around.format(url)) == [url]


@given(text(alphabet="htps:/.a1()[]{}?!,;'\"«» \n"))
@example("https://a.example/((")
@example("https://a.example/[(])")
def test_whatever_the_text_a_link_ends_well_and_its_brackets_are_balanced(any_text: str) -> None:
    for url in find_links("https://" + any_text):
        assert url[-1] not in ".,;:!?'\"([{"
        for opener, closer in ("()", "[]", "{}"):
            assert url.count(closer) <= url.count(opener)
