"""Whether a function takes time in proportion to the length of a text."""

from collections.abc import Callable
from time import thread_time
from typing import Any

_LENGTH = 5_000
_TRIES = 3


def assert_linear(function: Callable[[str], Any], piece: str, *, before: str = "") -> None:
    """Fail if four times as many repetitions of a text take much more than four times as long.

    What takes quadratic time takes sixteen times as long. Only the processor time of this thread is
    compared, and a machine that is disturbed gets more tries.
    """
    texts = [before + piece * (length // len(piece)) for length in (_LENGTH, 4 * _LENGTH)]
    function(texts[0])  # the first call may import and compile
    ratios = []
    for _ in range(_TRIES):
        short, long = (_seconds(function, text) for text in texts)
        if long < 0.005 or long < 9 * short:
            return
        ratios.append(long / short)
    raise AssertionError(f"{piece!r}: four times the length took {ratios} times as long")


def _seconds(function: Callable[[str], Any], text: str) -> float:
    began = thread_time()
    function(text)
    return thread_time() - began
