"""Find the one-time code in the text of a message.

1. A code is a number of 4 to 8 digits of any script that stands for itself, maybe in equal groups
   (`493 817`, `4938-1726`, `4 9 3 8 1 7`) or after one or two letters (`G-493817`). It is no part
   of a word, a link or an address, no phone number, amount, date, time or quantity, and not masked.
2. Words of the lists in `code_words` say what a number is. The nearest one before it in its clause
   counts, unless another number stands between; if there is none, the nearest one after it.
3. A number is none if it directly follows a word for something else, or stands alone with one in
   its clause: `card ending in 1234`, `Help: 100200`. Unless announced, it is none directly before a
   card, an account or an order either: `OTP for 1234 card`. The last digits of a card are a number
   of their own: `OTP for card 1234 567890`.
4. The best remaining number is the code. From the best to the worst (`_Rank`), it is
   - announced: `your code is …`, `PIN: …`, `… is your code`, also where another number comes
     between, as in `OTP for card 1234 is …`;
   - named by a word for a code: `the code for Shop …`;
   - named by both: `use this code for your account: …`;
   - named by nothing;
   - followed by a word for something else: `493817 … your order`.
   Of two such numbers, a year comes last, and then what is farther from a word for a code.
5. A text without any word for a code has one only if a single such number remains, which is no
   year and whose clause has no word for something else before it.

`fixtures/codes.json` has examples of all of this.
"""

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from msgine_sandbox.model.code_forms import (
    NEAR,
    NUMBER,
    code_span,
    is_other,
    is_year,
    looks_like_reference,
    plain,
    span_after_item,
)
from msgine_sandbox.model.code_words import (
    CODE,
    IS,
    ITEM,
    NUMBER_WORDS,
    OTHER,
    all_of,
    pattern,
)

# A clause ends at punctuation before a blank, or in another script. The word after a number has to
# stand in its line and on its side of a bracket as well.
_TOKEN: Final = re.compile(
    rf"""(?P<figure> [0-9]++ (?:[.,:/'\u2019][0-9]++)++ )
    | (?P<number> {NUMBER} )
    | (?P<abbreviation> \b(?:no|nos|nr|num|núm|st|dr|mr|mrs|ms)\. )
    | (?P<other> {pattern(all_of(ITEM, OTHER))} )
    | (?P<code> (?<!\S)@[a-z0-9.-]++(?=\ \#[0-9]) | {pattern(all_of(CODE))} )
    | (?P<clause> [.!?,;](?!\S)
        | [\u3001\u3002\uff01\uff0c\uff1b\uff1f\u060c\u061b\u061f\u06d4\u0964\u1362-\u1364] )
    | (?P<line> [\n()\[\]\u3010\u3011\uff08\uff09] )""",
    re.VERBOSE,
)
"""What a text is read as. `@shop.example #493817` is a line for browsers (WebOTP)."""
_ONLY_LINKING: Final = re.compile(rf"(?:{pattern(f'{NUMBER_WORDS}, {IS}')}|\W)*+")
_ONLY_NUMBER_WORDS: Final = re.compile(rf"(?:{pattern(NUMBER_WORDS)}|[\s.#*])*+")
_ITEM: Final = re.compile(pattern(all_of(ITEM)))
_ITEM_AFTER: Final = re.compile(
    rf" (?:{_ITEM.pattern})(?!(?:{_ITEM.pattern}|{pattern(NUMBER_WORDS)}|[ #*])*+[0-9])"
)  # but not in "493817 order 55512"
_IS_BEFORE: Final = re.compile(rf"(?:[:=-]|{pattern(IS)})\s*[^\w\s]*$")
_IS_AFTER: Final = re.compile(rf"[^\w\s]*\s+(?:[=—-]|{pattern(IS)})")
_BETWEEN: Final = 40
"""Characters between a word and its number, at most, if only number words stand there."""


class _Rank(IntEnum):
    """How likely a number is the code; the best comes first."""

    ANNOUNCED = 0
    NAMED = 1
    NAMED_BY_BOTH = 2
    UNNAMED = 3
    BEFORE_OTHER = 4
    NO_CODE = 5


@dataclass(slots=True)
class _Candidate:
    """A number that has the form of a code."""

    code: str
    start: int
    rank: _Rank
    distance: int
    """Characters to the word that names it, or to any word for a code."""
    is_reference: bool
    """Whether it looks like the number of something; then it is a code only if announced."""
    follows_other: bool
    """Whether its clause has a word for something else before it."""

    @property
    def is_possible(self) -> bool:
        return self.rank < (_Rank.NAMED if self.is_reference else _Rank.NO_CODE)

    @property
    def speaks_for_itself(self) -> bool:
        """Whether it is a code in a text without any word for one."""
        return self.rank == _Rank.UNNAMED and not self.follows_other and not is_year(self.code)

    def order(self) -> tuple[int, bool, int, int]:
        """Return the sort key of candidates: the most likely code sorts first."""
        return self.rank, is_year(self.code), self.distance, self.start


