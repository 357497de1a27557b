"""Find the one-time code and the links in the text of a message.

The code is the number that a reader would type, which need not be the first one in the text: it is
not an amount, a phone number, a date or a time. A link is the URL that a phone would open, without
the punctuation of the sentence around it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CODE_LENGTHS: Final = range(4, 9)
_PHONE_LENGTHS: Final = range(9, 16)
_PHONE_STARTS: Final = ("0", "256", "254", "255")  # national, or Uganda, Kenya, Tanzania
_NO_KEYWORD: Final = 1000
"""The distance to the nearest keyword, in characters, where there is none or it is farther away."""
_CONTEXT: Final = _NO_KEYWORD + 100
"""Characters before and after a number that are looked at: a text may have thousands of numbers."""

_URL: Final = re.compile(
    r"\bhttps?://[^\s<>\"\u2018\u2019\u201c\u201d\u00ab\u00bb]+", re.IGNORECASE
)
_SENTENCE_END: Final = ".,;:!?…'([{"
_OPENING: Final = {")": "(", "]": "[", "}": "{"}

# A number as it stands in a text: groups of digits with blanks or dashes between them, and maybe a
# prefix as in +256701234567, G-493817 or ORD-55512. It is not a part of a word, a decimal, a time
# with colons, a date with slashes or a masked number.
_NUMBER: Final = re.compile(
    r"""(?<![\w+*]) (?<![0-9][.,:/]) (?P<prefix>\+|[A-Za-z]{1,9}-)?
        (?P<digits>[0-9]+(?:[ \u00a0-][0-9]+)*) (?![\w*]|[.,:/][0-9])""",
    re.VERBOSE,
)
_GROUP: Final = re.compile(r"[0-9]+")
# Words that speak of a code, in English, Luganda ("koodi") and Swahili ("msimbo", "kodi").
_KEYWORD: Final = re.compile(
    r"""\b(?: codes? | otp | [vtm]?pin | pass(?:code|word|key) | verification | confirmation
        | security | login | log-?in | sign-?in | one[ -]?time | koodi | kodi | msimbo )\b""",
    re.VERBOSE | re.IGNORECASE,
)
# Directly before the code: "code is", "PIN: ", "msimbo ni".
_CODE_BEFORE: Final = re.compile(
    rf"{_KEYWORD.pattern}\W{{0,3}}(?:(?:is|are|was|ni)\b\W{{0,3}})?$", re.VERBOSE | re.IGNORECASE
)
# Directly after it, with a keyword later on: "493817 is your code".
_CODE_AFTER: Final = re.compile(r"^\s+(?:is|ni)\b", re.IGNORECASE)
# The last line of a text for the WebOTP API of browsers: "@shop.example #493817".
_WEB_OTP: Final = re.compile(r"(?:^|\s)@\S+\s+#$")

_MONEY: Final = r"(?:ugx|ushs?|shs?|kes|kshs?|tzs|tshs?|rwf|frw|usd|eur|gbp|[$€£])"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
# Directly before or after a number that is never a code: an amount, a date, a duration, a quantity.
_OTHER_BEFORE: Final = re.compile(
    rf"(?:(?<![a-z]){_MONEY}[\s.:]*|\b{_MONTH}\.?\s+(?:[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s+)?)$",
    re.IGNORECASE,
)
_OTHER_AFTER: Final = re.compile(
    rf"""^(?: /[=-] | \s?% | \s?(?: {_MONEY} | {_MONTH} | shillings? | [ap]\.?m | h(?:rs?|ours?)?
        | min(?:ute)?s? | sec(?:ond)?s? | days? | [km]bs? | gbs? | km | kg | kwh | units? | points?
        )(?![a-z]) )""",
    re.VERBOSE | re.IGNORECASE,
)
# Before the number of something, or a phone number, a time or a year: seldom a code.
_NUMBER_OF: Final = re.compile(
    r"""(?: [\#№] | \b(?: order | invoice | ticket | receipt | ref(?:erence)? | booking | parcel
        | room | account | acc | a/c | trans(?:action)?s? | txn | trx | t?id | meter | policy
        | loan | flight | bal(?:ance)? | box | call | dial | tel | phone | helpline | sms
        | at | by | from | in | of | on | since | to | till | until ) )
        (?: [\s.:\#] | \b(?:nos?|number|num|nr|id|is|ending|in)\b )* $""",
    re.VERBOSE | re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?:19|20)[0-9]{2}")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A number that may be the code, with the text before and after it."""

    code: str
    before: str
    after: str
    has_long_prefix: bool  # as in ORD-1234, but not in G-123456

    @property
    def is_announced(self) -> bool:
        """Whether the text calls this number a code right before or after it."""
        return bool(
            _CODE_BEFORE.search(self.before)
            or _WEB_OTP.search(self.before)
            or (_CODE_AFTER.match(self.after) and _KEYWORD.search(self.after))
        )

    @property
    def is_something_else(self) -> bool:
        """Whether it is an amount, a date, a duration or a quantity, which is never a code."""
        return bool(_OTHER_BEFORE.search(self.before) or _OTHER_AFTER.match(self.after))

    @property
    def is_doubtful(self) -> bool:
        """Whether it is more likely the number of something, or a year."""
        other = self.has_long_prefix or _NUMBER_OF.search(self.before) or _YEAR.fullmatch(self.code)
        return bool(other) and not self.is_announced

    def rank(self) -> tuple[bool, bool, int]:
        """Return the sort key of candidates: the most likely code sorts first."""
        return self.is_doubtful, not self.is_announced, self.distance()

    def distance(self) -> int:
        """Return the number of characters between this number and the nearest keyword."""
        before = [len(self.before) - keyword.end() for keyword in _KEYWORD.finditer(self.before)]
        after = [keyword.start() for keyword in _KEYWORD.finditer(self.after)]
        return min([*before, *after, _NO_KEYWORD])


def find_code(text: str) -> str | None:
    """Return the digits of the one-time code in a text, 4 to 8 of them, or None."""
    # Blanks instead of each URL, so that its digits are no candidates and distances stay.
    without_urls = _URL.sub(lambda url: " " * len(url[0]), text)
    candidates = [each for each in _candidates(without_urls) if not each.is_something_else]
    best = min(candidates, key=_Candidate.rank, default=None)
    if best is None or (best.is_doubtful and best.distance() == _NO_KEYWORD):
        return None
    return best.code


def find_links(text: str) -> list[str]:
    """Return the http and https URLs in a text, in order."""
    links = (_without_sentence(match[0]) for match in _URL.finditer(text))
    return [link for link in links if not link.endswith("://")]


def _candidates(text: str) -> Iterator[_Candidate]:
    for number in _NUMBER.finditer(text):
        announced = bool(_CODE_BEFORE.search(_before(text, number.start())))
        for start, end in _code_spans(number, announced=announced):
            code = "".join(_GROUP.findall(text[start:end]))
            if len(code) in _CODE_LENGTHS:
                has_long_prefix = len(number["prefix"] or "") > len("FB-")
                before = _before(text, min(start, number.start()))  # without the prefix
                yield _Candidate(code, before, text[end : end + _CONTEXT], has_long_prefix)


def _before(text: str, position: int) -> str:
    return text[max(position - _CONTEXT, 0) : position]


def _code_spans(number: re.Match[str], *, announced: bool) -> list[tuple[int, int]]:
    """Return where codes may start and end within groups of digits."""
    start, end = number.span("digits")
    digits = number["digits"]
    groups = _GROUP.findall(digits)
    sizes, total = {len(group) for group in groups}, sum(map(len, groups))
    if number["prefix"] == "+" or _is_date(digits, groups):
        return []
    if len(groups) == 1 or (total in _CODE_LENGTHS and _is_one_code(digits, groups)):
        return [(start, end)]
    spans = [(start + group.start(), start + group.end()) for group in _GROUP.finditer(digits)]
    if announced and len(groups[0]) in _CODE_LENGTHS:
        # "Your code is 4938 0772 123 456": what follows the announced code is another number.
        return spans[:1]
    is_phone = total in _PHONE_LENGTHS and digits.startswith(_PHONE_STARTS)
    is_card_or_meter = len(sizes) == 1 and len(groups) > 2 and total > max(_CODE_LENGTHS)
    return [] if is_phone or is_card_or_meter else spans


def _is_one_code(digits: str, groups: list[str]) -> bool:
    """Return whether groups of digits are one code, as in 493 817, 4938-1726 or 49 38 17."""
    size = len(groups[0])
    if any(len(group) != size for group in groups):
        return False
    return size > 2 or (len(groups) > 2 and "-" not in digits)


def _is_date(digits: str, groups: list[str]) -> bool:
    return digits.count("-") == 2 and sorted(map(len, groups)) in ([2, 2, 2], [2, 2, 4], [1, 2, 4])


def _without_sentence(url: str) -> str:
    """Return a URL without the punctuation of the sentence that it ends, or is enclosed in."""
    scheme = url.index("://") + len("://")
    return url[:scheme] + _cut_at_unopened(url[scheme:]).rstrip(_SENTENCE_END)


def _cut_at_unopened(text: str) -> str:
    """Return the text up to a closing bracket that none of its brackets opens."""
    opened: list[str] = []
    for index, character in enumerate(text):
        if character in _OPENING.values():
            opened.append(character)
        elif character in _OPENING and (not opened or opened.pop() != _OPENING[character]):
            return text[:index]
    return text
