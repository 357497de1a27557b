"""One thing that goes wrong on purpose, and how often it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgine_sandbox.testing.client import AccountClient
from msgine_sandbox.testing.errors import SandboxError

_NOT_FOUND = 404


class Fault:
    """Something that goes wrong; as a context manager it ends with the block."""

    def __init__(self, raw: Mapping[str, Any], client: AccountClient) -> None:
        self._client = client
        self._raw = raw
        self.id = str(raw["id"])

    @property
    def hits(self) -> int:
        """How often it has acted."""
        return int(self._look()["hits"])

    @property
    def left(self) -> int | None:
        """How often it will still act; None is until it is removed."""
        left: int | None = self._look()["left"]
        return left

    @property
    def effect(self) -> Mapping[str, Any]:
        """What goes wrong, as the control API says it."""
        effect: Mapping[str, Any] = self._raw["effect"]
        return effect

    @property
    def match(self) -> Mapping[str, Any]:
        """With what it goes wrong, as the control API says it."""
        match: Mapping[str, Any] = self._raw["match"]
        return match

    def remove(self) -> None:
        """End it; `hits` and `left` stay as they are then."""
        self._look()
        with _unless_gone():
            self._client.delete(f"/faults/{self.id}")

    def __enter__(self) -> Fault:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Fault {self.id} {dict(self.effect)} for {dict(self.match) or 'all'}>"

    def _look(self) -> Mapping[str, Any]:
        with _unless_gone():
            self._raw = self._client.get(f"/faults/{self.id}")
        return self._raw


@contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except SandboxError as error:
        if error.status != _NOT_FOUND:
            raise