def find_codes(text: str) -> list[str]:
    """Return the digits of each number that can be the one-time code, the most likely one first.

    They are 4 to 8 each, in ASCII.
    """
    reader = _Reader(plain(text))
    found = [each for each in reader.candidates() if each.is_possible]
    if not reader.code_words:
        found = found if len(found) == 1 and found[0].speaks_for_itself else []
    return list(dict.fromkeys([each.code for each in sorted(found, key=_Candidate.order)]))


class _Reader:
    """Reads a text once, and ranks its numbers."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.code_words: list[int] = []
        """Where each word for a code begins."""
        self._candidates: list[_Candidate] = []
        self._clause_has_code = self._clause_has_other = False
        self._word: re.Match[str] | None = None
        """The last word in this clause, unless a number follows it."""
        self._waiting: _Candidate | None = None
        """The last number, if the next word in its clause can say what it is."""
        self._waiting_is = False
        """Whether a word such as "is" follows that number."""

    def candidates(self) -> Sequence[_Candidate]:
        """Return the numbers that have the form of a code, in order."""
        for token in _TOKEN.finditer(self._text):
            kind = token.lastgroup
            if kind in {"code", "other"}:
                self._add_word(token)
            elif kind in {"figure", "number"}:
                self._add_number(token)
            elif kind in {"clause", "line"}:
                self._waiting = None
            if kind == "clause":
                self._word, self._clause_has_code, self._clause_has_other = None, False, False
        for each in self._candidates:
            if each.rank in {_Rank.UNNAMED, _Rank.BEFORE_OTHER}:
                each.distance = self._distance(each.start)
        return self._candidates

    def _add_word(self, word: re.Match[str]) -> None:
        is_code = word.lastgroup == "code"
        if is_code:
            self.code_words.append(word.start())
            self._clause_has_code = True
        else:
            self._clause_has_other = True
        self._word = word
        number, self._waiting = self._waiting, None
        if number is None:
            return
        if is_code:
            number.rank = _Rank.ANNOUNCED if self._waiting_is else _Rank.NAMED
            number.distance = word.start() - number.start
        elif number.rank == _Rank.UNNAMED:
            number.rank = _Rank.NO_CODE if self._waiting_is else _Rank.BEFORE_OTHER

    def _add_number(self, number: re.Match[str]) -> None:
        rank, word = self._rank_before(number.start()), self._word
        self._word = self._waiting = None
        span = None
        if number.lastgroup == "number":
            span = code_span(number, is_announced=rank == _Rank.ANNOUNCED)
            if span is None and word and self._clause_has_code and _ITEM.fullmatch(word[0]):
                rank, span = _Rank.UNNAMED, span_after_item(number)
        if span is None:
            return
        start, end = span
        before, after = self._text[max(start - NEAR, 0) : start], self._text[end : end + NEAR]
        code = re.sub("[^0-9]", "", self._text[start:end])
        if is_other(code, before, after):
            return
        if rank != _Rank.ANNOUNCED and _ITEM_AFTER.match(self._text, end):
            rank = _Rank.NO_CODE
        distance = start - word.end() if word else 0
        is_reference = looks_like_reference(before, after)
        other = self._clause_has_other
        candidate = _Candidate(code, start, rank, distance, is_reference, other)
        self._candidates.append(candidate)
        self._waiting_is = _IS_AFTER.match(after) is not None
        if rank == _Rank.UNNAMED or (self._waiting_is and rank != _Rank.ANNOUNCED):
            self._waiting = candidate

    def _rank_before(self, start: int) -> _Rank:
        """Return what the clause before a number says about it."""
        word = self._word
        says_is = _IS_BEFORE.search(self._text, max(start - NEAR, 0), start) is not None
        if word is None:
            return _Rank.ANNOUNCED if says_is and self._clause_has_code else _Rank.UNNAMED
        between = self._text[word.end() : start] if start - word.end() < _BETWEEN else None
        if word.lastgroup == "code":
            is_next = between is not None and _ONLY_LINKING.fullmatch(between)
            return _Rank.ANNOUNCED if says_is or is_next else _Rank.NAMED
        is_next = between is not None and _ONLY_NUMBER_WORDS.fullmatch(between)
        if is_next or not self._clause_has_code:
            return _Rank.NO_CODE
        return _Rank.NAMED_BY_BOTH

    def _distance(self, start: int) -> int:
        """Return how far the nearest word for a code is from a position."""
        at = bisect(self.code_words, start)
        return min([abs(each - start) for each in self.code_words[max(at - 1, 0) : at + 1]] or [0])
