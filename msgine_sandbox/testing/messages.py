"""Messages of an account: list them, wait for one, read one, and change its status by hand."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from msgine_sandbox.model.characters import printable
from msgine_sandbox.testing.client import (
    MAX_ENTRIES,
    AccountClient,
    RemoteList,
    format_time,
    parse_time,
)
from msgine_sandbox.testing.errors import MessageNotFound, NoCode, SandboxError

_MAX_WAIT: Final = 60.0  # seconds; the sandbox refuses to wait longer in one call
_WAIT_MARGIN: Final = 15.0  # seconds that the response may take on top of the wait
_NOT_FOUND: Final = 404
_REQUEST_TIMEOUT: Final = 408
_MAX_LISTED: Final = 10
_MAX_RECIPIENTS: Final = 3
_MAX_RECIPIENT_LENGTH: Final = 40
_MAX_TEXT_LENGTH: Final = 100

_NEXT_STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "sent": {"queued": "pending", "pending": "sent"},
    "delivered": {"queued": "pending", "pending": "sent", "sent": "delivered"},
    "failed": {"queued": "pending", "pending": "failed", "sent": "failed"},
}
"""For each target status: the status that follows the current one on the way to it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient's delivery; `reason` says why it failed, or is None."""

    to: str
    status: str
    reason: str | None
    timeline: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message at the moment of the call that returned it; `refresh` fetches it again."""

    id: str
    sid: str | None
    channel: str
    """`sms`, `email` or `push`."""
    to: tuple[str, ...]
    """Phone numbers or email addresses; for a push device tokens, `user:ID` or `topic:NAME`."""
    sender: str
    text: str
    """The text; for an email that has only HTML, the text of the HTML."""
    title: str | None
    """The subject of an email or the title of a push."""
    status: str
    cost: Decimal
    currency: str
    created_at: datetime
    updated_at: datetime
    scheduled_at: datetime | None
    """When a scheduled message is due to be sent."""
    sent_at: datetime | None
    recipients: tuple[Recipient, ...]
    """Every recipient, including `cc` and `bcc` of an email."""
    segments: int
    encoding: str | None
    """`GSM-7` or `UCS-2` for an SMS, otherwise None."""
    html: str | None
    data: Mapping[str, str]
    """The data that a push carries to the app."""
    request_id: str
    timeline: tuple[Mapping[str, Any], ...] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The JSON of the control API that this object was read from."""
    _client: AccountClient = field(repr=False, compare=False)

    @property
    def code(self) -> str:
        """The one-time code in the text, or else in the title or the HTML; only its digits.

        Raises:
            NoCode: none of them has one.
        """
        from msgine_sandbox.model.codes import find_code  # its expressions take 20 ms
        from msgine_sandbox.model.html_text import html_to_text

        code = find_code(self.text) or find_code(self.title or "")
        if code is None and self.html is not None:
            code = find_code(html_to_text(self.html).text)
        if code is None:
            raise NoCode(f"There is no one-time code in {self.text!r}")
        return code

    @property
    def links(self) -> list[str]:
        """The http and https URLs in the text, then those that the HTML links to, in order."""
        from msgine_sandbox.model.links import find_links

        return list(dict.fromkeys([*find_links(self.text), *self.raw.get("links", ())]))

    def refresh(self) -> Message:
        """Return the message as it is now."""
        return _read_message(self.id, self._client)

    def mark_sent(self, to: str | None = None) -> Message:
        """Set one recipient, or all, to `sent`, and return the message after that.

        Raises:
            SandboxError: a recipient has a status that `sent` cannot follow.
        """
        return self._bring_to("sent", to)

    def deliver(self, to: str | None = None) -> Message:
        """Set one recipient, or all, to `delivered`, and return the message after that.

        Raises:
            SandboxError: a recipient has failed.
        """
        return self._bring_to("delivered", to)

    def fail(self, to: str | None = None) -> Message:
        """Set one recipient, or all, to `failed`, and return the message after that.

        Raises:
            SandboxError: the message was delivered to a recipient.
        """
        return self._bring_to("failed", to)

    def _bring_to(self, target: str, to: str | None) -> Message:
        """Pass through every status up to the target, so that each one sends its webhooks."""
        message = self.refresh()
        for recipient in [each.to for each in message.recipients] if to is None else [to]:
            while (status := message._status_of(recipient)) != target:
                # No status follows a final one: ask for the target, and the sandbox refuses it.
                following = _NEXT_STATUS[target].get(status, target)
                message = message._set_status(following, recipient)
        return message

    def _set_status(self, status: str, to: str) -> Message:
        body = {"status": status, "to": to}
        try:
            raw = self._client.post(f"/messages/{self.id}/status", body)
        except SandboxError:
            current = self.refresh()
            if current._status_of(to) == self._status_of(to):
                raise
            return current  # the carrier changed the status between our two calls
        return _parse_message(raw, self._client)

    def _status_of(self, to: str) -> str:
        """Return a recipient's status; empty for a recipient that the message does not have."""
        return next((each.status for each in self.recipients if each.to == to), "")


