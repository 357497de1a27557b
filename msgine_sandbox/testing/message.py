"""A message as it was when it was looked at, and the verbs that move it on by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgine_sandbox.testing.client import AccountClient, parse_time, without_none
from msgine_sandbox.testing.code import find_code
from msgine_sandbox.testing.errors import NoCode, SandboxError
from msgine_sandbox.testing.links import find_links

_WAY_TO: Final[Mapping[str, Mapping[str, str]]] = {
    "sent": {"queued": "pending", "pending": "sent"},
    "delivered": {"queued": "pending", "pending": "sent", "sent": "delivered"},
    "failed": {"queued": "pending", "pending": "failed", "sent": "failed"},
}
"""The next status on the way to another."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient's delivery; `reason` says why it failed."""

    to: str
    status: str
    reason: str | None
    timeline: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; a value, so look again with `refresh` once it has moved on."""

    id: str
    sid: str
    channel: str
    """`sms`, `email` or `push`."""
    to: tuple[str, ...]
    """Numbers, addresses, or what a push goes to."""
    sender: str
    text: str
    """What a person reads; of an email that is HTML alone, its text."""
    title: str | None
    """The subject of an email, the title of a push."""
    status: str
    cost: Decimal
    currency: str
    created_at: datetime
    updated_at: datetime
    scheduled_at: datetime | None
    """When it is to be sent, if that is later than it was accepted."""
    sent_at: datetime | None
    recipients: tuple[Recipient, ...]
    """Everybody whom it goes to, `cc` and `bcc` of an email included."""
    segments: int
    encoding: str | None
    html: str | None
    data: Mapping[str, str]
    """What an app gets with a push."""
    request_id: str
    timeline: tuple[Mapping[str, Any], ...] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """All that the sandbox said, by its own names."""
    _client: AccountClient = field(repr=False, compare=False)

    @property
    def code(self) -> str:
        """The one-time code in the text, or else in the title, its digits only.

        Raises:
            NoCode: there is none.
        """
        found = find_code(self.text) or find_code(self.title or "")
        if found is None:
            raise NoCode(f"There is no one-time code in {self.text!r}")
        return found

    @property
    def links(self) -> list[str]:
        """The http and https URLs in the text and behind the links of the HTML, in order."""
        return list(dict.fromkeys([*find_links(self.text), *self.raw.get("links", ())]))

    def refresh(self) -> Message:
        """Give the message as it is now."""
        return message_of(self._client.get(f"/messages/{self.id}"), self._client)

    def mark_sent(self, to: str | None = None) -> Message:
        """Hand it to the carrier, for one recipient or all; give it as it is then."""
        return self._bring("sent", to)

    def deliver(self, to: str | None = None) -> Message:
        """Deliver it, for one recipient or all; give it as it is then."""
        return self._bring("delivered", to)

    def fail(self, to: str | None = None) -> Message:
        """Let it fail, for one recipient or all; give it as it is then."""
        return self._bring("failed", to)

    def _bring(self, goal: str, to: str | None) -> Message:
        message = self.refresh()
        for number in [each.to for each in message.recipients] if to is None else [to]:
            while (status := message._status_of(number)) != goal:
                # From a final status there is no way, and the sandbox says so.
                step = _WAY_TO[goal].get(status, goal)
                message = message._drive(step, number)
        return message

    def _drive(self, status: str, to: str) -> Message:
        body = without_none({"status": status, "to": to})
        try:
            return message_of(self._client.post(f"/messages/{self.id}/status", body), self._client)
        except SandboxError:
            fresh = self.refresh()
            if fresh._status_of(to) == self._status_of(to):
                raise
            return fresh  # the carrier was faster

    def _status_of(self, number: str) -> str:
        for recipient in self.recipients:
            if recipient.to == number:
                return recipient.status
        return ""


def message_of(raw: Mapping[str, Any], client: AccountClient) -> Message:
    """Read a message's full view."""
    return Message(
        id=raw["id"],
        sid=raw["sid"],
        channel=raw["channel"],
        to=tuple(raw["to"]),
        sender=raw["from"],
        text=raw["message"],
        title=raw.get("subject", raw.get("title")),
        status=raw["status"],
        cost=Decimal(str(raw["cost"])),
        currency=raw["currency"],
        created_at=parse_time(raw["createdAt"]),
        updated_at=parse_time(raw["updatedAt"]),
        scheduled_at=_instant(raw["scheduledAt"]),
        sent_at=_instant(raw["sentAt"]),
        recipients=tuple(_recipient(each) for each in raw["recipients"]),
        segments=raw.get("segments", 1),
        encoding=raw.get("encoding"),
        html=raw.get("html"),
        data=raw.get("data", {}),
        request_id=raw["requestId"],
        timeline=tuple(raw["timeline"]),
        raw=raw,
        _client=client,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _recipient(raw: Mapping[str, Any]) -> Recipient:
    return Recipient(raw["to"], raw["status"], raw["reason"], tuple(raw["timeline"]))
