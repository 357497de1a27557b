"""What happened, told to whoever listens, in the order in which they began to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[object], None]


class Bus:
    """Announces events after they are stored; a listener returns at once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def announce(self, event: object) -> None:
        """Tell every listener."""
        for listener in tuple(self._listeners):
            listener(event)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Let a listener hear what happens inside the block."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
