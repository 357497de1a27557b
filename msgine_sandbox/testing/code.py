"""Finding the one-time code in a text: what a person would type, not the first digits that come."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from msgine_sandbox.testing.links import URL

_LENGTHS: Final = range(4, 9)
_PHONE_LENGTHS: Final = range(9, 16)
_FAR: Final = 1000

_CHUNK: Final = re.compile(
    r"""(?<![\w+*]) (?<![0-9][.,:/]) (?P<mark>\+|[A-Za-z]{1,9}-)?
        (?P<digits>[0-9]+(?:[ \u00a0-][0-9]+)*) (?![\w*]|[.,:/][0-9])""",
    re.VERBOSE,
)
_GROUP: Final = re.compile(r"[0-9]+")
_WORD: Final = re.compile(
    r"""\b(?: codes? | otp | [vtm]?pin | pass(?:code|word|key) | verification | confirmation
        | security | login | log-?in | sign-?in | one[ -]?time | koodi | kodi | msimbo )\b""",
    re.VERBOSE | re.IGNORECASE,
)
_ANNOUNCED: Final = re.compile(
    rf"{_WORD.pattern}\W{{0,3}}(?:(?:is|are|was|ni)\b\W{{0,3}})?$", re.VERBOSE | re.IGNORECASE
)
_INTRODUCED: Final = re.compile(r"^\s+(?:is|ni)\b", re.IGNORECASE)
_WEB_OTP: Final = re.compile(r"(?:^|\s)@\S+\s+#$")

_MONEY: Final = r"(?:ugx|ushs?|shs?|kes|kshs?|tzs|tshs?|rwf|frw|usd|eur|gbp|[$€£])"
_MONTH: Final = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
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
_NUMBERED: Final = re.compile(
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
    code: str
    before: str
    after: str
    marked: bool  # as in ORD-1234, but not in G-123456

    @property
    def is_announced(self) -> bool:
        """Tell whether the text says right here that this is it."""
        return bool(
            _ANNOUNCED.search(self.before)
            or _WEB_OTP.search(self.before)
            or (_INTRODUCED.match(self.after) and _WORD.search(self.after))
        )

    @property
    def is_something_else(self) -> bool:
        """Tell whether it is money, a date, a duration: never a code."""
        return bool(_OTHER_BEFORE.search(self.before) or _OTHER_AFTER.match(self.after))

    @property
    def is_doubtful(self) -> bool:
        """Tell whether it is rather the number of something, or a year."""
        numbered = self.marked or _NUMBERED.search(self.before) or _YEAR.fullmatch(self.code)
        return bool(numbered) and not self.is_announced

    def rank(self) -> tuple[bool, bool, int]:
        """Order candidates, the likeliest first."""
        return self.is_doubtful, not self.is_announced, self.distance()

    def distance(self) -> int:
        """Count the characters to the nearest word that speaks of a code."""
        before = [len(self.before) - found.end() for found in _WORD.finditer(self.before)]
        after = [found.start() for found in _WORD.finditer(self.after)]
        return min([*before, *after, _FAR])


def find_code(text: str) -> str | None:
    """Give the one-time code of 4 to 8 digits that a text tells, or None."""
    plain = URL.sub(lambda url: " " * len(url[0]), text)
    possible = [each for each in _candidates(plain) if not each.is_something_else]
    likeliest = min(possible, key=_Candidate.rank, default=None)
    if likeliest is None or (likeliest.is_doubtful and likeliest.distance() == _FAR):
        return None
    return likeliest.code


def _candidates(text: str) -> Iterator[_Candidate]:
    for chunk in _CHUNK.finditer(text):
        # What is announced is the code, whatever number follows it without a sign between.
        announced = bool(_ANNOUNCED.search(text[: chunk.start()]))
        for start, end in _spans(chunk, announced=announced):
            code = "".join(_GROUP.findall(text[start:end]))
            if len(code) in _LENGTHS:
                marked = len(chunk["mark"] or "") > len("FB-")
                yield _Candidate(code, text[: min(start, chunk.start())], text[end:], marked)


def _spans(chunk: re.Match[str], *, announced: bool) -> list[tuple[int, int]]:
    """Give where codes may be in digits that only blanks and dashes part."""
    start, end = chunk.span("digits")
    groups = _GROUP.findall(chunk["digits"])
    sizes, total = {len(group) for group in groups}, sum(map(len, groups))
    if chunk["mark"] == "+" or _is_date(chunk["digits"], groups):
        return []
    if len(groups) == 1 or (total in _LENGTHS and _is_one_code(chunk["digits"], groups)):
        return [(start, end)]
    is_phone = total in _PHONE_LENGTHS and chunk["digits"].startswith(("0", "256", "254", "255"))
    parts = [
        (start + part.start(), start + part.end()) for part in _GROUP.finditer(chunk["digits"])
    ]
    if announced and len(groups[0]) in _LENGTHS:
        return parts[:1]
    if is_phone or (len(sizes) == 1 and len(groups) > 2 and total > max(_LENGTHS)):
        return []  # a telephone number, or the number of a card or a meter's token
    return parts


def _is_one_code(digits: str, groups: list[str]) -> bool:
    size = len(groups[0])
    if any(len(group) != size for group in groups):
        return False
    return size > 2 or (len(groups) > 2 and "-" not in digits)


def _is_date(digits: str, groups: list[str]) -> bool:
    return digits.count("-") == 2 and sorted(map(len, groups)) in ([2, 2, 2], [2, 2, 4], [1, 2, 4])
