"""What happened, told to whoever listens for such a thing, in the order in which they began to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Event = TypeVar("Event")
Listener = Callable[[Any], None]


class Bus:
    """Announces events after they are stored; a listener returns at once."""

    def __init__(self) -> None:
        self._listeners: dict[type, tuple[Listener, ...]] = {}

    def announce(self, event: object) -> None:
        """Tell everybody who listens for events of its kind."""
        for listener in self._listeners.get(type(event), ()):
            listener(event)

    def listen(self, kind: type[Event], listener: Callable[[Event], None]) -> None:
        """Let a listener hear of every event of a kind."""
        self._listeners[kind] = (*self._listeners.get(kind, ()), listener)

    @contextmanager
    def listening(self, listener: Listener, *kinds: type) -> Iterator[None]:
        """Let a listener hear what happens inside the block."""
        for kind in kinds:
            self.listen(kind, listener)
        try:
            yield
        finally:
            for kind in kinds:
                self._listeners[kind] = tuple(
                    each for each in self._listeners[kind] if each is not listener
                )
