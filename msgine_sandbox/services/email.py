"""Email: what can be sent, and to which addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from msgine_sandbox.model.channel import Channel
from msgine_sandbox.model.errors import InvalidRequest
from msgine_sandbox.model.message import EmailParts, Message
from msgine_sandbox.model.recipients import checked_address, checked_mailbox
from msgine_sandbox.services.carrier import Carrier
from msgine_sandbox.services.drafts import (
    ChannelService,
    ScheduledTime,
    SendContext,
    checked_recipients,
    checked_schedule,
    checked_text,
)

if TYPE_CHECKING:
    from msgine_sandbox.model.html_text import HtmlText

MAX_SUBJECT: Final = 200
MAX_BODY: Final = 512 * 1024
_LONG: Final = 20_000
"""Characters of HTML that take some milliseconds to read; more are read on a thread."""


class EmailDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An email as a client describes it: values of the right types, otherwise not checked yet."""

    sender: str
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    subject: str
    text: str | None = None
    html: str | None = None
    shown: HtmlText | None = None
    """What is shown of the HTML; a prepared draft has it."""
    scheduled_for: ScheduledTime | None = None


class EmailService(ChannelService[EmailDraft]):
    """Composes emails."""

    channel = Channel.EMAIL

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def prepared(self, draft: EmailDraft) -> EmailDraft:
        """Return a draft with what is shown of its HTML."""
        if draft.html is None or len(draft.html) > MAX_BODY:  # `compose` will refuse it
            return draft
        if len(draft.html) < _LONG:
            return msgspec.structs.replace(draft, shown=_html_text(draft.html))
        shown = await asyncio.to_thread(_html_text, draft.html)
        return msgspec.structs.replace(draft, shown=shown)

    async def compose(self, draft: EmailDraft, context: SendContext) -> Message:
        """Return the message that a draft describes.

        Raises:
            InvalidRequest: an address is not one, there are too many, there is no text, or the
                time is not in the future.
            InvalidMessage: the subject or a body is empty or too long.
        """
        account = context.account
        sender = checked_mailbox(draft.sender)
        fields = _first_fields(draft)
        recipients = checked_recipients(
            fields if draft.to else (),  # cc and bcc alone are not enough
            lambda text: checked_address(text, fields[text]),
            what="addresses, of which one at least is in to",
        )
        subject = _checked_subject(draft.subject)
        _check_bodies(draft)
        html = draft.shown
        scheduled_at = checked_schedule(draft.scheduled_for, context.now)
        return Message(
            id=context.message_id,
            account=account.id,
            channel=self.channel,
            recipients=recipients,
            timelines=self._carrier.planned(self.channel, recipients, context.now, scheduled_at),
            seen_at=context.now - 1,
            sender=sender,
            text=draft.text if draft.text is not None else html.text if html else "",
            title=subject,
            parts=EmailParts(
                to=[text for text in recipients if fields[text] == "to"],
                cc=[text for text in recipients if fields[text] == "cc"],
                bcc=[text for text in recipients if fields[text] == "bcc"],
                html=draft.html,
                links=html.links if html else (),
                html_alone=draft.text is None,
            ),
            price=account.price.times(0),
            developer_price=account.developer_price(self.channel),
            request_id=context.request_id,
            scheduled_at=scheduled_at,
        )


def _first_fields(draft: EmailDraft) -> dict[str, str]:
    """Return the field that names each address first: one named twice receives one copy.

    The case of a domain does not matter (RFC 5321, 2.4).
    """
    fields: dict[str, str] = {}
    named: set[tuple[str, str]] = set()
    for field, texts in {"to": draft.to, "cc": draft.cc, "bcc": draft.bcc}.items():
        for text in texts:
            mailbox, _, domain = text.rpartition("@")
            address = mailbox, domain.lower()
            if address not in named:
                named.add(address)
                fields[text] = field
    return fields


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


def _html_text(html: str) -> HtmlText:
    from msgine_sandbox.model.html_text import html_to_text  # here, because few messages have HTML

    return html_to_text(html)
