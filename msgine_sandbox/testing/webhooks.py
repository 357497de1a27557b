"""Webhooks of an account: its endpoints, every attempt to send to them, and sending again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from msgine_sandbox.testing.client import MAX_ENTRIES, AccountClient, parse_time
from msgine_sandbox.testing.journal import Exchange, parse_exchange

_ALL_EVENTS: Final = ("message.sent", "message.delivered", "message.failed")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL that receives webhooks of these events; with a secret they are signed.

    While a secret is replaced, `previous_secret` signs them, too.
    """

    url: str
    events: tuple[str, ...] = _ALL_EVENTS
    secret: str | None = field(default=None, repr=False)
    previous_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to send a webhook.

    `status` and `response` are None if there was no response, and then `error` says why.
    """

    id: str
    event: str
    message_id: str
    url: str
    attempt: int
    """1 for the first attempt."""
    at: datetime
    status: int | None
    duration_ms: float | None
    error: str | None
    webhook_id: str | None
    """The same for all attempts of one webhook; None from a sandbox that does not tell it."""
    signature: str | None
    """`right`, `none` without a secret, `wrong` where that was asked for; None as above."""
    next_attempt_at: datetime | None
    """When the webhook is sent again, on the account's clock; None where that is not planned."""
    request: Exchange
    response: Exchange | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The JSON of the control API that this object was read from."""


class Webhooks:
    """The account's webhook endpoints and attempts; every access asks the sandbox."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    @property
    def endpoints(self) -> list[Endpoint]:
        """The account's endpoints; assign a list to replace them."""
        listed = self._client.get("/webhooks")["endpoints"]
        return [
            Endpoint(raw["url"], tuple(raw["events"]), raw["secret"], raw.get("previousSecret"))
            for raw in listed
        ]

    @endpoints.setter
    def endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        body = [
            {"url": each.url, "events": list(each.events), "secret": each.secret}
            # Left out where there is none, because an earlier sandbox does not know it.
            | ({} if each.previous_secret is None else {"previousSecret": each.previous_secret})
            for each in endpoints
        ]
        self._client.put("/webhooks", {"endpoints": body})

    @property
    def attempts(self) -> list[Attempt]:
        """The newest 1000 attempts, newest first."""
        listed, _ = self._client.get_list("/webhooks/attempts", MAX_ENTRIES, {})
        return [_parse_attempt(raw) for raw in listed]

    def listen(
        self, url: str, events: Iterable[str] | None = None, secret: str | None = None
    ) -> Endpoint:
        """Add an endpoint for some events, or for all, and return it.

        It replaces an endpoint with the same URL.
        """
        added = Endpoint(url, _ALL_EVENTS if events is None else tuple(events), secret)
        self.endpoints = [*(each for each in self.endpoints if each.url != url), added]
        return added

    def resend(self, attempt: Attempt | str) -> Attempt:
        """Send the webhook of an attempt again, at once, and return the new attempt.

        A string is the `id` of an attempt.
        """
        identifier = attempt.id if isinstance(attempt, Attempt) else attempt
        path = f"/webhooks/attempts/{quote(identifier, safe='')}/resend"
        return _parse_attempt(self._client.post(path))


def _parse_attempt(raw: Mapping[str, Any]) -> Attempt:
    response, next_at = raw["response"], raw.get("nextAttemptAt")
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
        webhook_id=raw.get("webhookId"),
        signature=raw.get("signature"),
        next_attempt_at=None if next_at is None else parse_time(next_at),
        request=parse_exchange(raw["request"]),
        response=None if response is None else parse_exchange(response),
        raw=raw,
    )
