"""Clock of an account: a test moves it forward instead of waiting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgine_sandbox.testing.client import AccountClient, format_time, parse_time

ADVANCE_TIMEOUT: Final = 600.0  # seconds; each webhook endpoint that hangs takes up to 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due next on an account's clock."""

    at: datetime
    in_seconds: float
    """From the account's time on."""
    what: str
    """`status`, `scheduled` (the time of a scheduled message) or `webhook`."""
    message_id: str
    status: str | None
    """That begins; None for a webhook."""
    event: str | None
    """Of a webhook, as `attempt` is."""
    attempt: int | None


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

    @property
    def next(self) -> Due | None:
        """What is due next; None where nothing is."""
        return _parse_due(self._client.get("/clock")["next"])

    def advance(
        self,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        to: datetime | None = None,
        until: Literal["idle", "next"] | None = None,
    ) -> int:
        """Move the clock forward and perform everything that falls due.

        Return how many statuses began and webhooks were sent; the receivers have answered by then.
        Until `next`, what is due at the next instant is performed; until `idle`, everything that is
        due, until nothing more is due within 24 hours. The clock then stands at the last of it.

        Raises:
            TypeError: `to` is no datetime.
            ValueError: `to` has no time zone, or more than one of a duration, `to` and `until` is
                given.
            SandboxError: the clock would go back.
        """
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if (to is not None) + (until is not None) + bool(duration) > 1:
            raise ValueError("Pass either a duration, `to` or `until`")
        body: dict[str, Any] = {"seconds": duration.total_seconds()}
        if until is not None:
            body = {"until": until}
        elif to is not None:
            body = {"to": format_time(to)}
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


def _parse_due(raw: Mapping[str, Any] | None) -> Due | None:
    if raw is None:
        return None
    return Due(
        at=parse_time(raw["at"]),
        in_seconds=raw["inSeconds"],
        what=raw["what"],
        message_id=raw["messageId"],
        status=raw.get("status"),
        event=raw.get("event"),
        attempt=raw.get("attempt"),
    )
