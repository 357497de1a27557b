"""Processes in which the Python client runs sandboxes (Linux)."""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path


def sandbox_children(of: int | None = None, besides: Collection[int] = ()) -> list[int]:
    """Return the process ids of the sandboxes that a process has started, this one by default."""
    parent = os.getpid() if of is None else of
    return [
        process
        for process in (int(each.name) for each in Path("/proc").glob("[0-9]*"))
        if process not in besides
        and _parent(process) == parent
        and "msgine_sandbox" in arguments(process)
    ]


def arguments(process: int) -> list[str]:
    """Return the command line of a process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    return []


def _parent(process: int) -> int | None:
    with contextlib.suppress(OSError):
        # After the name, which may contain anything, and is in parentheses.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return None
