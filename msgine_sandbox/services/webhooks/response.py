"""The response of a receiver, as far as it has come."""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from msgine_sandbox.model.webhook import AttemptHttp

_MAX_KEPT: Final = 4096
"""Bytes of a body that are recorded."""


class PartialResponse:
    """As much of a response as has been received when an attempt ends."""

    def __init__(self) -> None:
        self._awaited_since: float | None = None
        self.is_reached = False
        """Whether something is known to listen at the address."""
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        """By lower-case name; the values of one that is repeated are joined."""
        self.body = b""

    @property
    def is_awaited(self) -> bool:
        """Whether the host's addresses are known."""
        return self._awaited_since is not None

    def await_answer(self) -> None:
        """Begin to count how long the receiver takes."""
        self._awaited_since = time.perf_counter()

    def begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Take the head of the response."""
        self.status = status
        self.headers = dict(httpx.Headers(headers).items())

    def waited_ms(self) -> float | None:
        """Return how long the answer has been awaited, or None where nothing was reached."""
        if self._awaited_since is None or not self.is_reached:
            return None
        return (time.perf_counter() - self._awaited_since) * 1000

    def recorded(self) -> AttemptHttp | None:
        """Return what is recorded of it, or None before there is a status."""
        if self.status is None:
            return None
        text = self.body[:_MAX_KEPT].decode(errors="replace")
        return AttemptHttp(headers=self.headers, body=text)
