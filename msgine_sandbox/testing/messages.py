"""Messages of an account: list them, wait for one, read one, and change its status by hand."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgine_sandbox.testing.client import (
    MAX_ENTRIES,
    AccountClient,
    RemoteList,
    format_time,
    parse_time,
)
from msgine_sandbox.testing.descriptions import MAX_LISTED, describe_messages, describe_timeout
from msgine_sandbox.testing.errors import MessageNotFound, NoCode, SandboxError

if TYPE_CHECKING:
    from msgine_sandbox.model.contents import Contents

_MAX_WAIT: Final = 60.0  # seconds; the sandbox refuses to wait longer in one call
_WAIT_MARGIN: Final = 15.0  # seconds that the response may take on top of the wait
_MOVE_TIMEOUT: Final = 600.0  # the same where webhooks are sent meanwhile
_NOT_FOUND: Final = 404
_REQUEST_TIMEOUT: Final = 408

_NEXT_STATUS: Final[Mapping[str, Mapping[str, str]]] = {
    "sent": {"queued": "pending", "pending": "sent"},
    "delivered": {"queued": "pending", "pending": "sent", "sent": "delivered"},
    "failed": {"queued": "pending", "pending": "failed", "sent": "failed"},
}
"""For each target status: the status that follows the current one on the way to it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient's delivery; `reason` says why it failed, or is None.

    `rule` is the id of the fault or the name of the magic recipient that decided it, or None.
    """

    to: str
    status: str
    reason: str | None
    timeline: tuple[Mapping[str, Any], ...]
    rule: str | None = None


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
    traceparent: str | None
    """The trace context of the request that sent it, if that had any; its webhooks carry it."""
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
        for code in self.codes:
            return code
        raise NoCode(f"There is no one-time code in {self.text!r}")

    @property
    def codes(self) -> list[str]:
        """Every number that can be the code, the most likely one first; empty if there is none."""
        return list(self._contents.codes)

    @property
    def links(self) -> list[str]:
        """The http and https URLs in the text, then those that the HTML links to, in order."""
        return list(self._contents.links)

    @property
    def _contents(self) -> Contents:
        from msgine_sandbox.model.contents import contents_of  # its expressions take 20 ms

        # Not those of the sandbox, because lists do not have them.
        return contents_of(self.text, self.title, self.html, self.raw.get("links", ()))

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
        listed, total = self._client.get_list("/messages", MAX_LISTED, {"view": "summary"})
        raise MessageNotFound(
            f"No message has the id {message_id!r}. {describe_messages(listed, total)}"
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
        filters = _filters(id, channel, to, status, q, contains, matches, since)
        return self._fetch(limit, filters)[0]

    def count(
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
    ) -> int:
        """Return how many messages match every given filter, which are those of `list`.

        Where the sandbox has to look at very many, it does not count them to the end: then there
        are at least so many.

        Raises:
            SandboxError: a filter has a value that it cannot have, such as an `id` that is none.
            ValueError: `since` has no time zone.
        """
        filters = _filters(id, channel, to, status, q, contains, matches, since)
        return int(self._client.get("/messages/count", filters)["count"])

    def wait(self, timeout: float, *, jump: bool = False, **wanted: str | None) -> Message:
        """Return the newest message that matches, waiting for one if there is none yet.

        The timeout is in seconds of real time. The filters, and what `jump` does, are those of
        `Account.wait_for_message`.

        Raises:
            MessageNotFound: no such message arrived in time.
        """
        __tracebackhide__ = True  # pytest then shows the line of the test that waits
        return _parse_message(wait_for(self._client, timeout, jump=jump, **wanted), self._client)

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


def wait_for(
    client: AccountClient, timeout: float, *, jump: bool = False, **wanted: str | None
) -> Any:
    """Return what a wait of the control API is answered with: a message, or with `field` a text.

    Raises:
        MessageNotFound: no such message arrived in time.
    """
    __tracebackhide__ = True
    jumps = {"jump": "true"} if jump and wanted.get("status") is not None else {}
    margin = _MOVE_TIMEOUT if jumps else _WAIT_MARGIN
    for seconds in _split_wait(timeout):
        params = {"timeout": seconds, **jumps, **wanted}
        try:
            return client.get("/messages/wait", params, timeout=seconds + margin)
        except SandboxError as error:
            if error.status != _REQUEST_TIMEOUT:
                raise
            last_error = error
            if "reason" in error.details:
                break  # to wait longer would change nothing
    raise MessageNotFound(describe_timeout(last_error, wanted, timeout)) from None


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
            Recipient(
                each["to"],
                each["status"],
                each["reason"],
                tuple(each["timeline"]),
                each.get("rule"),
            )
            for each in raw["recipients"]
        ),
        segments=raw.get("segments", 1),
        encoding=raw.get("encoding"),
        html=raw.get("html"),
        data=raw.get("data", {}),
        request_id=raw["requestId"],
        traceparent=raw.get("traceparent"),
        timeline=tuple(raw["timeline"]),
        raw=raw,
        _client=client,
    )


def _parse_optional_time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def _filters(
    message_id: str | None,
    channel: str | None,
    to: str | None,
    status: str | None,
    q: str | None,
    contains: str | None,
    matches: str | None,
    since: datetime | None,
) -> dict[str, str | None]:
    """Return the filters of a search as its parameters."""
    return {
        "id": message_id,
        "channel": channel,
        "to": to,
        "status": status,
        "q": q,
        "contains": contains,
        "matches": matches,
        "since": None if since is None else format_time(since),
    }


def _split_wait(timeout: float) -> Iterator[float]:
    """Split a wait into parts that the sandbox accepts."""
    while timeout > _MAX_WAIT:
        yield _MAX_WAIT
        timeout -= _MAX_WAIT
    yield timeout
