"""Calls that block an event loop, in which a webhook receiver of the tests may have to run."""

from __future__ import annotations

import sys
import warnings
from typing import Final

WARN_AFTER: Final = 1.0
"""Seconds after which a call that blocks an event loop is warned about."""


def runs_in_event_loop() -> bool:
    """Return whether an event loop of asyncio runs in this thread."""
    asyncio = sys.modules.get("asyncio")  # without it there is no loop, and importing it takes long
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def warn_of_blocking() -> None:
    """Warn that a call blocks the event loop; the warning is about the line that calls us."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(__package__):
        level, frame = level + 1, frame.f_back
    warnings.warn(
        "This call blocks the event loop: nothing else in the loop runs until the sandbox answers, "
        "such as a webhook receiver. Use `await asyncio.to_thread(...)` for it.",
        RuntimeWarning,
        stacklevel=level,
    )
