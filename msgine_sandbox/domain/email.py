"""Email: what can be sent by it, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from msgine_sandbox.domain.drafts import Origin, checked_recipients, checked_text, undelivered
from msgine_sandbox.model.address import checked_address, checked_mailbox
from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.clock import Instant
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.ids import Ids
from msgine_sandbox.model.message import Message
from msgine_sandbox.model.parts import EmailParts
from msgine_sandbox.model.warning import ClientWarning

if TYPE_CHECKING:
    from msgine_sandbox.model.markup import Read

MAX_SUBJECT: Final = 200
MAX_BODY: Final = 512 * 1024


class EmailDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An email as a client asks for it: the right types, not yet the right values."""

    sender: str
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str
    text: str | None = None
    html: str | None = None
    scheduled_at: Instant | None = None


class Email:
    """Turns drafts into messages."""

    channel = Channel.EMAIL

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    async def compose(self, draft: EmailDraft, origin: Origin) -> Message:
        """Give the message that a draft asks for; nothing is stored yet.

        Raises:
            InvalidRequest: an address is none, there are too many, there is nothing to read, or
                the time is not to come.
            InvalidMessage: the subject or a body is empty or too long.
        """
        account = origin.account
        sender = checked_mailbox(draft.sender)
        places = _places(draft)
        everybody = checked_recipients(
            places if draft.to else (),
            lambda text: checked_address(text, places[text]),
            what="addresses, of which one at least is in to",
        )
        subject = _checked_subject(draft.subject)
        _check_bodies(draft)
        seen = None if draft.html is None else _read(draft.html)
        return Message(
            id=self._ids.next(),
            account=account.id,
            channel=self.channel,
            sender=sender,
            text=draft.text if draft.text is not None else seen.text if seen else "",
            title=subject,
            parts=EmailParts(
                to=[text for text in everybody if places[text] == "to"],
                cc=[text for text in everybody if places[text] == "cc"],
                bcc=[text for text in everybody if places[text] == "bcc"],
                html=draft.html,
                links=seen.links if seen else (),
                html_alone=draft.text is None,
            ),
            price=account.price.times(0),
            developer_price=account.developer_prices.of(self.channel),
            request_id=origin.request_id,
            created_at=origin.now,
            scheduled_at=draft.scheduled_at,
            deliveries=undelivered(everybody, origin, draft.scheduled_at),
        )

    def remarks(self, message: Message) -> list[ClientWarning]:  # noqa: ARG002
        """Give the warnings about what a message says, and to whom: there are none."""
        return []


def _places(draft: EmailDraft) -> dict[str, str]:
    """Give the field in which each address is named first: who is named twice gets one copy."""
    places: dict[str, str] = {}
    for field, texts in {"to": draft.to, "cc": draft.cc, "bcc": draft.bcc}.items():
        for text in texts:
            places.setdefault(text, field)
    return places


def _checked_subject(subject: str) -> str:
    if "\r" in subject or "\n" in subject or "\0" in subject:
        raise InvalidRequest(
            "subject must be one line", field="subject", value=subject, expected="one line"
        )
    return checked_text(subject, MAX_SUBJECT, field="subject")


def _check_bodies(draft: EmailDraft) -> None:
    if draft.text is None and draft.html is None:
        raise InvalidRequest(
            "text or html is required", field="text", expected="text, html or both"
        )
    for field, body in {"text": draft.text, "html": draft.html}.items():
        if body is not None:
            checked_text(body, MAX_BODY, field=field)


def _read(html: str) -> Read:
    from msgine_sandbox.model.markup import read  # here, because most messages have no HTML

    return read(html)
