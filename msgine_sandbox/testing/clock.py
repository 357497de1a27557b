"""The account's clock: a test moves it instead of waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from msgine_sandbox.testing.client import AccountClient, format_time, parse_time

_LONGEST_JOURNEY: Final = 600.0  # seconds; receivers that hang make one long


class Clock:
    """The account's time, which never goes back."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    @property
    def now(self) -> datetime:
        """The account's time."""
        return parse_time(self._client.get("/clock")["now"])

    @property
    def is_frozen(self) -> bool:
        """Whether nothing happens by itself."""
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
        """Let time pass, and all that falls due with it; tell how many steps that were.

        When it is back, statuses have changed and webhooks have been sent.

        Raises:
            ValueError: `to` has no time zone, or comes with a duration.
        """
        by = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if to is not None and by:
            raise ValueError("Say either how much time is to pass, or until when")
        body = {"seconds": by.total_seconds()} if to is None else {"to": format_time(to)}
        moved = self._client.post("/clock/advance", body, timeout=_LONGEST_JOURNEY)
        return int(moved["performed"])

    def freeze(self) -> None:
        """Let nothing happen by itself, until `resume`."""
        self._client.post("/clock/freeze")

    def resume(self) -> None:
        """Let time run on from where it stands."""
        self._client.post("/clock/resume")

    @contextmanager
    def frozen(self) -> Iterator["Clock"]:
        """Freeze inside the block; a clock that was frozen before stays so."""
        was_frozen = self.is_frozen
        self.freeze()
        try:
            yield self
        finally:
            if not was_frozen:
                self.resume()
