"""The processor time of a process, in nanoseconds: what a rate by the clock would mix with others'.

Linux only: it reads `/proc/PID/task/TID/schedstat`, whose first number is the time on a processor.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LOOK = 0.01
"""Seconds between two looks at a process that is to come to rest."""
REST = 0.02
"""Seconds without work after which a process is at rest that plans nothing for later."""
_IDLE = 0.01
"""The share of a processor that an idle server may take, for its timers."""


class CpuClock:
    """The processor time of a process with all its threads, and of its child processes.

    The time of a thread that has ended since the last look is kept, its last moments are lost. Of a
    server that has a thread for each request these are all that counts: `by_ticks` takes the time
    of the whole process, which the system has in hundredths of a second only.
    """

    def __init__(self, process: int, *, by_ticks: bool = False) -> None:
        self._process = process
        self._by_ticks = by_ticks
        self._threads: dict[int, int] = {}

    def nanoseconds(self) -> int:
        """Return the time that it has taken so far."""
        if self._by_ticks:
            return _whole_process(self._process)
        for thread in _threads(self._process):
            with suppress(OSError):  # it has ended meanwhile
                text = (thread / "schedstat").read_text()
                self._threads[int(thread.name)] = int(text.split()[0])
        return sum(self._threads.values())

    def at_rest(self, rest: float = REST, bound: float = 10.0) -> int:
        """Wait until it takes hardly any time for `rest` seconds; return what it has taken so far.

        Raise RuntimeError unless it comes to rest within `bound` seconds: its work would be counted
        for the next burst.
        """
        ends = time.monotonic() + bound
        began, before = time.monotonic(), self.nanoseconds()
        while time.monotonic() < ends:
            time.sleep(_LOOK)
            now, taken = time.monotonic(), self.nanoseconds()
            if taken - before > (now - began) * _IDLE * 1e9:
                began, before = now, taken
            elif now - began >= rest:
                return taken
        raise RuntimeError(f"process {self._process} is still busy after {bound} s")


def _whole_process(process: int) -> int:
    # After the name in parentheses: the 12th and 13th are the times in and for the process.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))


def _threads(process: int) -> Iterator[Path]:
    """Return the folders of the threads of a process and of its children."""
    tasks = Path(f"/proc/{process}/task")
    with suppress(OSError):
        for thread in list(tasks.iterdir()):
            yield thread
            with suppress(OSError):
                for child in (thread / "children").read_text().split():
                    yield from _threads(int(child))
