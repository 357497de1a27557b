"""Regular expressions of callers, matched on a thread of their own and for a bounded time.

`re` cannot be stopped, and some expressions take exponential time. The package `regex` stops after
a timeout, and can leave Python to other threads meanwhile, so that the event loop goes on.
"""

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from time import thread_time
from typing import Any, Final

from msgine_sandbox.model.errors import InvalidRequest

MAX_LENGTH: Final = 1000
"""Characters of a regular expression."""
MAX_SECONDS: Final = 0.1
"""Seconds of processor time for one call, over all texts that it looks at."""
MAX_COPIES: Final = 10_000
_SHORT: Final = 4096
"""Characters of a text that is first searched without leaving Python to other threads."""
_FIRST_TRY: Final = 0.002
"""Seconds of that: the loop waits for it, and to leave Python for each text would take longer."""


class Pattern:
    """A regular expression of one call, with the processor time that the call has left."""

    def __init__(
        self, text: str, regex: Any, max_seconds: float, thread: ThreadPoolExecutor
    ) -> None:
        self._text = text
        self._regex = regex
        self._left = max_seconds
        self._max_seconds = max_seconds
        self._thread = thread

    async def found_in(self, texts: Sequence[str]) -> list[bool]:
        """Return for each of many texts whether the expression matches in it.

        Raises:
            InvalidRequest: the call has used up its processor time.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._search_all, texts)

    def _search_all(self, texts: Sequence[str]) -> list[bool]:
        found = []
        for text in texts:
            began = thread_time()
            found.append(self._search(text, began))
            self._left -= thread_time() - began
            if self._left <= 0:
                raise self._too_slow()
        return found

    def _search(self, text: str, began: float) -> bool:
        if len(text) <= _SHORT:
            try:
                return self._regex.search(text, timeout=_FIRST_TRY) is not None
            except TimeoutError:
                pass
        # The timeout is in processor time of the whole process or, on Windows, in real time: what
        # counts is that of this thread, so that it does not depend on what else the machine does.
        timeout = self._left
        while True:
            try:
                return self._regex.search(text, timeout=timeout, concurrent=True) is not None
            except TimeoutError:
                if thread_time() - began >= self._left:
                    raise self._too_slow() from None
                timeout *= 2

    def _too_slow(self) -> InvalidRequest:
        most = f"{self._max_seconds * 1000:g} ms"
        return InvalidRequest(
            f"matches takes more than {most} of processor time: simplify it, or have it compared"
            " with fewer messages by to, contains or since",
            field="matches",
            value=self._text,
            expected=f"a regular expression that takes at most {most} for all messages together",
        )


class Patterns:
    """Compiles regular expressions; one thread does all that takes time, one call after another."""

    def __init__(self, *, max_seconds: float = MAX_SECONDS) -> None:
        self._max_seconds = max_seconds
        self._thread = ThreadPoolExecutor(1, "patterns")  # started when it is first used

    async def compiled(self, text: str) -> Pattern:
        """Return a regular expression for one call.

        Raises:
            InvalidRequest: it is no regular expression, or too long, or its repetitions of groups
                multiply to too much.
        """
        if len(text) > MAX_LENGTH:
            raise InvalidRequest(
                f"matches is longer than {MAX_LENGTH} characters",
                field="matches",
                value=text,
                expected=f"a regular expression of at most {MAX_LENGTH} characters",
            )
        if _copies(text) > MAX_COPIES:
            raise InvalidRequest(
                "matches repeats groups within groups too often",
                field="matches",
                value=text,
                expected=f"counts of repetitions that multiply to less than {MAX_COPIES}",
            )
        loop = asyncio.get_running_loop()
        regex = await loop.run_in_executor(self._thread, _compiled, text)
        return Pattern(text, regex, self._max_seconds, self._thread)


def _compiled(text: str) -> Any:
    import regex  # here, because it takes longer than most answers, and few calls need it

    try:
        return regex.compile(text, regex.VERSION0)
    except Exception as error:  # its parser raises others than its own for some nonsense
        raise InvalidRequest(
            f"matches is not a regular expression: {error}",
            field="matches",
            value=text,
            expected="a regular expression as Python's re takes it",
        ) from error
    finally:
        regex.purge()  # what it keeps of callers' expressions has no bound in bytes


_COMMENT: Final = r"#[^\n]*\n"
_REPETITION: Final = rf"(\)?)(?:\s|{_COMMENT})*+(?:\+|\{{((?:{_COMMENT}|[^,}}#])*+))"
_NO_DIGIT: Final = rf"{_COMMENT}|[^0-9]"


def _copies(pattern: str) -> int:
    """Return at least how many nodes a compiled pattern has: `regex` copies what is repeated.

    `(?:a{100}){100}` has ten thousand. Only a repetition of a group multiplies what is repeated in
    it. What may be a comment or a space in a verbose pattern is taken for one in every pattern, so
    that this is too much rather than too little.
    """
    factors, others = [], 0
    for group, count in re.findall(_REPETITION, pattern):
        digits = re.sub(_NO_DIGIT, "", count).lstrip("0")[:9]
        copies = int(digits) + 1 if digits else 2
        if group:
            factors.append(copies)
        else:
            others += copies
    return prod(factors) * (len(pattern) + others)