class Messages(RemoteList[Message]):
    """The account's messages, newest first; every access asks the sandbox."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def get(self, message_id: str) -> Message:
        """Return the message with the id that the API gave it.

        Raises:
            MessageNotFound: the account has no such message; the error lists those that it has.
            SandboxError: the text is not an id.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test
        self._check_id(message_id)
        try:
            return _read_message(message_id, self._client)
        except SandboxError as error:
            if error.status != _NOT_FOUND:
                raise
        listed, total = self._client.get_list("/messages", _MAX_LISTED, {"view": "summary"})
        raise MessageNotFound(
            f"No message has the id {message_id!r}. {_describe_messages(listed, total)}"
        )

    def list(
        self,
        *,
        id: str | None = None,  # noqa: A002  (its name in the API)
        channel: str | None = None,
        to: str | None = None,
        status: str | None = None,
        q: str | None = None,
        contains: str | None = None,
        matches: str | None = None,
        since: datetime | None = None,
        limit: int = MAX_ENTRIES,
    ) -> builtins.list[Message]:
        """Return the messages that match every given filter, newest first.

        `id` is the id that the API gave a message; `q` searches texts, titles, senders and
        recipients; `contains` and `matches`, a regular expression, search texts and titles; `since`
        is a time of the account's clock.

        Raises:
            SandboxError: a filter has a value that it cannot have, such as an `id` that is none.
            ValueError: `since` has no time zone.
        """
        filters = {
            "id": id,
            "channel": channel,
            "to": to,
            "status": status,
            "q": q,
            "contains": contains,
            "matches": matches,
            "since": None if since is None else format_time(since),
        }
        return self._fetch(limit, filters)[0]

    def wait(self, timeout: float, **wanted: str | None) -> Message:
        """Return the newest message that matches, waiting for one if there is none yet.

        The timeout is in seconds of real time. The filters are those of
        `Account.wait_for_message`.

        Raises:
            MessageNotFound: no such message arrived in time.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test that waits
        for seconds in _split_wait(timeout):
            params = {"timeout": seconds, **wanted}
            try:
                raw = self._client.get("/messages/wait", params, timeout=seconds + _WAIT_MARGIN)
            except SandboxError as error:
                if error.status != _REQUEST_TIMEOUT:
                    raise
                last_error = error
            else:
                return _parse_message(raw, self._client)
        raise MessageNotFound(_describe_timeout(last_error, wanted, timeout)) from None

    def delete(self, message_id: str) -> None:
        """Delete one message.

        Raises:
            SandboxError: the account has no such message, or the text is not an id.
        """
        self._check_id(message_id)
        self._client.delete(f"/messages/{message_id}")

    def clear(self) -> int:
        """Delete all messages and return how many there were."""
        return self._client.delete("/messages")

    def _check_id(self, message_id: str) -> None:
        """Raise SandboxError unless the text has the form of an id.

        In a path, a text such as `wait` would be another call. As in the filter, the sandbox
        decides what an id is; None as a parameter would be left out.
        """
        self._client.get_list("/messages", 1, {"id": str(message_id), "view": "summary"})

    def _fetch_newest(self, limit: int) -> tuple[builtins.list[Message], int]:
        return self._fetch(limit, {})

    def _fetch(
        self, limit: int, filters: Mapping[str, object]
    ) -> tuple[builtins.list[Message], int]:
        listed, total = self._client.get_list("/messages", limit, filters)
        return [_parse_message(raw, self._client) for raw in listed], total


def describe_message(raw: Mapping[str, Any]) -> str:
    """Return one line about a message of the control API: status, recipients, title and text."""
    to = ", ".join(_truncated(each, _MAX_RECIPIENT_LENGTH) for each in raw["to"][:_MAX_RECIPIENTS])
    to += ", …" if len(raw["to"]) > _MAX_RECIPIENTS else ""
    title = raw.get("subject", raw.get("title"))
    text = repr(raw["message"]) if title is None else f"{title!r} {raw['message']!r}"
    return printable(f"{raw['status']:<9} to {to}: {_truncated(text, _MAX_TEXT_LENGTH)}")


def _read_message(message_id: str, client: AccountClient) -> Message:
    return _parse_message(client.get(f"/messages/{message_id}"), client)


def _parse_message(raw: Mapping[str, Any], client: AccountClient) -> Message:
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
        scheduled_at=_parse_optional_time(raw["scheduledAt"]),
        sent_at=_parse_optional_time(raw["sentAt"]),
        recipients=tuple(
            Recipient(each["to"], each["status"], each["reason"], tuple(each["timeline"]))
            for each in raw["recipients"]
        ),
        segments=raw.get("segments", 1),
        encoding=raw.get("encoding"),
        html=raw.get("html"),
        data=raw.get("data", {}),
        request_id=raw["requestId"],
        timeline=tuple(raw["timeline"]),
        raw=raw,
        _client=client,
    )


def _parse_optional_time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _truncated(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


def _split_wait(timeout: float) -> Iterator[float]:
    """Split a wait into parts that the sandbox accepts."""
    while timeout > _MAX_WAIT:
        yield _MAX_WAIT
        timeout -= _MAX_WAIT
    yield timeout


def _describe_timeout(error: SandboxError, wanted: Mapping[str, str | None], timeout: float) -> str:
    """Say what did not arrive, what did, and whether the clock's freeze may be the reason."""
    filters = ", ".join(f"{name}={value!r}" for name, value in wanted.items() if value is not None)
    message = f"No message with {filters}" if filters else "No message"
    frozen = " The clock is frozen: advance it." if "frozen" in error.message else ""
    arrived = error.details.get("arrived", [])
    described = _describe_messages(arrived, len(arrived))
    if not arrived:
        return f"{message} arrived within {timeout:g} s. {described}{frozen}"
    return f"{message} arrived within {timeout:g} s.{frozen} {described}"


def _describe_messages(newest: Sequence[Mapping[str, Any]], total: int) -> str:
    """Return a line for each of the account's newest messages, and say how many more there are."""
    if not newest:
        return "The account has no messages."
    lines = [f"  {describe_message(raw)}" for raw in newest[:_MAX_LISTED]]
    if total > len(lines):
        lines.append(f"  and {total - len(lines)} more")
    return "\n".join(["The account's messages, newest first:", *lines])
