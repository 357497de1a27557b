"""What the sandbox lists, newest first, as a sequence that is fetched anew at every look."""

from collections.abc import Iterator
from typing import Generic, TypeVar, overload

from msgine_sandbox.testing.caller import MANY

T = TypeVar("T")

Entries = list[T]
"""`list`, under a name that a class with a method `list` can still use."""


class Listing(Generic[T]):
    """A list that lives in the sandbox; a look at it gives its newest entries."""

    most = MANY
    """How many a look gives at most."""

    def _newest(self, limit: int) -> tuple[list[T], int]:
        """Give the newest entries, and how many there are in all."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[T]:
        return iter(self._newest(self.most)[0])

    def __len__(self) -> int:
        return self._newest(1)[1]

    def __bool__(self) -> bool:
        return len(self) > 0

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        return self._newest(self.most)[0][at]

    def __repr__(self) -> str:
        return repr(list(self))
