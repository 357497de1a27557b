"""Clock of an account: a test moves it forward instead of waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from msgine_sandbox.testing.client import AccountClient, format_time, parse_time

ADVANCE_TIMEOUT: Final = 600.0  # seconds; each webhook endpoint that hangs takes up to 15


class Clock:
    """The account's time; it never goes back."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    @property
    def now(self) -> datetime:
        """The account's time, in UTC."""
        return parse_time(self._client.get("/clock")["now"])

    @property
    def is_frozen(self) -> bool:
        """Whether the clock stands still until it is advanced."""
        return bool(self._client.get("/clock")["frozen"])

    def advance(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        to: datetime | None = None,
    ) -> int:
        """Move the clock forward, perform everything that falls due, and return how many steps.

        When it returns, statuses have changed and webhooks have been sent and answered.

        Raises:
            ValueError: `to` has no time zone, or a duration is given as well.
            SandboxError: the clock would go back.
        """
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if to is not None and duration:
            raise ValueError("Pass either a duration or `to`, not both")
        body = {"seconds": duration.total_seconds()} if to is None else {"to": format_time(to)}
        advanced = self._client.post("/clock/advance", body, timeout=ADVANCE_TIMEOUT)
        return int(advanced["performed"])

    def freeze(self) -> None:
        """Stop the clock until `resume`; `advance` still moves it."""
        self._client.post("/clock/freeze")

    def resume(self) -> None:
        """Let the clock run again from the time it shows."""
        self._client.post("/clock/resume")

    @contextmanager
    def frozen(self) -> Iterator[Clock]:
        """Freeze the clock inside the block; afterwards it runs again if it ran before."""
        was_frozen = self.is_frozen
        self.freeze()
        try:
            yield self
        finally:
            if not was_frozen:
                self.resume()
