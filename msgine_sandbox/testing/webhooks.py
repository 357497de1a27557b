"""Who hears of the account's messages, every try to tell them, and telling them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from msgine_sandbox.testing.client import MAX_ENTRIES, AccountClient, parse_time
from msgine_sandbox.testing.journal import Exchange, exchange_of

_EVERY_EVENT: Final = ("message.sent", "message.delivered", "message.failed")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that hears of events; with a secret, what it hears is signed."""

    url: str
    events: tuple[str, ...] = _EVERY_EVENT
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to send a webhook; `status` and `response` are None where no answer came."""

    id: str
    event: str
    message_id: str
    url: str
    attempt: int
    at: datetime
    status: int | None
    duration_ms: float | None
    error: str | None
    request: Exchange
    response: Exchange | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)


class Webhooks:
    """The account's webhooks."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    @property
    def endpoints(self) -> list[Endpoint]:
        """Who hears of events; set it to have others."""
        given = self._client.get("/webhooks")["endpoints"]
        return [Endpoint(each["url"], tuple(each["events"]), each["secret"]) for each in given]

    @endpoints.setter
    def endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        written = [
            {"url": each.url, "events": list(each.events), "secret": each.secret}
            for each in endpoints
        ]
        self._client.put("/webhooks", {"endpoints": written})

    @property
    def attempts(self) -> list[Attempt]:
        """The newest thousand tries, newest first."""
        listed = self._client.get("/webhooks/attempts", {"limit": MAX_ENTRIES})["data"]
        return [attempt_of(each) for each in listed]

    def listen(
        self, url: str, events: Iterable[str] | None = None, secret: str | None = None
    ) -> Endpoint:
        """Let a URL hear of events too, all of them by default."""
        fresh = Endpoint(url, _EVERY_EVENT if events is None else tuple(events), secret)
        self.endpoints = [*(each for each in self.endpoints if each.url != url), fresh]
        return fresh

    def resend(self, attempt: Attempt | str) -> Attempt:
        """Send again, at once, what a try has sent; give the new try."""
        number = attempt.id if isinstance(attempt, Attempt) else attempt
        return attempt_of(self._client.post(f"/webhooks/attempts/{number}/resend"))


def attempt_of(raw: Mapping[str, Any]) -> Attempt:
    """Read a try."""
    response = raw["response"]
    return Attempt(
        id=raw["id"],
        event=raw["event"],
        message_id=raw["messageId"],
        url=raw["url"],
        attempt=raw["attempt"],
        at=parse_time(raw["at"]),
        status=raw["status"],
        duration_ms=raw["durationMs"],
        error=raw["error"],
        request=exchange_of(raw["request"]),
        response=None if response is None else exchange_of(response),
        raw=raw,
    )
