"""Standard error: lines written once a turn of the event loop, by a writer that never waits.

Everything that the process says there while it serves goes through one `StandardErrorStream`: the
log of requests, and what Python and its libraries write to `sys.stderr`. So no line is written into
the middle of another, and a pipe that nobody reads cannot stop the server.
"""

import asyncio
import errno
import io
import os
import select
import stat
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final, TextIO

from msgine_sandbox.model.characters import printable

MAX_PENDING: Final = 64 * 1024
"""Bytes that wait until they can be written; further lines are dropped."""
_INDENT: Final = "    "
_RETRY: Final = 0.1  # seconds until a blocked descriptor is tried again
_CHUNK: Final = getattr(select, "PIPE_BUF", 512)
"""Bytes that a descriptor takes at once if it takes any: POSIX says so of pipes."""
_PASSING: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOSPC})
"""Errors after which the descriptor may take text again later."""


class StandardErrorStream(io.TextIOBase):
    """Writes whole lines to a stream's descriptor, and drops and counts those that do not fit.

    Once the descriptor is closed or broken, nothing is written any more, and nothing is raised.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """Write to the descriptor of a stream; None, which has none, is closed."""
        self._fd = None if stream is None else _own_descriptor(stream)
        self.is_terminal = self._fd is not None and os.isatty(self._fd)
        self._may_wait = self._fd is not None and not _never_waits(self._fd)
        self._pending = bytearray()
        self._dropped = 0
        self._unfinished = ""
        self._is_scheduled = False
        # Threads may write as well. Reentrant, because the garbage collector may run anywhere, and
        # what it frees may write a warning.
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Write text of any origin, with all but its line breaks made printable.

        The last line is held back until it is complete. Lines after the first one are indented,
        such as those of a traceback: the text of an exception may quote a client, and what follows
        a line break in it must not look like a line of the log.
        """
        with self._lock:
            first, *others = text.split("\n")
            *lines, self._unfinished = [
                self._unfinished + first,
                *(line and f"{_INDENT}{line}" for line in others),
            ]
            for line in lines:
                self._add(printable(line))
        return len(text)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines that have been made printable already, and may be coloured."""
        with self._lock:
            for line in lines:
                self._add(line)

    def flush(self) -> None:
        """Write as much as the descriptor takes now."""
        with self._lock:
            try:
                while self._fd is not None and (self._pending or self._dropped):
                    if self._may_wait and not _takes_text(self._fd):
                        return
                    self._write_chunk(self._fd)
            except OSError as error:
                if error.errno not in _PASSING:
                    self._give_up()

    def close(self) -> None:
        """Write what is left, as far as the descriptor takes it now."""
        if self.closed:
            return
        if self._unfinished:
            self.write("\n")
        super().close()  # flushes
        self._give_up()

    def _add(self, line: str) -> None:
        if self._fd is None:
            return
        data = line.encode(errors="backslashreplace") + b"\n"
        # Once a line is dropped, so are those after it until the rest is written: one gap only.
        if self._pending and (self._dropped or len(self._pending) + len(data) > MAX_PENDING):
            self._dropped += 1
            return
        self._pending += data
        if not self._is_scheduled:
            self._schedule()

    def _schedule(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # before and after serving, and in other threads
            self.flush()
        else:
            self._is_scheduled = True
            loop.call_soon(self._write_turn, loop)

    def _write_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write the lines of a turn; if not all can be written, try again after a while.

        The loop could report when the descriptor takes text again, but uvloop would make it
        non-blocking for that, also for every other process that has it.
        """
        self.flush()
        self._is_scheduled = bool(self._pending or self._dropped)
        if self._is_scheduled:
            loop.call_later(_RETRY, self._write_turn, loop)

    def _write_chunk(self, fd: int) -> None:
        if not self._pending:
            lines = "1 line was" if self._dropped == 1 else f"{self._dropped} lines were"
            notice = f"{lines} dropped here, because standard error did not take them\n"
            self._pending += notice.encode()
            self._dropped = 0
        chunk = self._pending
        if len(chunk) > _CHUNK:
            # Whole lines, because other processes may write to the descriptor as well.
            chunk = chunk[: chunk.rfind(b"\n", 0, _CHUNK) + 1 or _CHUNK]
        del self._pending[: os.write(fd, chunk)]

    def _give_up(self) -> None:
        self._pending.clear()
        self._dropped = 0
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _own_descriptor(stream: TextIO) -> int | None:
    """Return a descriptor for what a stream writes to, or None if there is none.

    A terminal that is ready for one byte may block a write of two, so it is opened once more, as
    non-blocking. Setting that on the descriptor itself would set it for all processes that have it.
    """
    try:
        stream.flush()
        fd = stream.fileno()
        if sys.platform != "win32" and os.isatty(fd):
            with suppress(OSError):  # a container may have a terminal without its name
                return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        return os.dup(fd)
    except (OSError, ValueError):
        return None


def _never_waits(fd: int) -> bool:
    """Return whether no write waits: to a file, or where the descriptor is non-blocking."""
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return True
    return sys.platform != "win32" and not os.get_blocking(fd)


def _takes_text(fd: int) -> bool:
    # On Windows `select` knows sockets only, so that a write may wait there.
    return sys.platform == "win32" or bool(select.select([], [fd], [], 0)[1])


def takes_colours(output: StandardErrorStream, environment: Mapping[str, str]) -> bool:
    """Return whether to write in colours: to a terminal, unless NO_COLOR or TERM forbids it."""
    return (
        output.is_terminal
        and sys.platform != "win32"  # whose consoles interpret colours only if asked to
        and not environment.get("NO_COLOR")
        and environment.get("TERM") != "dumb"
    )
